"""What has been counted: for a port, for each of its pools and for each backend."""

from typing import Final

_WINDOW: Final = 1024  # the latest so many values make an average, as in HAProxy's statistics


class Average:
    """The average of about the last 1024 values, without keeping them."""

    __slots__ = ("_count", "_sum")

    def __init__(self) -> None:
        self._sum = 0.0
        self._count = 0

    def add(self, value: float) -> None:
        """Count one more value."""
        if self._count < _WINDOW:
            self._count += 1
        else:
            self._sum -= self._sum / _WINDOW
        self._sum += value

    @property
    def value(self) -> float:
        """The average; 0 before the first value."""
        return self._sum / self._count if self._count else 0.0


class Counts:
    """Connections and their bytes. Times are in milliseconds: until a backend was connected, and from accept to end."""

    __slots__ = ("bytes_in", "bytes_out", "connect_ms", "connection_errors", "current", "sessions", "total_ms")

    def __init__(self) -> None:
        self.sessions = 0
        self.current = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self.connection_errors = 0
        self.connect_ms = Average()
        self.total_ms = Average()

    def __repr__(self) -> str:
        return f"<Counts {self.current} of {self.sessions} sessions, {self.bytes_in} bytes in, {self.bytes_out} out>"

    def begun(self) -> None:
        """A connection has come."""
        self.sessions += 1
        self.current += 1

    def moved(self, bytes_in: int, bytes_out: int) -> None:
        """So many bytes came from the client, and from the backend."""
        self.bytes_in += bytes_in
        self.bytes_out += bytes_out

    def ended(self, milliseconds: float) -> None:
        """A connection has ended, after that time."""
        self.current -= 1
        self.total_ms.add(milliseconds)
