"""Language models: clients, transports, limits, quota and leases, recordings."""
