"""What `riskbox list` lists: one module a list, each with `show(args)`."""
