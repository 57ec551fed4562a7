"""How a call ends: a code, and a message."""

from enum import IntEnum


class Code(IntEnum):
    """The codes of gRPC."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16

    @property
    def title(self) -> str:
        """As Go writes it: `AlreadyExists`."""
        return self.name if self is Code.OK else self.name.title().replace("_", "")


class RpcError(Exception):
    """A call that failed. The text of the exception is what Go's library says."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(f"rpc error: code = {code.title} desc = {message}")
        self.code = code
        self.message = message
