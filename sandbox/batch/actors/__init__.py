"""Ray actors: thin shells around `Player` and around participants that need a process of their own."""
