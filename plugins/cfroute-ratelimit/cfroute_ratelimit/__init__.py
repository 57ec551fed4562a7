"""A rate-limiting route service and its broker: the fully-brokered model."""
