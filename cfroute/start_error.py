"""Why a daemon of the routing tier cannot start: what its log says of it, as upstream's does, and with which status it ends."""

from typing import Any, Final

from cfroute.lager import Lager

PANIC: Final = 2
"""The exit status of a Go program that panics, which lager calls fatal."""


class StartError(Exception):
    """It cannot start. `message` is the log's, `data` what the line has besides the error; `status` is the exit status."""

    def __init__(self, message: str, error: object, *, status: int = PANIC, data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.error = str(error)
        self.status = status
        self.data = data or {}

    def report(self, log: Lager) -> int:
        """Log it; the exit status."""
        tell = log.fatal if self.status == PANIC else log.error
        tell(self.message, error=self.error, **self.data)
        return self.status
