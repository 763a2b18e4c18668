"""What a plug-in promises: participants, toolsets, evaluators, models, stores, and the conditions of scenario files."""
