"""The scenario files that ship with Riskbox, one folder a domain."""
