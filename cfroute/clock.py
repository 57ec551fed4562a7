"""Time as an argument.

Nothing in cfroute reads the time on its own: whoever needs it is handed a `Clock`. That is what lets the tests of
pruning, heartbeats and expiry run without sleeping (see `cfroute.testing.clock.ManualClock`). A patched event loop
would not do: uvloop ignores an overridden `loop.time()`.
"""

import time
from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """A call that was scheduled with `Clock.call_later` and can still be taken back."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """What a component may know of time."""

    def now(self) -> float:
        """Seconds since the epoch: what goes into messages, logs and signatures."""

    def now_ns(self) -> int:
        """Nanoseconds since the epoch."""

    def monotonic(self) -> float:
        """Seconds that never go backwards: what deadlines and ages are measured with."""

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Timer:
        """Call `callback` after `seconds`, from the running event loop."""


class SystemClock:
    """The time of this machine. asyncio is imported by those who wait with it: the others start quickly."""

    # The functions themselves: they are called several times a request, and a method around them would cost more than they do.
    now = staticmethod(time.time)
    now_ns = staticmethod(time.time_ns)
    monotonic = staticmethod(time.monotonic)

    async def sleep(self, seconds: float) -> None:
        import asyncio

        await asyncio.sleep(seconds)

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Timer:
        import asyncio

        return asyncio.get_running_loop().call_later(seconds, callback)
