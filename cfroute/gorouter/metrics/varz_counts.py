"""The counts behind the deprecated page `/varz`: those of one moment, of one worker or of several, and how they are shown."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from cfroute.gorouter.metrics.sampling import PERCENTILES, percentiles

_MOST_APPS: Final = 10
WINDOW: Final = 60
"""Seconds that the requests of an app are counted for."""


class RequestCounts(msgspec.Struct):
    """Requests, their average rates, responses by group, and a sample of latencies in seconds."""

    count: int
    rate: list[float]
    responses: dict[str, int]
    latencies: list[float]

    def shown(self) -> dict[str, Any]:
        """The members of the page. `samples` and `value` are constants, kept for collectors that are long gone."""
        latency = dict(zip(map(str, PERCENTILES), percentiles(self.latencies), strict=True))
        groups = {f"responses_{group}": count for group, count in self.responses.items()}
        return {
            "requests": self.count,
            "rate": self.rate,
            "latency": {**latency, "value": 5e-7, "samples": 1},
            **groups,
        }


class VarzCounts(msgspec.Struct):
    """All that the page tells of requests: `apps` has those of the last minute by app."""

    all: RequestCounts
    components: dict[str, RequestCounts]
    apps: dict[str, int]
    rejected: int
    bad_gateways: int

    def shown(self) -> dict[str, Any]:
        """The members of the page."""
        top = Counter(self.apps).most_common(_MOST_APPS)
        return {
            **self.all.shown(),
            "requests_per_sec": self.all.rate[0],
            "bad_requests": self.rejected,
            "bad_gateways": self.bad_gateways,
            "tags": {"component": {name: requests.shown() for name, requests in self.components.items()}},
            "top10_app_requests": [{"application_id": a, "rpm": n, "rps": n // WINDOW} for a, n in top],
        }


def merged(counts: Sequence[VarzCounts]) -> VarzCounts:
    """The counts of a router from those of its workers: sums, and one sample of all latencies."""
    apps: Counter[str] = Counter()
    for each in counts:
        apps.update(each.apps)
    names = dict.fromkeys(name for each in counts for name in each.components)
    return VarzCounts(
        _together(each.all for each in counts),
        {name: _together(each.components[name] for each in counts if name in each.components) for name in names},
        dict(apps),
        sum(each.rejected for each in counts),
        sum(each.bad_gateways for each in counts),
    )


def _together(requests: Iterable[RequestCounts]) -> RequestCounts:
    all_of = list(requests)
    return RequestCounts(
        sum(each.count for each in all_of),
        [sum(rates) for rates in zip(*(each.rate for each in all_of), strict=True)],
        {group: sum(each.responses[group] for each in all_of) for group in all_of[0].responses},
        [latency for each in all_of for latency in each.latencies],
    )
