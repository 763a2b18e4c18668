"""Runs on a Redis server that several machines share."""
