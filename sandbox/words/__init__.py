"""What is said: actions, events, scenarios, cases, episodes, rows and verdicts, as frozen models and pure functions."""
