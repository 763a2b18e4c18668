"""What whoever operates runs reads: how a run is going, its log, its metrics and traces, and word of its end."""
