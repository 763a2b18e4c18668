"""A stand-in for a provider of language models: a real HTTP server that answers as a script or a model's name says."""
