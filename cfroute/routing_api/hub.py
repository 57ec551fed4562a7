"""The event streams: each change goes to everybody who listens, encoded once.

    id: 0
    event: Upsert
    data: {"router_group_guid":"…",…}

Who does not read is dropped when the queue is full, and will list everything anew: better than an event that is missing
without anybody knowing. Changes that were made together are one entry of the queue, or a single large request would drop
everybody. What waits is shared by all who wait for it; what is being sent is cut into pieces, so that a thousand slow readers
hold no thousand copies of a large request.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Final, NamedTuple

from cfroute.go.encoding import encode
from cfroute.routing_api.api import AnyEvent, AnyRoute

QUEUE: Final = 1024  # requests whose changes may wait for a listener
HELD: Final = 16 << 20  # bytes of them, besides a single larger one
PIECE: Final = 64 << 10  # bytes, or a bit more, that are sent at once

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
        encoded = [_encoded(event) for event in events if isinstance(event.route, self.kind)]
        batch = _Batch(encoded, sum(map(len, encoded)))
        for listener in list(self._listeners) if encoded else ():
            if not listener.put(batch):
                self._listeners.discard(listener)
                listener.end()

    def close(self) -> None:
        """End all streams, and those that are still to come."""
        self._closed = True
        for listener in self._listeners:
            listener.end()


class _Batch(NamedTuple):
    """Changes that were made together, encoded but for their numbers, and how many bytes they are."""

    events: list[bytes]
    size: int


class _Listener:
    def __init__(self) -> None:
        self._queue: asyncio.Queue[_Batch | None] = asyncio.Queue(QUEUE)
        self._held = 0

    def put(self, batch: _Batch) -> bool:
        """Hand it over; False when the listener does not keep up."""
        if self._queue.full() or (self._held and self._held + batch.size > HELD):
            return False
        self._queue.put_nowait(batch)
        self._held += batch.size
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
            self._held -= batch.size
            for piece in _cut(number, batch.events):
                yield piece
            number += len(batch.events)


def _cut(number: int, events: Sequence[bytes]) -> Iterator[bytes]:
    """Numbered events, in pieces."""
    piece = bytearray()
    for offset, event in enumerate(events):
        piece += b"id: %d\n%b" % (number + offset, event)
        if len(piece) >= PIECE:
            yield bytes(piece)
            piece.clear()
    if piece:
        yield bytes(piece)


def _encoded(event: AnyEvent) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (event.action.encode(), encode(event.route))
