"""Which apps got requests lately: what `router.active_apps` says, a JSON array of their GUIDs, compressed by zlib.

The counters of the endpoints are compared with what they were the last time; so a request costs nothing for it. (What an
endpoint served that has left the table since is not seen.)
"""

import zlib
from collections.abc import Callable, Iterable, Iterator

import msgspec

from cfroute.gorouter.routing_table.endpoint import Endpoint
from cfroute.gorouter.routing_table.pool import Pool

_CHUNK = 5000  # pools that are looked at before others get their turn


class ActiveApps:
    """The apps that were active between two looks."""

    def __init__(self) -> None:
        self._counted: dict[Endpoint, int] = {}

    def look(self, pools: Iterable[Pool], publish: Callable[[bytes], object]) -> Iterator[None]:
        """Publish which apps were active since the last look, if any were. Pauses now and then."""
        before, self._counted = self._counted, {}
        active: set[str] = set()
        for number, pool in enumerate(list(pools)):
            for endpoint in pool.endpoints:
                if endpoint.requests:
                    self._counted[endpoint] = endpoint.requests
                    if endpoint.requests != before.get(endpoint, 0) and endpoint.app:
                        active.add(endpoint.app)
            if number % _CHUNK == _CHUNK - 1:
                yield
        publish(zlib.compress(msgspec.json.encode(sorted(active))))
