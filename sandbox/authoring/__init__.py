"""Writing scenarios: proofs, new files, story templates, samples."""
