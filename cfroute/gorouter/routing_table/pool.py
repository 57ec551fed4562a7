"""The endpoints of one route.

`Pool.pick` is the common way to choose one: round robin, first attempt, nothing marked as failed, no limits. Whatever is
beyond that is a `cfroute.gorouter.routing_table.selection.Selection`.

There may be hundreds of thousands of pools, most of them with one endpoint: what that one does not need is not there.
"""

from collections.abc import Sequence

from cfroute.gorouter.routing_table.endpoint import Endpoint
from cfroute.gorouter.routing_table.hashing import Hashing
from cfroute.gorouter.routing_table.route_options import RouteOptions
from cfroute.proxy.headers import canonical

ROUND_ROBIN = "round-robin"
LEAST_CONNECTION = "least-connection"
HASH = "hash"
ALGORITHMS = {name: name for name in (ROUND_ROBIN, LEAST_CONNECTION, HASH)}

ADDED = "added"
UPDATED = "updated"
REFRESHED = "refreshed"
UNMODIFIED = "unmodified"


class Pool:
    """The endpoints of one route, in order of registration."""

    __slots__ = (
        "_by_id",
        "_next",
        "context_path",
        "endpoints",
        "failed",
        "hashing",
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
        self.hashing: Hashing | None = None  # for the algorithm `hash` only
        self.route_service_url = ""
        self.requests = 0
        self.sampled = 0
        self.endpoints: tuple[Endpoint, ...] = ()
        self.failed: dict[str, float] | None = None  # address -> when it was marked (monotonic seconds); None: no marks
        self.updated = now
        # Addresses and instance ids in one index, as upstream: the last one to write a key has it. None for a single endpoint.
        self._by_id: dict[str, Endpoint] | None = None
        self._next = start

    @property
    def is_empty(self) -> bool:
        return not self.endpoints

    # Registrations

    def put(self, endpoint: Endpoint, now: float) -> str:
        """Register: `added`, `updated`, `refreshed`, or `unmodified` when the modification tag is an old one."""
        known = self._known(endpoint.address)
        if known is None:
            known, result = self._add(endpoint, now), ADDED
        elif known.same_as(endpoint):
            known.refreshed, result = now, REFRESHED
        elif known.modification_tag.is_succeeded_by(endpoint.modification_tag):
            known, result = self._replace(known, endpoint, now), UPDATED
        else:
            return UNMODIFIED
        self.updated = now
        self.route_service_url = known.route_service_url
        return result

    def _add(self, endpoint: Endpoint, now: float) -> Endpoint:
        present = self.endpoints
        endpoint = endpoint.pooled(now, present[-1] if present else None)
        self.endpoints = (*present, endpoint)
        if present:
            if self._by_id is None:
                self._by_id = _index(present)
            self._by_id[endpoint.address] = self._by_id[endpoint.instance_id] = endpoint
        return endpoint

    def _replace(self, old: Endpoint, endpoint: Endpoint, now: float) -> Endpoint:
        new = endpoint.pooled(now, old)
        if (old.san, old.tls, old.protocol) == (new.san, new.tls, new.protocol):
            new.backend.transport = old.backend.transport
        self.endpoints = tuple([new if endpoint is old else endpoint for endpoint in self.endpoints])
        if self._by_id is not None:
            self._by_id[new.address] = new
            if old.instance_id != new.instance_id:
                self._by_id.pop(old.instance_id, None)
                self._by_id[new.instance_id] = new
            elif self._by_id.get(new.instance_id) is old:
                self._by_id[new.instance_id] = new
        return new

    def balance(self, options: RouteOptions) -> None:
        """Balance as the options of a registration say. Their algorithm has to be one of ALGORITHMS."""
        self.load_balancing = ALGORITHMS[options.loadbalancing]
        if self.load_balancing != HASH:
            self.hashing = None
            return
        header, balance = canonical(options.hash_header.encode()), options.hash_balance
        if self.hashing is None or (self.hashing.header, self.hashing.balance) != (header, balance):
            self.hashing = Hashing(header, balance)

    def remove(self, endpoint: Endpoint, now: float) -> bool:
        """Unregister the endpoint with this one's address, unless the known one has a newer tag."""
        known = self._known(endpoint.address)
        if known is None:
            return False
        tag, other = known.modification_tag, endpoint.modification_tag
        if tag != other and not tag.is_succeeded_by(other):
            return False
        self._drop((known,), now)
        return True

    def discard(self, endpoint: Endpoint, now: float) -> bool:
        """Take an endpoint out that failed for good (upstream does this to TLS endpoints only)."""
        known = self._known(endpoint.address)
        if known is not None:
            self._drop((known,), now)
        return known is not None

    def prune(self, now: float) -> Sequence[Endpoint]:
        """Remove and return what was not refreshed within its time. TLS endpoints never expire by time."""
        stale = [e for e in self.endpoints if not e.tls and now - e.refreshed > e.ttl]
        if stale:
            self._drop(stale, now)
        return stale

    def freshen(self, now: float) -> None:
        """Count every endpoint as refreshed just now."""
        for endpoint in self.endpoints:
            endpoint.refreshed = now

    def _drop(self, gone: Sequence[Endpoint], now: float) -> None:
        leaving = frozenset(gone)
        self.endpoints = tuple([endpoint for endpoint in self.endpoints if endpoint not in leaving])
        if len(self.endpoints) < 2:
            self._by_id = None
        for endpoint in gone:
            if self._by_id is not None:
                self._by_id.pop(endpoint.address, None)
                self._by_id.pop(endpoint.instance_id, None)
            if self.failed is not None:
                self.failed.pop(endpoint.address, None)
        self.failed = self.failed or None
        self.updated = now

    # Looking up

    def find(self, instance_id_or_address: str) -> Endpoint | None:
        """The endpoint with that instance id, or that `host:port`."""
        if self._by_id is not None:
            return self._by_id.get(instance_id_or_address)
        for endpoint in self.endpoints:
            if instance_id_or_address in (endpoint.instance_id, endpoint.address):
                return endpoint
        return None

    def _known(self, address: str) -> Endpoint | None:
        known = self._by_id.get(address) if self._by_id is not None else self.endpoints[0] if self.endpoints else None
        return known if known is not None and known.address == address else None

    def only(self, endpoints: tuple[Endpoint, ...], start: int = 0) -> "Pool":
        """A pool like this with only these of its endpoints, for one request: nothing is refreshed or pruned there, and
        marks made in it are forgotten with it. `start` is as for every pool.
        """
        pool = Pool(self.uri, self.host, self.context_path, load_balancing=self.load_balancing, start=start)
        pool.hashing = self.hashing and Hashing(self.hashing.header, self.hashing.balance)
        pool.route_service_url = self.route_service_url
        pool.endpoints = endpoints
        pool._by_id = _index(endpoints) if len(endpoints) > 1 else None
        return pool

    def is_overloaded(self, max_conns: int) -> bool:
        """Whether every endpoint is at the limit (0: there is none)."""
        if not max_conns or not self.endpoints:
            return False
        return all(endpoint.backend.connections >= max_conns for endpoint in self.endpoints)

    # Marks

    def mark_failed(self, endpoint: Endpoint, now: float) -> bool:
        """Have round robin avoid the endpoint for the cool-down. False when it is not in the pool any more."""
        if self._known(endpoint.address) is None:
            return False
        if self.failed is None:
            self.failed = {}
        self.failed[endpoint.address] = now
        return True

    def forgive(self, now: float, cool_down: float) -> None:
        """Take back the marks that are older than the cool-down."""
        if self.failed is not None:
            self.failed = {address: at for address, at in self.failed.items() if now - at <= cool_down} or None

    def forgive_all(self) -> None:
        """Take back all marks."""
        self.failed = None

    # Round robin

    def pick(self) -> Endpoint | None:
        """The next endpoint by round robin; None when the pool is empty, has marks or balances otherwise."""
        endpoints = self.endpoints
        if self.failed is not None or not endpoints or self.load_balancing != ROUND_ROBIN:
            return None
        if len(endpoints) == 1:
            return endpoints[0]
        return endpoints[self.next_index()]

    def next_index(self) -> int:
        """The position that the next request starts from. The pool must not be empty."""
        size = len(self.endpoints)
        index = self._next % size  # more than the size: it has shrunk, or this is the start that was given
        self._next = index + 1 if index + 1 < size else 0
        return index

    def __repr__(self) -> str:
        service = f" via {self.route_service_url}" if self.route_service_url else ""
        failed = self.failed or {}
        members = ", ".join(e.address + (" failed" if e.address in failed else "") for e in self.endpoints)
        return f"<Pool {self.uri} {self.load_balancing} [{members}]{service}>"


def _index(endpoints: Sequence[Endpoint]) -> dict[str, Endpoint]:
    return {e.instance_id: e for e in endpoints} | {e.address: e for e in endpoints}
