"""Commands for service instances, what is bound to them, and service brokers."""
