"""Counts of requests on their way from a worker's table to its parent's."""

from collections.abc import Callable

from cfroute.gorouter.routing_table.endpoint import Endpoint
from cfroute.gorouter.routing_table.registry import Registry
from cfroute.gorouter.workers.activity import Watch, credit
from cfroute.gorouter.workers.messages import Active, Activity


def look(watch: Watch, registry: Registry) -> list[Activity]:
    return [activity for part in watch.look(list(registry)) for activity in part]


def test_what_was_busy(make_registry: Callable[..., Registry], endpoint: Callable[..., Endpoint]) -> None:
    worker, parent = make_registry(), make_registry()
    for registry in (worker, parent):
        registry.register("a.test", endpoint(1))
        registry.register("a.test", endpoint(2))
        registry.register("idle.test", endpoint(3))
    watch = Watch(lambda backend: backend.connections)
    pool = worker.at("a.test")
    assert pool is not None
    one, two = pool.endpoints
    pool.requests, one.requests, two.requests, two.connections = 5, 3, 1, 1
    found = look(watch, worker)
    assert found == [Activity("a.test", 5, [(one.address, 3), (two.address, 1)])]
    two.connections = 0
    assert look(watch, worker) == [Activity("a.test", 0, [])]  # the last response is told as well
    assert look(watch, worker) == []
    credited = list(credit(parent, Active([*found, *found, Activity("gone.test", 1, [("10.0.0.1:1", 1)])])))
    assert [(each.uri, each.requests) for each in credited] == [("a.test", 10)] * 2
    assert [each.requests for each in credited[0].endpoints] == [6, 2]


def test_an_endpoint_that_is_gone_is_not_credited(registry: Registry, endpoint: Callable[..., Endpoint]) -> None:
    registry.register("a.test", endpoint(1))
    [pool] = credit(registry, Active([Activity("a.test", 2, [("10.0.0.1:9", 2)])]))
    assert (pool.requests, pool.endpoints[0].requests) == (2, 0)
