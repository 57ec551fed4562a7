"""The routing table as JSON: upstream's `/routes`, and cfroute's own `/cfroute/table`, which also tells how busy it is.

Both are made piece by piece, so that a table of a hundred thousand routes does not hold up the requests meanwhile.
"""

from bisect import bisect
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from cfroute.gorouter.routing_table.endpoint import Endpoint
from cfroute.gorouter.routing_table.pool import HASH, Pool

_WINDOW = 5.0  # seconds that a rate is the average of
_CHUNK = 500  # routes a piece, about
_SPREAD_AT_ONCE = 2000
_SAMPLED_AT_ONCE = 5000

# What Go's encoder escapes and msgspec does not; none of it can occur outside of strings.
_GO_ESCAPES = (
    (b"&", rb"\u0026"),
    (b"<", rb"\u003c"),
    (b">", rb"\u003e"),
    (b"\xe2\x80\xa8", rb"\u2028"),
    (b"\xe2\x80\xa9", rb"\u2029"),
)

_encode = msgspec.json.Encoder(order="deterministic").encode


class _UpstreamEndpoint(msgspec.Struct, omit_defaults=True):
    """An endpoint in `/routes`; what has a default is left out when it is empty. Tags are always set: theirs keeps the order."""

    address: str
    availability_zone: str
    protocol: str
    tls: bool
    ttl: int
    route_service_url: str = ""
    tags: dict[str, str] | msgspec.UnsetType | None = msgspec.UNSET
    isolation_segment: str = ""
    private_instance_id: str = ""
    server_cert_domain_san: str = ""
    load_balancing_algorithm: str = ""
    hash_header: str = ""
    hash_balance: float | None = None
    route_policy_scope: str = ""
    route_policies: list[str] = []


class Rates:
    """Requests a second, reckoned from samples of the counters.

    Only the pools that have had requests within the window are kept; for the others a sample costs one comparison.
    """

    def __init__(self) -> None:
        self._busy: dict[Pool, deque[_Sample]] = {}
        self._sampled_at = 0.0

    def sample(self, pools: Sequence[Pool], now: float) -> Iterator[None]:
        """Look at all counters; pauses now and then. Times are monotonic seconds."""
        before, self._sampled_at = self._sampled_at or now, now
        for start in range(0, len(pools), _SAMPLED_AT_ONCE):
            for pool in pools[start : start + _SAMPLED_AT_ONCE]:
                if pool.requests != pool.sampled and pool not in self._busy:
                    self._busy[pool] = deque([_Sample.earlier(pool, before)])
            yield
        for pool, samples in list(self._busy.items()):
            samples.append(_Sample.taken(pool, now))
            while len(samples) > 2 and samples[1].at <= now - _WINDOW:
                samples.popleft()
            if samples[0].requests == samples[-1].requests and samples[0].at <= now - _WINDOW:
                del self._busy[pool]

    def of(self, pool: Pool) -> float:
        """The rate of a route."""
        samples = self._busy.get(pool)
        if samples is None:
            return 0.0
        return _per_second(samples[-1].requests - samples[0].requests, samples)

    def of_endpoint(self, pool: Pool, endpoint: Endpoint) -> float:
        """The rate of one of its endpoints."""
        samples = self._busy.get(pool)
        if samples is None:
            return 0.0
        last, first = (samples[n].by_address.get(endpoint.address, 0) for n in (-1, 0))
        return _per_second(last - first, samples)


class _Sample:
    """The counters of one pool at one time."""

    __slots__ = ("at", "by_address", "requests")

    def __init__(self, at: float, requests: int, by_address: dict[str, int]) -> None:
        self.at = at
        self.requests = requests
        self.by_address = by_address

    @classmethod
    def taken(cls, pool: Pool, now: float) -> "_Sample":
        pool.sampled = pool.requests
        for endpoint in pool.endpoints:
            endpoint.sampled = endpoint.requests
        return cls.earlier(pool, now)

    @classmethod
    def earlier(cls, pool: Pool, at: float) -> "_Sample":
        """The counters when they were last looked at."""
        return cls(at, pool.sampled, {endpoint.address: endpoint.sampled for endpoint in pool.endpoints})


def _per_second(count: int, samples: deque[_Sample]) -> float:
    seconds = samples[-1].at - samples[0].at
    return round(max(count, 0) / seconds, 3) if seconds > 0 else 0.0


def upstream_routes(pools: Iterable[Pool]) -> Iterator[bytes]:
    """The pieces of `/routes`: `{"a.test":[{…}],…}`, sorted by route, with a line end. Some are empty."""

    def member(pool: Pool) -> bytes:
        return _encode(pool.uri) + b":" + _encode([_upstream(endpoint) for endpoint in pool.endpoints])

    for piece in _pieces(b"{", pools, member, b"}\n"):
        for char, escape in _GO_ESCAPES:
            if char in piece:
                piece = piece.replace(char, escape)
        yield piece


def table(router: str, time: float, pools: Iterable[Pool], rates: Rates, now: float) -> Iterator[bytes]:
    """The pieces of `/cfroute/table`. `time` is seconds since the epoch, `now` the monotonic ones."""
    head = _encode({"router": router, "time": time})[:-1] + b',"routes":['
    return _pieces(head, pools, lambda pool: _encode(_route(pool, rates, now)), b"]}\n")


def _pieces(head: bytes, pools: Iterable[Pool], member: Callable[[Pool], bytes], tail: bytes) -> Iterator[bytes]:
    start = head
    for part in _in_order(pools):
        yield start + b",".join(map(member, part)) if part else b""
        start = b"," if part else start
    yield (b"" if start == b"," else head) + tail


def _in_order(pools: Iterable[Pool]) -> Iterator[list[Pool]]:
    """The pools sorted by route, some hundreds at once. Lists on the way there may be empty.

    To sort all of them in one go would take a tenth of a second for a hundred thousand. So they are first spread over parts
    between bounds, for which a sample of the routes is taken.
    """
    every = list(pools)
    bounds = sorted(pool.uri for pool in every[:: _CHUNK // 10])[::10]
    parts: list[list[Pool]] = [[] for _ in range(len(bounds) + 1)]
    for start in range(0, len(every), _SPREAD_AT_ONCE):
        for pool in every[start : start + _SPREAD_AT_ONCE]:
            parts[bisect(bounds, pool.uri)].append(pool)
        yield []
    for part in parts:
        yield sorted(part, key=lambda pool: pool.uri)


def _tags(endpoint: Endpoint) -> dict[str, str] | None:
    return None if endpoint.tags is None else dict(endpoint.tags)


def _upstream(endpoint: Endpoint) -> _UpstreamEndpoint:
    options = endpoint.options
    hashed = options.loadbalancing == HASH
    return _UpstreamEndpoint(
        address=endpoint.address,
        availability_zone=endpoint.availability_zone,
        protocol=endpoint.protocol,
        tls=endpoint.tls,
        ttl=int(endpoint.ttl),
        route_service_url=endpoint.route_service_url,
        tags=_tags(endpoint),
        isolation_segment=endpoint.isolation_segment,
        private_instance_id=endpoint.instance_id,
        server_cert_domain_san=endpoint.san,
        load_balancing_algorithm=options.loadbalancing,
        hash_header=options.hash_header if hashed else "",
        hash_balance=options.hash_balance if hashed else None,
        route_policy_scope=options.route_policy_scope,
        route_policies=[source for source in options.route_policy_sources.split(",") if source],
    )


def _route(pool: Pool, rates: Rates, now: float) -> dict[str, Any]:
    return {
        "uri": pool.uri,
        "route_service_url": pool.route_service_url,
        "load_balancing": pool.load_balancing,
        "requests": pool.requests,
        "rate": rates.of(pool),
        "endpoints": [_endpoint(pool, endpoint, rates, now) for endpoint in pool.endpoints],
    }


def _endpoint(pool: Pool, endpoint: Endpoint, rates: Rates, now: float) -> dict[str, Any]:
    """Seconds: `age` since it was registered, `refreshed` since it was last heard of, `expires_in` until it is pruned."""
    unheard = now - endpoint.refreshed
    failed_at = (pool.failed or {}).get(endpoint.address)
    return {
        "address": endpoint.address,
        "app": endpoint.app,
        "index": endpoint.instance_index,
        "instance_id": endpoint.instance_id,
        "protocol": endpoint.protocol,
        "tls": endpoint.tls,
        "age": round(now - endpoint.registered, 3),
        "refreshed": round(unheard, 3),
        "ttl": endpoint.ttl,
        "expires_in": None if endpoint.tls else round(endpoint.ttl - unheard, 3),  # TLS endpoints do not expire
        "availability_zone": endpoint.availability_zone,
        "isolation_segment": endpoint.isolation_segment,
        "failed_for": None if failed_at is None else round(now - failed_at, 3),
        "connections": endpoint.connections,
        "requests": endpoint.requests,
        "rate": rates.of_endpoint(pool, endpoint),
        "tags": _tags(endpoint),
    }
