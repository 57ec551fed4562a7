"""Server-sent events: what an event stream says, however its bytes are divided.

    id: 0
    event: Upsert
    data: {"route":"a.example.com",…}

An empty line ends an event.
"""

from typing import Final, NamedTuple

from cfroute.routing_api.errors import unreadable

_MOST: Final = 1 << 20  # bytes of one event


class Message(NamedTuple):
    """One event as it was sent."""

    id: str
    name: str
    data: str


class EventStream:
    """Cuts what comes into events."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Message]:
        """The events that have become complete. Raises ApiError when there is none."""
        *blocks, self._rest = (self._rest + data).replace(b"\r\n", b"\n").split(b"\n\n")
        if len(self._rest) > _MOST:
            raise unreadable("the event stream", "an event has no end")
        return [message for block in blocks if (message := _message(block)) is not None]


def _message(block: bytes) -> Message | None:
    """The event; None for comments only."""
    number, name, data = "", "", list[str]()
    for line in block.decode("utf-8", "replace").split("\n"):
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "id":
            number = value
        elif field == "data":
            data.append(value)
    return Message(number, name, "\n".join(data)) if name or data else None
