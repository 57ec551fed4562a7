"""A clock that stands still until it is moved."""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(order=True)
class _Scheduled:
    when: float
    order: int
    callback: Callable[[], object] = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        self.cancelled = True


class ManualClock:
    """A `cfroute.clock.Clock` whose time moves only by `advance`.

    `advance` runs everything that falls due on the way, in order, each at its own time. It is synchronous: coroutines
    that wait in `sleep` are woken, and go on at the next turn of the event loop.
    """

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now
        self._start = now
        self._due: list[_Scheduled] = []
        self._order = itertools.count()

    def now(self) -> float:
        return self._now

    def now_ns(self) -> int:
        return round(self._now * 1e9)

    def monotonic(self) -> float:
        return self._now - self._start

    @property
    def waiting(self) -> int:
        """How many sleepers and calls wait for their time."""
        return sum(not entry.cancelled for entry in self._due)

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()

        def wake() -> None:
            if not woken.done():
                woken.set_result(None)

        self.call_later(seconds, wake)
        await woken

    def call_later(self, seconds: float, callback: Callable[[], object]) -> _Scheduled:
        entry = _Scheduled(self._now + max(seconds, 0.0), next(self._order), callback)
        heapq.heappush(self._due, entry)
        return entry

    def advance(self, seconds: float) -> None:
        """Move the time on by `seconds` (never backwards) and run what falls due."""
        if seconds < 0:
            raise ValueError("time does not go backwards")
        target = self._now + seconds
        while self._due and self._due[0].when <= target:
            entry = heapq.heappop(self._due)
            self._now = max(self._now, entry.when)
            if not entry.cancelled:
                entry.callback()
        self._now = target
