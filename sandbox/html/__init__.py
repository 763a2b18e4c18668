# ruff: noqa: A005  # imports are absolute, so it shadows nothing
"""Reports as one HTML file that loads nothing: `report` for a run, `compare` for two sides."""
