"""All counts of one moment, and how those of several workers become those of the router."""

from collections.abc import Iterable, Sequence

import msgspec

from cfroute.gorouter.metrics.families import SHARED

Labels = tuple[str, ...]
"""The values of a family's labels, in the family's order; empty for a family without labels."""

_START_TIME = "process_start_time_seconds"


class Distribution(msgspec.Struct):
    """What a histogram has seen: how many values up to each bound (the last count: beyond them all), and their sum."""

    counts: list[int]
    sum: float = 0.0

    def plus(self, other: "Distribution") -> "Distribution":
        """Both together; they have the same bounds."""
        return Distribution([a + b for a, b in zip(self.counts, other.counts, strict=True)], self.sum + other.sum)


class Snapshot(msgspec.Struct):
    """Counts by family, gauges by name, `bounds` of the histograms by family, and the figures of the process by name."""

    counters: dict[str, dict[Labels, int]] = {}
    gauges: dict[str, float] = {}
    histograms: dict[str, dict[Labels, Distribution]] = {}
    bounds: dict[str, list[float]] = {}
    process: dict[str, float] = {}


def merge(snapshots: Sequence[Snapshot]) -> Snapshot:
    """The snapshot of a router from those of its workers.

    What all of them count alike (messages, routes) is that of the first; the rest is added up. The bounds are the same
    everywhere: the workers have one configuration.
    """
    if not snapshots:
        return Snapshot()
    whole = Snapshot(bounds=snapshots[0].bounds)
    for position, snapshot in enumerate(snapshots):
        for name, counts in snapshot.counters.items():
            if position == 0 or name not in SHARED:
                _add_counts(whole.counters.setdefault(name, {}), counts)
        for name, distributions in snapshot.histograms.items():
            if position == 0 or name not in SHARED:
                _add_distributions(whole.histograms.setdefault(name, {}), distributions)
        for name, value in snapshot.gauges.items():
            if position == 0 or name not in SHARED:
                whole.gauges[name] = whole.gauges.get(name, 0.0) + value
    whole.process = _process(snapshot.process for snapshot in snapshots)
    return whole


def _add_counts(to: dict[Labels, int], counts: dict[Labels, int]) -> None:
    for labels, count in counts.items():
        to[labels] = to.get(labels, 0) + count


def _add_distributions(to: dict[Labels, Distribution], distributions: dict[Labels, Distribution]) -> None:
    for labels, distribution in distributions.items():
        known = to.get(labels)
        to[labels] = distribution if known is None else known.plus(distribution)


def _process(figures: Iterable[dict[str, float]]) -> dict[str, float]:
    """Sums; but the router was started when the first of its processes was."""
    whole: dict[str, float] = {}
    for figure in figures:
        for name, value in figure.items():
            known = whole.get(name)
            if known is None:
                whole[name] = value
            else:
                whole[name] = min(known, value) if name == _START_TIME else known + value
    return whole
