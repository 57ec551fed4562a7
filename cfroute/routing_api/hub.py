"""The event streams: each change goes to everybody who listens, encoded once.

    id: 0
    event: Upsert
    data: {"router_group_guid":"…",…}

Who does not read is dropped when the queue is full, and will list everything anew: better than an event that is missing
without anybody knowing. Changes that were made together are one entry of the queue, or a single large request would drop
everybody.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

from cfroute.go.encoding import encode
from cfroute.routing_api.api import AnyEvent, AnyRoute

QUEUE: Final = 1024  # requests whose changes may wait for a listener

Change = Callable[[int], object]


class Hub:
    """The listeners to one kind of route. `count` is told how many came (1) or left (-1)."""

    def __init__(self, kind: type[AnyRoute], count: Change) -> None:
        self.kind = kind
        self._count = count
        self._listeners: set[_Listener] = set()
        self._closed = False

    def listen(self) -> AsyncIterator[bytes]:
        """Listen from now on, to what happens from now on; pieces of the stream."""
        listener = _Listener()
        if self._closed:
            listener.end()
        else:
            self._listeners.add(listener)
        return self._stream(listener)

    async def _stream(self, listener: "_Listener") -> AsyncIterator[bytes]:
        self._count(1)
        try:
            async for piece in listener.pieces():
                yield piece
        finally:
            self._count(-1)
            self._listeners.discard(listener)

    def publish(self, events: Sequence[AnyEvent]) -> None:
        """Tell everybody, in this order."""
        if not self._listeners:
            return
        batch = [_encoded(event) for event in events if isinstance(event.route, self.kind)]
        for listener in list(self._listeners) if batch else ():
            if not listener.put(batch):
                self._listeners.discard(listener)
                listener.end()

    def close(self) -> None:
        """End all streams, and those that are still to come."""
        self._closed = True
        for listener in self._listeners:
            listener.end()


class _Listener:
    def __init__(self) -> None:
        self._queue: asyncio.Queue[list[bytes] | None] = asyncio.Queue(QUEUE)

    def put(self, batch: list[bytes]) -> bool:
        """Hand it over; False when the listener does not keep up."""
        try:
            self._queue.put_nowait(batch)
        except asyncio.QueueFull:
            return False
        return True

    def end(self) -> None:
        """Let the stream end, whatever is still in its queue."""
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body of the answer."""
        number = 0
        while (batch := await self._queue.get()) is not None:
            yield b"".join(b"id: %d\n%b" % (number + offset, event) for offset, event in enumerate(batch))
            number += len(batch)


def _encoded(event: AnyEvent) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (event.action.encode(), encode(event.route))
