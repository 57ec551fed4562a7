"""What is looked at from time to time: descriptors, the queue of NATS messages, and how long the router runs."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from cfroute.clock import Clock
from cfroute.daemon import spawn
from cfroute.gorouter.metrics.reporter import Reporter
from cfroute.logs import Logger

_EVERY = 5  # seconds between two looks
_UPTIME_EVERY = 1.0


class Messages(Protocol):
    """A source of messages: how many wait, and how many were dropped so far."""

    @property
    def buffered(self) -> int: ...

    @property
    def dropped(self) -> int: ...


class Monitors:
    """Looks, and tells the reporter."""

    def __init__(self, reporter: Reporter, messages: Messages, descriptors: Callable[[], int], clock: Clock, log: Logger) -> None:
        """`descriptors` tells how many are open, and may raise OSError."""
        self._reporter = reporter
        self._messages = messages
        self._descriptors = descriptors
        self._clock = clock
        self._log = log.session("FileDescriptor")
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look for the first time in five seconds."""
        self._task = spawn(self._look_for_ever(), name="monitors")

    def close(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()

    async def _look_for_ever(self) -> None:
        started, ticks = self._clock.monotonic(), 0
        while True:
            await self._clock.sleep(_UPTIME_EVERY)
            ticks += 1
            self._reporter.tell("uptime", float(int(self._clock.monotonic() - started)), "seconds")
            if ticks % _EVERY == 0:
                self.look()

    def look(self) -> None:
        """Tell the reporter how things are now."""
        self._reporter.gauge("buffered_messages", self._messages.buffered)
        self._reporter.gauge("total_dropped_messages", self._messages.dropped)
        try:
            self._reporter.gauge("file_descriptors", self._descriptors())
        except OSError as error:
            self._log.error("error-reading-filedescriptor-path", error=str(error))
