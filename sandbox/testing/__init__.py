"""Checks that plug-ins can call on themselves; our own parts pass them too."""
