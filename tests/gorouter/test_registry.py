"""The routing table: what it takes, what it logs, and when it forgets."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

import pytest

from cfroute.gorouter.config_file import parse
from cfroute.gorouter.metrics.reporter import Reporter
from cfroute.gorouter.routing_table.endpoint import Endpoint, ModificationTag
from cfroute.gorouter.routing_table.registry import Registry
from cfroute.gorouter.routing_table.route_options import RouteOptions
from cfroute.logs import DEBUG, Logger
from cfroute.testing import ManualClock

if TYPE_CHECKING:
    from tests.gorouter.conftest import LogLines

Make = Callable[..., Endpoint]
MakeRegistry = Callable[..., Registry]


def prune(registry: Registry, clock: ManualClock) -> None:
    for _ in registry.prune(clock.monotonic()):
        pass


def test_a_first_registration(registry: Registry, endpoint: Make, log_lines: "LogLines") -> None:
    registry.register("A.test/X/", endpoint(8080, app="app", instance_id="i", tags={"component": "web"}))
    assert log_lines.messages() == ["route-registered", "uri-added", "endpoint-registered"]
    assert [line["log_level"] for line in log_lines] == [1, 0, 1]
    assert log_lines.data("route-registered") == [{"uri": "a.test/x"}]
    assert log_lines.data("endpoint-registered") == [
        {
            "uri": "A.test/X/",
            "route_service_url": "",
            "backend": "10.0.0.1:8080",
            "application_id": "app",
            "instance_id": "i",
            "server_cert_domain_san": "",
            "protocol": "http1",
            "modification_tag": {"guid": "", "index": 0},
            "isolation_segment": "-",
            "isTLS": False,
        }
    ]
    pool = registry.find("a.test/x")
    assert pool is not None
    assert (pool.host, pool.context_path, len(registry)) == ("A.test", "/X", 1)


def test_the_lines_of_later_registrations(registry: Registry, endpoint: Make, log_lines: "LogLines") -> None:
    registry.register("a.test", endpoint(1, modification_tag=ModificationTag("g", 2)))
    log_lines.clear()
    registry.register("a.test", endpoint(1, modification_tag=ModificationTag("g", 2)))
    registry.register("a.test", endpoint(1, modification_tag=ModificationTag("g", 1), app="old"))
    registry.register("a.test", endpoint(2))
    shown = [(line["message"], line["log_level"]) for line in log_lines]
    assert shown == [("endpoint-registered", 0), ("endpoint-not-registered", 0), ("endpoint-registered", 1)]


def test_the_counts_of_registrations_do_not_tell_a_refreshed_endpoint_from_a_changed_one(
    registry: Registry, endpoint: Make, clock: ManualClock
) -> None:
    registry.reporter = reporter = Reporter(parse(""), clock.monotonic)
    registry.register("a.test", endpoint(1, tags={"component": "web"}))
    registry.register("a.test", endpoint(1, tags={"component": "web"}))
    registry.register("a.test", endpoint(1, tags={"component": "web"}, app="b"))
    assert reporter.snapshot().counters["registry_message"] == {("added", "web"): 1, ("updated", "web"): 2}


def test_the_algorithm_of_a_route_follows_its_endpoints(registry: Registry, endpoint: Make, log_lines: "LogLines") -> None:
    registry.register("a.test", endpoint(1, options=RouteOptions("least-connection")))
    registry.register("a.test", endpoint(2))
    registry.register("a.test", endpoint(3, options=RouteOptions("magic")))
    pool = registry.find("a.test")
    assert pool is not None
    assert pool.load_balancing == "least-connection"
    message = "invalid-endpoint-load-balancing-algorithm-provided-keeping-pool-lb-algo"
    assert log_lines.data(message) == [{"endpointLBAlgorithm": "magic", "poolLBAlgorithm": "least-connection"}]


def test_a_route_that_is_balanced_by_a_hash(registry: Registry, endpoint: Make, log_lines: "LogLines") -> None:
    registry.register("a.test", endpoint(1, options=RouteOptions("hash", "X-Tenant", 1.5)))
    registry.register("a.test", endpoint(2))
    pool = registry.find("a.test")
    assert pool is not None
    assert pool.hashing is not None
    assert (pool.load_balancing, pool.hashing.header, pool.hashing.balance) == ("hash", b"X-Tenant", 1.5)
    message = "setting-pool-load-balancing-algorithm-to-that-of-an-endpoint"
    assert log_lines.data(message) == [{"endpointLBAlgorithm": "hash", "poolLBAlgorithm": "hash"}]
    registry.register("a.test", endpoint(2, options=RouteOptions("round-robin")))
    assert (pool.load_balancing, pool.hashing) == ("round-robin", None)


def test_unregister(registry: Registry, endpoint: Make, log_lines: "LogLines") -> None:
    registry.register("a.test", endpoint(1, app="app"))
    log_lines.clear()
    registry.unregister("A.test", endpoint(9))
    registry.unregister("A.test/", endpoint(1))
    registry.unregister("a.test", endpoint(1))
    assert log_lines.messages() == ["endpoint-not-unregistered", "endpoint-unregistered", "route-unregistered"]
    assert log_lines.data("endpoint-unregistered")[0]["application_id"] == ""
    assert log_lines.data("route-unregistered") == [{"uri": "a.test"}]
    assert len(registry) == 0


@pytest.mark.parametrize(
    ("mode", "accepted"),
    [("all", ["", "is1", "is2"]), ("segments", ["is1"]), ("shared-and-segments", ["", "is1"])],
)
def test_sharding(make_registry: MakeRegistry, endpoint: Make, log_lines: "LogLines", mode: str, accepted: list[str]) -> None:
    registry = make_registry(f"routing_table_sharding_mode: {mode}\nisolation_segments: [is1]")
    for segment in ("", "is1", "is2"):
        registry.register(f"{segment}.test", endpoint(1, isolation_segment=segment))
    assert sorted(pool.uri for pool in registry) == sorted(f"{segment}.test" for segment in accepted)
    registry.unregister("is2.test", endpoint(1))
    for segment in accepted:
        registry.unregister(f"{segment}.test", endpoint(1, isolation_segment=segment))
    assert len(registry) == 0


def test_pruning(registry: Registry, endpoint: Make, clock: ManualClock, log_lines: "LogLines") -> None:
    registry.register("a.test", endpoint(1, ttl=10.0))
    registry.register("a.test", endpoint(2, ttl=10.0, isolation_segment="is"))
    registry.register("b.test", endpoint(3, ttl=10.0, tls=True))
    clock.advance(11)
    registry.register("a.test", endpoint(1, ttl=10.0))
    prune(registry, clock)
    assert log_lines.data("pruned-route") == [{"uri": "a.test", "endpoints": ["10.0.0.1:2"], "isolation_segment": "is"}]
    clock.advance(11)
    prune(registry, clock)
    assert [pool.uri for pool in registry] == ["b.test"]
    assert registry.pruned == 2


def test_pruning_is_suspended_while_the_source_is_down(
    make_registry: MakeRegistry, endpoint: Make, clock: ManualClock, log_lines: "LogLines"
) -> None:
    registry = make_registry("suspend_pruning_if_nats_unavailable: true")
    registry.register("a.test", endpoint(1, ttl=10.0))
    registry.source_is_up = lambda: False
    clock.advance(100)
    prune(registry, clock)
    assert log_lines.messages()[-1] == "prune-suspended"
    registry.source_is_up = lambda: True
    prune(registry, clock)
    clock.advance(10)
    prune(registry, clock)
    assert len(registry) == 1
    clock.advance(1)
    prune(registry, clock)
    assert len(registry) == 0


def test_without_that_option_it_is_not(registry: Registry, endpoint: Make, clock: ManualClock) -> None:
    registry.register("a.test", endpoint(1, ttl=10.0))
    registry.source_is_up = lambda: False
    clock.advance(100)
    prune(registry, clock)
    assert len(registry) == 0


def test_an_emptied_pool_is_kept_for_the_empty_pool_timeout(
    make_registry: MakeRegistry, endpoint: Make, clock: ManualClock, log_lines: "LogLines"
) -> None:
    registry = make_registry("empty_pool_response_code_503: true\nempty_pool_timeout: 20s")
    registry.register("a.test", endpoint(1))
    registry.unregister("a.test", endpoint(1))
    pool = registry.lookup("a.test", "/")
    assert pool is not None
    assert pool.is_empty
    clock.advance(20)
    prune(registry, clock)
    assert len(registry) == 1
    clock.advance(0.1)
    prune(registry, clock)
    assert len(registry) == 0
    assert "route-unregistered" not in log_lines.messages()


def test_a_pool_that_its_failures_emptied_goes_with_the_next_cycle(
    registry: Registry, endpoint: Make, clock: ManualClock
) -> None:
    registry.register("a.test", failing := endpoint(1, tls=True))
    pool = registry.find("a.test")
    assert pool is not None
    assert pool.discard(failing, clock.monotonic())
    assert registry.lookup("a.test", "/") is pool
    prune(registry, clock)
    assert registry.lookup("a.test", "/") is None


class PassingClock(ManualClock):
    """A clock on which a millisecond goes by between two looks."""

    def monotonic(self) -> float:
        self.advance(0.001)
        return super().monotonic()


def test_a_large_table_is_pruned_in_short_slices(endpoint: Make, logger: Logger) -> None:
    logger.level = 3
    registry = Registry(parse(""), logger, PassingClock(), Random(1))
    for number in range(1000):
        registry.register(f"{number}.test", endpoint(number, ttl=1.0))
    steps = registry.prune(3600.0)
    next(steps)
    assert 900 < len(registry) < 1000
    registry.register("0.test", endpoint(0, ttl=3600.0))  # in between
    assert sum(1 for _ in steps) > 5
    assert [pool.uri for pool in registry] == ["0.test"]


def test_one_instance_of_an_app(registry: Registry, endpoint: Make) -> None:
    for index in "01":
        registry.register(
            "a.test", endpoint(int(index), app="g", instance_index=index, instance_id=f"i{index}", tags={"process_id": "p"})
        )
    pool = registry.find("a.test")
    assert pool is not None
    one = registry.lookup_instance(pool, "g", "1")
    assert one is not None
    assert [e.port for e in one.endpoints] == [1]
    assert one.find("i1") is one.find("10.0.0.1:1") is pool.find("i1")
    one.mark_failed(one.endpoints[0], 0.0)
    assert not pool.failed
    assert registry.lookup_instance(pool, "g", "2") is registry.lookup_instance(pool, "h", "1") is None


def test_the_instances_of_a_process(registry: Registry, endpoint: Make) -> None:
    for index in "01":
        registry.register("a.test", endpoint(int(index), instance_index=index, tags={"process_id": "p"}))
    registry.register("a.test", endpoint(9))
    pool = registry.find("a.test")
    assert pool is not None
    every, one = (registry.lookup_process_instance(pool, "p", index) for index in (None, "1"))
    assert every is not None
    assert one is not None
    assert [e.port for e in every.endpoints] == [0, 1]
    assert [e.port for e in one.endpoints] == [1]
    assert registry.lookup_process_instance(pool, "p", "7") is registry.lookup_process_instance(pool, "q") is None


def test_pruning_by_the_clock(make_registry: MakeRegistry, endpoint: Make, clock: ManualClock, logger: Logger) -> None:
    registry = make_registry("prune_stale_droplets_interval: 30s")
    registry.register("a.test", endpoint(1, ttl=29.0))

    async def scenario() -> int:
        pruning = asyncio.ensure_future(registry.prune_forever())
        await asyncio.sleep(0)
        clock.advance(30)
        for _ in range(5):
            await asyncio.sleep(0)
        pruning.cancel()
        return len(registry)

    assert logger.level == DEBUG
    assert asyncio.run(scenario()) == 0
