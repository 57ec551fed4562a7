"""The endpoints of one route, and which of them a request goes to.

`Pool.pick` is the common case: round robin, first attempt, nothing marked as failed, no limits. Whatever is beyond that is
a `Selection`, one a request: further attempts, connection limits, sticky sessions, the own availability zone, least
connection.
"""

from collections.abc import Sequence
from random import Random

from cfroute.gorouter.endpoint import Endpoint

ROUND_ROBIN = "round-robin"
LEAST_CONNECTION = "least-connection"
ALGORITHMS = (ROUND_ROBIN, LEAST_CONNECTION)

ADDED = "added"
UPDATED = "updated"
UNMODIFIED = "unmodified"


class Pool:
    """The endpoints of one route, in order of registration."""

    __slots__ = (
        "_by_id",
        "_next",
        "context_path",
        "endpoints",
        "failed",
        "host",
        "load_balancing",
        "requests",
        "route_service_url",
        "sampled",
        "updated",
        "uri",
    )

    def __init__(
        self,
        uri: str,
        host: str,
        context_path: str = "/",
        *,
        load_balancing: str = ROUND_ROBIN,
        start: int = 0,
        now: float = 0.0,
    ) -> None:
        """`uri` is the route's key; `start` is any number, a random one so that routers do not walk in step."""
        self.uri = uri
        self.host = host
        self.context_path = context_path
        self.load_balancing = load_balancing
        self.route_service_url = ""
        self.requests = 0
        self.sampled = 0
        self.endpoints: list[Endpoint] = []
        self.failed: dict[str, float] = {}  # address -> when it was marked (monotonic seconds)
        self.updated = now
        # Addresses and instance ids in one index, as upstream: the last one to write a key has it.
        self._by_id: dict[str, Endpoint] = {}
        self._next = -1 - start

    @property
    def is_empty(self) -> bool:
        return not self.endpoints

    def find(self, instance_id_or_address: str) -> Endpoint | None:
        """The endpoint with that instance id, or that `host:port`."""
        return self._by_id.get(instance_id_or_address)

    def put(self, endpoint: Endpoint, now: float) -> str:
        """Register or refresh: `added`, `updated`, or `unmodified` when the modification tag is an old one."""
        known = self._by_id.get(endpoint.address)
        if known is None or known.address != endpoint.address:
            known, result = self._add(endpoint, now), ADDED
        elif known.same_as(endpoint):
            result = UPDATED
        elif known.modification_tag.is_succeeded_by(endpoint.modification_tag):
            known, result = self._replace(known, endpoint, now), UPDATED
        else:
            return UNMODIFIED
        known.refreshed = self.updated = now
        self.route_service_url = known.route_service_url
        return result

    def _add(self, endpoint: Endpoint, now: float) -> Endpoint:
        endpoint = _own(endpoint, now)
        self.endpoints.append(endpoint)
        self._by_id[endpoint.address] = endpoint
        self._by_id[endpoint.instance_id] = endpoint
        return endpoint

    def _replace(self, old: Endpoint, endpoint: Endpoint, now: float) -> Endpoint:
        new = _own(endpoint, now)
        if old.san == new.san:
            new.backend.transport = old.backend.transport
        self.endpoints[self.endpoints.index(old)] = new
        self._by_id[new.address] = new
        if old.instance_id != new.instance_id:
            self._by_id.pop(old.instance_id, None)
            self._by_id[new.instance_id] = new
        elif self._by_id.get(new.instance_id) is old:
            self._by_id[new.instance_id] = new
        return new

    def take(self, endpoints: list[Endpoint]) -> None:
        """Hold endpoints of another pool, for one request: they are not refreshed, copied or pruned here."""
        self.endpoints = endpoints
        self._by_id = {e.instance_id: e for e in endpoints} | {e.address: e for e in endpoints}

    def remove(self, endpoint: Endpoint, now: float) -> bool:
        """Unregister the endpoint with this one's address, unless the known one has a newer tag."""
        known = self._known(endpoint)
        if known is None:
            return False
        tag, other = known.modification_tag, endpoint.modification_tag
        if tag != other and not tag.is_succeeded_by(other):
            return False
        self._drop(known, now)
        return True

    def discard(self, endpoint: Endpoint, now: float) -> bool:
        """Take an endpoint out that failed for good (upstream does this to TLS endpoints only)."""
        known = self._known(endpoint)
        if known is not None:
            self._drop(known, now)
        return known is not None

    def prune(self, now: float) -> Sequence[Endpoint]:
        """Remove and return what was not refreshed within its time. TLS endpoints never expire by time."""
        stale = [e for e in self.endpoints if not e.tls and now - e.refreshed > e.ttl]
        for endpoint in stale:
            self._drop(endpoint, now)
        return stale

    def freshen(self, now: float) -> None:
        """Count every endpoint as refreshed just now."""
        for endpoint in self.endpoints:
            endpoint.refreshed = now

    def _known(self, endpoint: Endpoint) -> Endpoint | None:
        known = self._by_id.get(endpoint.address)
        return known if known is not None and known.address == endpoint.address else None

    def _drop(self, endpoint: Endpoint, now: float) -> None:
        self.endpoints.remove(endpoint)
        self._by_id.pop(endpoint.address, None)
        self._by_id.pop(endpoint.instance_id, None)
        self.failed.pop(endpoint.address, None)
        self.updated = now

    def is_overloaded(self, max_conns: int) -> bool:
        """Whether every endpoint is at the limit (0: there is none)."""
        if not max_conns or not self.endpoints:
            return False
        return all(endpoint.backend.connections >= max_conns for endpoint in self.endpoints)

    def mark_failed(self, endpoint: Endpoint, now: float) -> bool:
        """Have round robin avoid the endpoint for the cool-down. False when it is not in the pool any more."""
        if self._known(endpoint) is None:
            return False
        self.failed[endpoint.address] = now
        return True

    def forgive(self, now: float, cool_down: float) -> None:
        """Take back the marks that are older than the cool-down."""
        for address in [address for address, at in self.failed.items() if now - at > cool_down]:
            del self.failed[address]

    def pick(self) -> Endpoint | None:
        """The next endpoint by round robin; None when the pool is empty, has marks or balances otherwise."""
        endpoints = self.endpoints
        if self.failed or not endpoints or self.load_balancing == LEAST_CONNECTION:
            return None
        return endpoints[self.next_index()]

    def next_index(self) -> int:
        """The position that the next request starts from. The pool must not be empty."""
        size, index = len(self.endpoints), self._next
        if index < 0:
            index = (-1 - index) % size
        elif index >= size:  # the pool has shrunk
            index = 0
        following = index + 1
        self._next = following if following < size else 0
        return index

    def __repr__(self) -> str:
        service = f" via {self.route_service_url}" if self.route_service_url else ""
        members = ", ".join(e.address + (" failed" if e.address in self.failed else "") for e in self.endpoints)
        return f"<Pool {self.uri} {self.load_balancing} [{members}]{service}>"


def _own(endpoint: Endpoint, now: float) -> Endpoint:
    """The endpoint itself for its first route, a sibling for every further one."""
    if endpoint.pooled:
        endpoint = endpoint.for_another_route()
    endpoint.pooled = True
    endpoint.registered = now
    return endpoint


class Selection:
    """The endpoints that one request is tried on, one after the other."""

    __slots__ = (
        "_cool_down",
        "_max_conns",
        "_must_be_sticky",
        "_next",
        "_pool",
        "_prefer_zone",
        "_rng",
        "_sticky",
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
    ) -> None:
        """`after` is the endpoint that `Pool.pick` gave for the first attempt, when that one failed."""
        self._pool = pool
        self._rng = rng
        self._max_conns = max_conns
        self._cool_down = cool_down
        self._zone = zone or ""
        self._prefer_zone = prefer_zone
        self._sticky = sticky or ""
        self._must_be_sticky = must_be_sticky
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
                return endpoint
        if not self._pool.endpoints:
            return None
        local = self._prefer_zone and attempt <= 1
        if self._pool.load_balancing == LEAST_CONNECTION:
            return self._least_connection(local)
        self._pool.forgive(now, self._cool_down)
        return self._round_robin(local)

    def _at_limit(self, endpoint: Endpoint) -> bool:
        return self._max_conns != 0 and endpoint.backend.connections >= self._max_conns

    def _round_robin(self, local: bool) -> Endpoint | None:
        pool = self._pool
        if self._next < 0:
            self._next = pool.next_index()
        found = self._walk(local)
        if found is None and not pool.is_overloaded(self._max_conns):
            # A whole turn without result: every mark is forgotten, also when only the zone was to blame.
            pool.failed.clear()
            found = self._walk(False)
        return found

    def _walk(self, local: bool) -> Endpoint | None:
        endpoints, failed = self._pool.endpoints, self._pool.failed
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

    def _least_connection(self, local: bool) -> Endpoint | None:
        usable = [e for e in self._pool.endpoints if not self._at_limit(e)]
        if local and len(self._pool.endpoints) > 1:
            usable = [e for e in usable if e.availability_zone == self._zone] or usable
        if not usable:
            return None
        least = min(e.backend.connections for e in usable)
        return self._rng.choice([e for e in usable if e.backend.connections == least])

    def __repr__(self) -> str:
        wish = f" sticky={self._sticky}" if self._sticky else ""
        return f"<Selection from {self._pool!r} next={self._next}{wish}>"
