"""The step: state, turns, transition and replay. Pure, synchronous and seeded."""
