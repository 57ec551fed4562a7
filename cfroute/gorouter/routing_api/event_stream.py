"""Server-sent events: what an event stream says, however its bytes are divided.

    id: 0
    event: Upsert
    data: {"route":"a.example.com",…}

An empty line ends an event.
"""

from typing import Final, NamedTuple

_MOST: Final = 1 << 20  # bytes of one event


class StreamError(Exception):
    """What comes is no event stream."""


class Event(NamedTuple):
    """One event."""

    name: str
    data: str


class EventStream:
    """Cuts what comes into events."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Event]:
        """The events that have become complete. Raises StreamError."""
        *blocks, self._rest = (self._rest + data).replace(b"\r\n", b"\n").split(b"\n\n")
        if len(self._rest) > _MOST:
            raise StreamError("an event has no end")
        return [event for block in blocks if (event := _event(block)) is not None]


def _event(block: bytes) -> Event | None:
    """The event; None for comments only."""
    name, data = "", []
    for line in block.decode("utf-8", "replace").split("\n"):
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
    return Event(name, "\n".join(data)) if name or data else None
