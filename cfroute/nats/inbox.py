"""Messages that were received and wait for their turn: bounded, in order, and a few at a time."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from cfroute.clock import Clock
from cfroute.nats.wire import Message

MOST_MESSAGES: Final = 131_072
MOST_BYTES: Final = MOST_MESSAGES * 1024
_AT_ONCE: Final = 200  # messages handled before requests get their turn: a few milliseconds
_HURRY: Final = 16  # and this part of those that wait, so that a long queue does not become longer


class Inbox:
    """The queue of one client."""

    def __init__(self, handle: Callable[[Message], object], on_slow: Callable[[Message], object], clock: Clock) -> None:
        """`handle` gets each message, `on_slow` the first of those that are dropped in a row."""
        self._handle = handle
        self._on_slow = on_slow
        self._clock = clock
        self._queue: deque[Message] = deque()
        self._bytes = 0
        self._at_work = False
        self._is_slow = False
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._queue)

    def add(self, messages: Iterable[Message]) -> None:
        """Queue the messages that fit, and drop and count the others."""
        queue = self._queue
        for message in messages:
            size = len(message.payload)
            if len(queue) < MOST_MESSAGES and self._bytes + size <= MOST_BYTES:
                self._bytes += size
                queue.append(message)
                self._is_slow = False
            else:
                self._drop(message)
        if not self._at_work:
            self._at_work = True
            self._clock.call_later(0, self._work)

    def clear(self) -> None:
        self._queue.clear()
        self._bytes = 0

    def _drop(self, message: Message) -> None:
        self.dropped += 1
        if not self._is_slow:
            self._is_slow = True
            self._on_slow(message)

    def _work(self) -> None:
        """Handle some of the messages, and come back for the others."""
        queue, handle = self._queue, self._handle
        try:
            for _ in range(min(len(queue), _AT_ONCE + len(queue) // _HURRY)):
                message = queue.popleft()
                self._bytes -= len(message.payload)
                handle(message)
        finally:  # a defect that one message brings to light does not keep the others waiting
            self._at_work = bool(queue)
            if queue:
                self._clock.call_later(0, self._work)
