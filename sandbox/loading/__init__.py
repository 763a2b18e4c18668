"""Scenario files in: read, overlaid, validated, with their worlds."""
