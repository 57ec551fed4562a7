"""How long it takes to make a connection, step by step."""

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

from cfroute.clock import Clock


class Timings(NamedTuple):
    """Seconds that the steps took: negative where there was no such step, as on a connection that was kept.

    `local` is our end of the connection as `host:port`; empty where there is none.
    """

    dns: float = -1.0
    dial: float = -1.0
    tls: float = -1.0
    local: str = ""


NOT_MEASURED = Timings()


class Stopwatch:
    """Measures the steps of making one connection."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.timings = NOT_MEASURED

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure a step of `Timings`, whether it succeeds or fails."""
        began = self._clock.monotonic()
        try:
            yield
        finally:
            self.timings = Timings(**{**self.timings._asdict(), name: self._clock.monotonic() - began})
