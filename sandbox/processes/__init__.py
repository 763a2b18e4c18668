"""Processes of the user's: kept together, limited in memory, and shown only the environment that they need."""
