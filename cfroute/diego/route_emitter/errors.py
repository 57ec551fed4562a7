"""Why a route emitter does not go on."""


class BusError(Exception):
    """There is no connection to NATS, or none any more."""


class LockLost(Exception):
    """The lock was held once: somebody else may have it."""
