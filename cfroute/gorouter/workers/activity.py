"""What requests do to the counts in a worker's table, and to those in the parent's when it hears of it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from cfroute.gorouter.routing_table.endpoint import Backend
from cfroute.gorouter.routing_table.pool import Pool
from cfroute.gorouter.routing_table.registry import Registry
from cfroute.gorouter.workers.messages import Active, Activity

_AT_ONCE: Final = 5000  # pools that are looked at before requests get their turn


class Watch:
    """Finds the routes that were busy, in a worker's table."""

    def __init__(self, under_way: Callable[[Backend], int]) -> None:
        """`under_way` tells how many requests this worker has under way at a backend."""
        self._under_way = under_way
        self._busy: set[Pool] = set()

    def look(self, pools: Sequence[Pool]) -> Iterator[list[Activity]]:
        """The routes that had requests since the last look, or had some under way then, a part of the table after the other."""
        before, self._busy = self._busy, set()
        for start in range(0, len(pools), _AT_ONCE):
            part = pools[start : start + _AT_ONCE]
            yield [self._told(pool) for pool in part if pool.requests != pool.sampled or pool in before]

    def _told(self, pool: Pool) -> Activity:
        requests = pool.requests - pool.sampled
        pool.sampled = pool.requests
        by_address = []
        for endpoint in pool.endpoints:
            if endpoint.requests != endpoint.sampled:
                by_address.append((endpoint.address, endpoint.requests - endpoint.sampled))
                endpoint.sampled = endpoint.requests
            if self._under_way(endpoint.backend):
                self._busy.add(pool)
        return Activity(pool.uri, requests, by_address)


def credit(registry: Registry, told: Active) -> Iterator[Pool]:
    """Add what a worker tells to the counts of the parent's table; yields the routes that it concerns."""
    for activity in told.routes:
        pool = registry.at(activity.uri)
        if pool is None:
            continue
        pool.requests += activity.requests
        for address, requests in activity.by_address:
            endpoint = pool.find(address)
            if endpoint is not None:
                endpoint.requests += requests
        yield pool
