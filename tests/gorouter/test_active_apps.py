"""Which apps got requests lately."""

import json
import zlib
from collections.abc import Callable

from cfroute.gorouter.nats.active_apps import ActiveApps
from cfroute.gorouter.routing_table.endpoint import Endpoint
from cfroute.gorouter.routing_table.registry import Registry


def look(active: ActiveApps, registry: Registry) -> list[str]:
    published: list[bytes] = []
    for _ in active.look(registry, published.append):
        pass
    (payload,) = published
    apps: list[str] = json.loads(zlib.decompress(payload))
    return apps


def test_apps_that_were_asked_since_the_last_look(registry: Registry, endpoint: Callable[..., Endpoint]) -> None:
    active = ActiveApps()
    for port, app in enumerate(["a", "b", "b", ""]):
        registry.register(f"{port}.test", endpoint(port, app=app))
    assert look(active, registry) == []
    ours = [pool.endpoints[0] for port in range(4) if (pool := registry.find(f"{port}.test"))]
    for one in ours[1:]:
        one.requests += 1
    assert look(active, registry) == ["b"]
    assert look(active, registry) == []
    ours[0].requests += 3
    ours[1].requests += 1
    assert look(active, registry) == ["a", "b"]
    assert look(active, registry) == []
