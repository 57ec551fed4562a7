"""Moving averages and a decaying sample, as the library go-metrics reckons them for the deprecated `/varz`."""

import heapq
from collections.abc import Iterable
from math import exp
from random import Random
from typing import Final

TICK: Final = 5.0  # seconds between two `Rate.tick`
_MINUTES: Final = (1, 5, 15)
_WEIGHTS: Final = tuple(1 - exp(-TICK / 60 / minutes) for minutes in _MINUTES)
_SIZE: Final = 1028
_DECAY: Final = 0.015  # a second
_RESCALE_AFTER: Final = 3600.0  # seconds; later the weights would become too large for a float
PERCENTILES: Final = (50, 75, 90, 95, 99)


class Rate:
    """Events a second: averages over 1, 5 and 15 minutes in which older ones count less and less."""

    __slots__ = ("_new", "_ticked", "averages")

    def __init__(self) -> None:
        self.averages = [0.0, 0.0, 0.0]
        self._new = 0
        self._ticked = False

    def mark(self) -> None:
        """One more."""
        self._new += 1

    def tick(self) -> None:
        """Take in what has come since the last tick, five seconds ago."""
        now = self._new / TICK
        self._new = 0
        if self._ticked:
            self.averages = [old + weight * (now - old) for old, weight in zip(self.averages, _WEIGHTS, strict=True)]
        else:
            self._ticked = True
            self.averages = [now] * len(_WEIGHTS)


class Reservoir:
    """About a thousand values, the newer the more likely: what percentiles are taken of."""

    __slots__ = ("_heap", "_rng", "_start")

    def __init__(self, rng: Random, now: float) -> None:
        self._rng = rng
        self._start = now
        self._heap: list[tuple[float, float]] = []  # priority and value, the least one first

    def add(self, value: float, now: float) -> None:
        """Take a value in; `now` in monotonic seconds."""
        if now - self._start > _RESCALE_AFTER:
            self._rescale(now)
        entry = exp(_DECAY * (now - self._start)) / (1.0 - self._rng.random()), value
        if len(self._heap) < _SIZE:
            heapq.heappush(self._heap, entry)
        else:
            heapq.heapreplace(self._heap, entry)

    def _rescale(self, now: float) -> None:
        factor = exp(-_DECAY * (now - self._start))
        self._heap = [(priority * factor, value) for priority, value in self._heap]  # the order stays
        self._start = now

    def values(self) -> list[float]:
        """The sample, in no order."""
        return [value for _, value in self._heap]


def percentiles(sample: Iterable[float]) -> list[float]:
    """The values that so many in a hundred do not exceed; between two values of the sample, what lies between."""
    values = sorted(sample)
    return [_percentile(values, percent / 100) for percent in PERCENTILES]


def _percentile(values: list[float], share: float) -> float:
    if not values:
        return 0.0
    position = share * (len(values) + 1)
    if position < 1:
        return values[0]
    if position >= len(values):
        return values[-1]
    lower, upper = values[int(position) - 1], values[int(position)]
    return lower + (position - int(position)) * (upper - lower)
