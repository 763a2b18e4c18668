"""Runs of many episodes: plan, launch, runner, player, Ray actors, forecast, trial."""
