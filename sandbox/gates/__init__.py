"""Gates: conditions on a run's numbers."""
