"""The event streams: each change goes to everybody who listens, encoded once.

A listener that does not read is dropped when its queue is full. It will then list everything anew, which is better
than an event that is missing without anybody knowing.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable

import msgspec

from cfroute.diego.api import ActualLRP, DesiredLRP, Event, EventType, Task
from cfroute.diego.bbs.state import Change, Thing
from cfroute.diego.client import Feed

QUEUE = 4096  # events
KEEP_ALIVE = 5.0  # s
COMMENT = b": keep-alive\n\n"

NAMES: dict[type[Thing], str] = {
    DesiredLRP: "desired_lrp",
    ActualLRP: "actual_lrp_instance",
    Task: "task",
}


class Listener:
    """One open stream. `feed` and `cell_id` ("" means all cells) say what it wants to hear."""

    def __init__(self, feed: Feed, cell_id: str) -> None:
        self._feed = feed
        self._cell_id = cell_id
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUE)

    def wants(self, change: Change) -> bool:
        """Whether the change is for this listener. Desired LRPs have no cell: everybody hears of them."""
        things = [thing for thing in change if thing is not None]
        if isinstance(things[0], Task) != (self._feed == "tasks"):
            return False
        return not self._cell_id or any(getattr(thing, "cell_id", self._cell_id) == self._cell_id for thing in things)

    def put(self, data: bytes) -> bool:
        """Hand it over; False when the listener does not keep up."""
        try:
            self._queue.put_nowait(data)
        except asyncio.QueueFull:
            return False
        return True

    def end(self) -> None:
        """Let the stream end, whatever is still in its queue."""
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)

    async def stream(self) -> AsyncIterator[bytes]:
        """The body of the answer; the first comment tells the client that it misses nothing from here on."""
        yield COMMENT
        while True:
            try:
                async with asyncio.timeout(KEEP_ALIVE):
                    data = await self._queue.get()
            except TimeoutError:
                data = COMMENT
            if data is None:
                return
            yield data


class Hub:
    """All open streams."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._closed = False

    async def listen(self, feed: Feed, cell_id: str) -> AsyncIterator[bytes]:
        """Listen from now on; leaves when the iterator is closed."""
        listener = Listener(feed, cell_id)
        self._listeners.add(listener)
        if self._closed:
            listener.end()
        try:
            async for data in listener.stream():
                yield data
        finally:
            self._listeners.discard(listener)

    def publish(self, changes: Iterable[Change]) -> None:
        """Tell everybody who wants to know."""
        for change in changes:
            data = encode(change)
            for listener in [each for each in self._listeners if each.wants(change)]:
                if not listener.put(data):
                    self._listeners.discard(listener)
                    listener.end()

    def close(self) -> None:
        """End all streams, and those that are still to come."""
        self._closed = True
        for listener in self._listeners:
            listener.end()


def encode(change: Change) -> bytes:
    """A change as one server-sent event."""
    event = Event(event_type(change), _plain(change.before), _plain(change.after))
    return b"event: %b\ndata: %b\n\n" % (event.type.encode(), msgspec.json.encode(event))


def event_type(change: Change) -> EventType:
    """Diego's name for the kind of change."""
    thing = change.after or change.before
    assert thing is not None
    verb = "created" if change.before is None else "removed" if change.after is None else "changed"
    name: EventType = f"{NAMES[type(thing)]}_{verb}"  # type: ignore[assignment]
    return name


def _plain(thing: Thing | None) -> dict[str, object] | None:
    return None if thing is None else msgspec.to_builtins(thing)
