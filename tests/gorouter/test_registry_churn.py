"""Routes come and go by the thousand: what they leave behind is nothing."""

import gc
from collections.abc import Callable
from random import Random

from cfroute.gorouter.routing_table.endpoint import Backend, Endpoint
from cfroute.gorouter.routing_table.pool import Pool
from cfroute.gorouter.routing_table.registry import Registry
from cfroute.gorouter.routing_table.route_options import RouteOptions
from cfroute.gorouter.routing_table.routes import _Node
from cfroute.gorouter.routing_table.selection import Selection
from cfroute.logs import Logger
from cfroute.testing import ManualClock

MakeRegistry = Callable[..., Registry]
OPTIONS = (RouteOptions(), RouteOptions("least-connection"), RouteOptions("hash", "X-Tenant", 1.5))


def alive() -> int:
    gc.collect()
    return sum(isinstance(thing, (Pool, Endpoint, Backend, _Node)) for thing in gc.get_objects())


def endpoint_of(rng: Random) -> Endpoint:
    port = rng.randrange(1, 30)
    return Endpoint(
        host="10.0.0.1",
        port=port,
        tls=port % 5 == 0,
        app=f"app-{port % 7}",
        instance_id=f"i-{port}" if port % 3 else "",
        ttl=30.0,
        tags={"component": "web", "process_id": f"p-{port % 7}"},
        options=OPTIONS[port % 3],
    )


def uri_of(rng: Random) -> str:
    host = f"{rng.choice(('', '*.'))}h{rng.randrange(40)}.test"
    return host + rng.choice(("", "/a", "/a/b", "/c/"))


def use(registry: Registry, rng: Random, now: float) -> None:
    """A request: it looks for a pool, tries two endpoints, and marks or removes the first."""
    pool = registry.lookup(f"h{rng.randrange(40)}.test", rng.choice(("/", "/a/b/c", "/x")))
    if pool is None or pool.is_empty:
        return
    selection = Selection(pool, now=now, rng=rng, max_conns=2, hash_value=b"v", sticky=rng.choice((None, "i-4")))
    tried = selection.next(now, 1)
    if tried is not None:
        tried.backend.connections += 1
        if tried.tls:
            pool.discard(tried, now)
        else:
            pool.mark_failed(tried, now)
        selection.next(now, 2)
        tried.backend.connections -= 1


def test_nothing_is_left(make_registry: MakeRegistry, clock: ManualClock, logger: Logger) -> None:
    logger.level = 4
    registry = make_registry("empty_pool_response_code_503: true\nempty_pool_timeout: 10s")
    before = alive()
    rng = Random(1)
    for step in range(20_000):
        what = rng.random()
        if what < 0.4:
            registry.register(uri_of(rng), endpoint_of(rng))
        elif what < 0.7:
            registry.unregister(uri_of(rng), endpoint_of(rng))
        elif what < 0.98:
            use(registry, rng, clock.monotonic())
        else:
            clock.advance(3)
        if step % 500 == 0:
            prune(registry, clock)
    assert len(registry) > 50
    unregister_all(registry)
    clock.advance(11)
    prune(registry, clock)
    assert len(registry) == 0
    assert list(registry) == []
    assert alive() == before


def unregister_all(registry: Registry) -> None:
    for pool in list(registry):
        for endpoint in pool.endpoints:
            registry.unregister(pool.uri, endpoint)


def prune(registry: Registry, clock: ManualClock) -> None:
    for _ in registry.prune(clock.monotonic()):
        pass
