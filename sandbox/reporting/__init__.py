"""Results and transcripts, for people at a terminal."""
