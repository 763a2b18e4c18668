"""A scenario as a Gymnasium environment."""
