"""The contracts of plug-ins: participants, toolsets, evaluators, models and stores; and the conditions of scenario files."""
