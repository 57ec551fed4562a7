"""Which endpoints of a pool one request is tried on: further attempts, limits, sticky sessions, zones, all algorithms."""

from random import Random

from cfroute.gorouter.routing_table.endpoint import Endpoint
from cfroute.gorouter.routing_table.pool import HASH, LEAST_CONNECTION, Pool


class Selection:
    """The endpoints that one request is tried on, one after the other."""

    __slots__ = (
        "_algorithm",
        "_cool_down",
        "_hash_value",
        "_max_conns",
        "_must_be_sticky",
        "_next",
        "_pool",
        "_prefer_zone",
        "_rng",
        "_sticky",
        "_tried",
        "_zone",
    )

    def __init__(
        self,
        pool: Pool,
        *,
        now: float,
        rng: Random,
        max_conns: int = 0,
        cool_down: float = 30.0,
        zone: str | None = None,
        prefer_zone: bool = False,
        sticky: str | None = None,
        must_be_sticky: bool = False,
        after: Endpoint | None = None,
        hash_value: bytes = b"",
        algorithm: str | None = None,
    ) -> None:
        """`after` is the endpoint that `Pool.pick` gave for the first attempt, when that one failed.

        `hash_value` is what a pool with the algorithm `hash` balances by; without one the request needs another
        `algorithm`. The default is the pool's.
        """
        self._pool = pool
        self._rng = rng
        self._max_conns = max_conns
        self._cool_down = cool_down
        self._zone = zone or ""
        self._prefer_zone = prefer_zone
        self._sticky = sticky or ""
        self._must_be_sticky = must_be_sticky
        self._algorithm = algorithm or pool.load_balancing
        self._hash_value = hash_value
        self._tried: tuple[Endpoint, ...] = ()  # kept for the algorithm `hash` only
        self._next = -1
        if after is not None and after in pool.endpoints:
            self._next = pool.endpoints.index(after) + 1
        pool.forgive(now, cool_down)

    def next(self, now: float, attempt: int) -> Endpoint | None:
        """The endpoint for this attempt (the first is 1), or None when there is none to try."""
        if self._sticky:
            endpoint = self._pool.find(self._sticky)
            if endpoint is not None and self._at_limit(endpoint):
                endpoint = None
            if self._must_be_sticky:
                return endpoint
            self._sticky = ""
            if endpoint is not None:
                self._tried = (endpoint,)
                return endpoint
        if not self._pool.endpoints:
            return None
        local = self._prefer_zone and attempt <= 1
        if self._algorithm == HASH and self._hash_value:
            return self._hashed()
        if self._algorithm == LEAST_CONNECTION:
            return self._least_connection(local)
        self._pool.forgive(now, self._cool_down)
        return self._round_robin(local)

    def _at_limit(self, endpoint: Endpoint) -> bool:
        return self._max_conns != 0 and endpoint.backend.connections >= self._max_conns

    # Round robin

    def _round_robin(self, local: bool) -> Endpoint | None:
        pool = self._pool
        if self._next < 0:
            self._next = pool.next_index()
        found = self._walk(local)
        if found is None and not pool.is_overloaded(self._max_conns):
            # A whole turn without result: every mark is forgotten, also when only the zone was to blame.
            pool.forgive_all()
            found = self._walk(False)
        return found

    def _walk(self, local: bool) -> Endpoint | None:
        endpoints, failed = self._pool.endpoints, self._pool.failed or ()
        size = len(endpoints)
        start = self._next if self._next < size else 0
        for step in range(start, start + size):
            endpoint = endpoints[step % size]
            if local and endpoint.availability_zone != self._zone:
                continue
            if endpoint.address not in failed and not self._at_limit(endpoint):
                self._next = (step + 1) % size
                return endpoint
        return None

    # Least connection

    def _least_connection(self, local: bool) -> Endpoint | None:
        usable = [e for e in self._pool.endpoints if not self._at_limit(e)]
        if local and len(self._pool.endpoints) > 1:
            usable = [e for e in usable if e.availability_zone == self._zone] or usable
        if not usable:
            return None
        least = min(e.backend.connections for e in usable)
        return self._rng.choice([e for e in usable if e.backend.connections == least])

    # Hash

    def _hashed(self) -> Endpoint | None:
        """The first endpoint from the value's slot on that has room, its share only, and was not tried by this request.

        Zones and marks do not count. A single endpoint is taken as long as it has room.
        """
        endpoints, hashing = self._pool.endpoints, self._pool.hashing
        if len(endpoints) == 1 or hashing is None:
            return endpoints[0] if not self._at_limit(endpoints[0]) else None
        for endpoint in hashing.order(endpoints, self._hash_value):
            if endpoint in self._tried or self._at_limit(endpoint) or hashing.is_imbalanced(endpoint, endpoints):
                continue
            self._tried = (*self._tried, endpoint)
            return endpoint
        return None

    def __repr__(self) -> str:
        wish = f" sticky={self._sticky}" if self._sticky else ""
        return f"<Selection from {self._pool!r} next={self._next}{wish}>"
