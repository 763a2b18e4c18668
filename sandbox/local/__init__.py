"""A real language model on this machine: where its file lies, and the server that plays it."""
