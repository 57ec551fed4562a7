"""Why a route emitter does not start, or does not go on."""


class StartError(Exception):
    """It cannot start. `message` is the log's, `status` the exit status."""

    def __init__(self, message: str, error: object, status: int = 2) -> None:
        super().__init__(message)
        self.message = message
        self.error = str(error)
        self.status = status


class BusError(Exception):
    """There is no connection to NATS, or none any more."""


class LockLost(Exception):
    """The lock was held once: somebody else may have it."""
