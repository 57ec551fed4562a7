"""What counts: plain numbers and lists, for they are changed at every request."""

from bisect import bisect_left
from collections.abc import Sequence
from math import isfinite

from cfroute.gorouter.metrics.snapshot import Distribution


class Histogram:
    """Counts values by the bound (inclusive) that they do not exceed; the last count is for what exceeds all."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = sorted({bound for bound in bounds if isfinite(bound)})
        self.counts = [0] * (len(self.bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def seen(self) -> Distribution:
        """A copy of the counts."""
        return Distribution(list(self.counts), self.sum)


class Component:
    """What is counted for the endpoints with one `component` tag."""

    __slots__ = ("latency", "name", "requests")

    def __init__(self, name: str, bounds: Sequence[float]) -> None:
        self.name = name
        self.requests = 0
        self.latency = Histogram(bounds)
