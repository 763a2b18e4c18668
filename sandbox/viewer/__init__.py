"""Runs and episodes to look at in a terminal: one widget a file, its style in `app.tcss`."""
