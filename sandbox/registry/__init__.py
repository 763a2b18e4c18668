"""Names to code: agents, users, toolsets and evaluators by built-in name, entry point, module or file."""
