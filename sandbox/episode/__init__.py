"""One episode: the rollout, its record, and whether the simulated user played its part."""
