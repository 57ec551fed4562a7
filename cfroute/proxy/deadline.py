"""Many timeouts of the same length for the price of one timer.

A timer for each request would cost the event loop more than the request's own parsing. All entries of one `Deadlines` wait
equally long, so the order of arrival is the order of expiry, and one timer that looks at the oldest is enough.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

from cfroute.clock import Clock, Timer

T = TypeVar("T")


class Deadlines(Generic[T]):
    """Calls `expired(entry)` for each entry that stays in for `seconds`; 0 or less switches it off.

    Precise to a twentieth of `seconds`, or 10 ms.
    """

    __slots__ = ("_clock", "_entries", "_expired", "_grain", "_monotonic", "_seconds", "_timer")

    def __init__(self, seconds: float, clock: Clock, expired: Callable[[T], object]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._monotonic = clock.monotonic
        self._expired = expired
        self._entries: dict[T, float] = {}
        self._timer: Timer | None = None
        self._grain = max(min(seconds / 20, 1.0), 0.01)

    def __contains__(self, entry: T) -> bool:
        return entry in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entry: T) -> None:
        """Start the time of `entry`, which must not be in."""
        if self._seconds > 0:
            self._entries[entry] = self._monotonic() + self._seconds
            if self._timer is None:
                self._timer = self._clock.call_later(self._seconds, self._look)

    def discard(self, entry: T) -> None:
        """Forget `entry`, if it is in."""
        self._entries.pop(entry, None)

    def _look(self) -> None:
        self._timer = None
        now = self._monotonic()
        due = []
        for entry, deadline in self._entries.items():
            if deadline > now:
                self._timer = self._clock.call_later(max(deadline - now, self._grain), self._look)
                break
            due.append(entry)
        for entry in due:
            if self._entries.pop(entry, None) is not None:
                self._expired(entry)
        if self._entries and self._timer is None:
            self._timer = self._clock.call_later(self._grain, self._look)

    def stop(self) -> None:
        """Forget everything."""
        self._entries.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
