"""A worker's table follows the parent's, whatever is done to that."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfroute.gorouter.config_file import parse
from cfroute.gorouter.nats.messages import RegistryMessage, to_endpoint
from cfroute.gorouter.routing_table.endpoint import Endpoint
from cfroute.gorouter.routing_table.registry import Registry
from cfroute.gorouter.routing_table.route_options import RouteOptions
from cfroute.gorouter.workers import handover
from cfroute.gorouter.workers.handover import Handover
from cfroute.gorouter.workers.journal import Journal
from cfroute.gorouter.workers.messages import Marked, Message, for_worker, packed
from cfroute.gorouter.workers.replica import Replica
from cfroute.gorouter.workers.slots import Slots
from cfroute.logs import Logger
from cfroute.testing import ManualClock


class Silent:
    """A log that nobody reads."""

    def write(self, text: str) -> None:
        """Forget it."""

    def flush(self) -> None:
        """There is nothing."""


class Pair:
    """A table and the one that follows it, by messages as they travel."""

    def __init__(self, config: str = "") -> None:
        self.clock = ManualClock()
        self.told: list[Message] = []
        self.freed: list[int] = []
        log = Logger("gorouter", stream=Silent(), clock=self.clock)
        self.parent = Registry(parse(config), log, self.clock, Random(1))
        self.copy = Registry(parse(config), log, self.clock, Random(2))
        self.replica = Replica(self.copy)
        self.following = True
        self.handover: Handover | None = None
        self.parent.journal = Journal(self.tell, Slots(1000, lambda slot: False))

    def tell(self, message: Message) -> None:
        if self.following and (self.handover is None or not self.handover.covers(message)):
            self._hear(message)

    def _hear(self, message: Message) -> None:
        self.told.append(message)
        change: Any = for_worker(packed(message)[4:])
        self.replica.apply(change, self.clock.monotonic())

    def give_all(self) -> Iterator[None]:
        """The whole table, route by route; what happens in between is told as it comes."""
        self.following = True
        self.handover = Handover(self.parent)
        for part in self.handover.parts():
            for message in part:
                self._hear(message)
            yield

    def register(self, *uris: str, port: int = 1, **values: Any) -> None:
        endpoint = to_endpoint(
            RegistryMessage(host="10.0.0.1", port=port, uris=list(uris), **values), stale_threshold=120, http2=True
        )
        for uri in uris:
            self.parent.register(uri, endpoint)


def shown(registry: Registry) -> dict[str, Any]:
    """All that requests can see of a table."""
    return {
        pool.uri: (
            pool.host,
            pool.context_path,
            pool.load_balancing,
            pool.hashing and (pool.hashing.header, pool.hashing.balance),
            pool.route_service_url,
            [described(endpoint) for endpoint in pool.endpoints],
        )
        for pool in registry
    }


def described(endpoint: Endpoint) -> tuple[Any, ...]:
    names = set(Endpoint.__slots__) - {"_identity", "backend", "refreshed", "registered", "requests", "sampled", "tags"}
    return (*(getattr(endpoint, name) for name in sorted(names)), dict(endpoint.tags or {}), endpoint.backend.slot)


def alike(pair: Pair) -> None:
    assert shown(pair.copy) == shown(pair.parent)
    by_slot: dict[int, set[int]] = {}
    for pool in pair.copy:
        for endpoint in pool.endpoints:
            by_slot.setdefault(endpoint.backend.slot, set()).add(id(endpoint.backend))
    assert all(len(backends) == 1 for backends in by_slot.values())
    for host, path in [("a.test", "/"), ("a.test", "/X/y"), ("c.test", "/"), ("b.test", "/"), ("b.test", "/y")]:
        found = [registry.lookup(host, path) for registry in (pair.parent, pair.copy)]
        assert len({pool.uri if pool is not None else None for pool in found}) == 1


def test_a_registration_with_everything() -> None:
    pair = Pair()
    options = RouteOptions("hash", "x-user", 1.5, "app", "a,b")
    pair.register("A.test/Path/", "b.test", tls_port=61000, tags={"component": "x"}, app="app", options=options, protocol="http2")
    alike(pair)
    pool = pair.copy.at("a.test/path")
    assert pool is not None
    assert (pool.host, pool.context_path, pool.endpoints[0].tls) == ("A.test", "/Path", True)
    assert pool.hashing is not None
    assert pool.hashing.header == b"X-User"
    other = pair.copy.at("b.test")
    assert other is not None
    assert other.endpoints[0].backend is pool.endpoints[0].backend


def test_a_repeated_registration_makes_no_message() -> None:
    pair = Pair()
    pair.register("a.test", "b.test")
    told = len(pair.told)
    pair.clock.advance(20)
    pair.register("a.test", "b.test")
    assert len(pair.told) == told == 2


def test_a_repeated_registration_may_change_what_holds_for_the_whole_route() -> None:
    pair = Pair()
    services = ["https://one.test", "https://two.test"]
    for _ in range(2):
        for port, service in enumerate(services):
            pair.register("a.test", port=port, route_service_url=service)
            assert shown(pair.copy)["a.test"][4] == service


def test_a_route_keeps_its_service_when_the_endpoint_that_had_it_is_gone() -> None:
    pair = Pair()
    pair.following = False
    pair.register("a.test", port=1)
    pair.register("a.test", port=2, route_service_url="https://s.test")
    pair.parent.unregister("a.test", Endpoint(host="10.0.0.1", port=2))
    for _ in pair.give_all():
        pass
    alike(pair)
    assert shown(pair.copy)["a.test"][4] == "https://s.test"


@pytest.mark.parametrize("config", ["", "empty_pool_response_code_503: true\nempty_pool_timeout: 30s"])
def test_what_is_not_heard_of_any_more(config: str) -> None:
    pair = Pair(config)
    pair.register("a.test", "b.test", port=1)
    pair.register("a.test", port=2, tls_port=2)
    pair.clock.advance(121)
    for _ in pair.parent.prune(pair.clock.monotonic()):
        pass
    alike(pair)
    [left] = shown(pair.copy)["a.test"][5]
    assert "10.0.0.1:2" in left
    assert ("b.test" in shown(pair.copy)) == bool(config)


def test_an_endpoint_that_failed_for_good() -> None:
    pair = Pair()
    pair.register("a.test", port=1, tls_port=1)
    pool = pair.parent.at("a.test")
    assert pool is not None
    assert pair.parent.discard(pool, pool.endpoints[0])
    alike(pair)
    assert not pair.parent.discard(pool, Endpoint(host="10.0.0.1", port=1))
    pair.register("a.test", port=1, tls_port=1)
    alike(pair)


def test_marks_are_passed_on() -> None:
    pair = Pair()
    pair.register("a.test", port=1)
    pair.tell(Marked("a.test", "10.0.0.1:1"))
    pair.tell(Marked("a.test", "10.0.0.1:9"))
    pair.tell(Marked("gone.test", "10.0.0.1:1"))
    pool = pair.copy.at("a.test")
    assert pool is not None
    assert pool.failed == {"10.0.0.1:1": pair.clock.monotonic()}


URIS = ["a.test", "A.test/x", "*.test", "b.test//", "b.test/y?z"]
APPS = st.sampled_from(["", "app", "other"])
REGISTER = st.fixed_dictionaries(
    {
        "uris": st.lists(st.sampled_from(URIS), min_size=1, max_size=3),
        "port": st.integers(1, 4),
        "app": APPS,
        "private_instance_id": st.sampled_from(["", "i", "j"]),
        "tls": st.booleans(),
        "route_service_url": st.sampled_from(["", "", "https://s.test"]),
        "tags": st.sampled_from([None, {}, {"component": "c"}]),
        "options": st.sampled_from(
            [RouteOptions(), RouteOptions("least-connection"), RouteOptions("hash", "X-A", 1.0), RouteOptions("hash", "X-B")]
        ),
    }
)
STEP = st.one_of(
    st.tuples(st.just("register"), REGISTER),
    st.tuples(st.just("unregister"), st.tuples(st.sampled_from(URIS), st.integers(1, 4))),
    st.tuples(st.just("discard"), st.tuples(st.sampled_from(URIS), st.integers(1, 4))),
    st.tuples(st.just("prune"), st.sampled_from([1.0, 31.0, 121.0])),
)


def do(pair: Pair, step: tuple[str, Any]) -> None:
    what, told = step
    if what == "register":
        values = {key: value for key, value in told.items() if key not in ("uris", "tls")}
        pair.register(*told["uris"], **values, tls_port=values["port"] if told["tls"] else 0)
    elif what == "unregister":
        pair.parent.unregister(told[0], Endpoint(host="10.0.0.1", port=told[1]))
    elif what == "discard":
        pool = pair.parent.find(told[0])
        if pool is not None:
            pair.parent.discard(pool, Endpoint(host="10.0.0.1", port=told[1]))
    else:
        pair.clock.advance(told)
        for _ in pair.parent.prune(pair.clock.monotonic()):
            pass


@pytest.fixture(scope="module", autouse=True)
def _one_at_once() -> Iterator[None]:
    """Tables of tests are small: their routes are handed over one by one."""
    before, handover._AT_ONCE = handover._AT_ONCE, 1  # type: ignore[misc]
    yield
    handover._AT_ONCE = before  # type: ignore[misc]


@settings(max_examples=150)
@given(
    before=st.lists(STEP, max_size=8),
    meanwhile=st.lists(STEP, max_size=8),
    after=st.lists(STEP, max_size=12),
    config=st.sampled_from(["", "empty_pool_response_code_503: true\nempty_pool_timeout: 30s"]),
)
def test_whatever_is_done(before: list[Any], meanwhile: list[Any], after: list[Any], config: str) -> None:
    """Some things are done before the copy begins, some while it is made, some later."""
    pair = Pair(config)
    pair.following = False
    for step in before:
        do(pair, step)
    snapshot = pair.give_all()
    for step in meanwhile:
        next(snapshot, None)
        do(pair, step)
    for _ in snapshot:
        pass
    alike(pair)
    for step in after:
        do(pair, step)
        alike(pair)


def test_a_failure_in_the_copy_is_told(endpoint: Callable[..., Endpoint]) -> None:
    pair = Pair()
    pair.register("a.test", port=1, tls_port=1)
    told: list[tuple[str, bool]] = []
    pair.copy.on_failure = lambda pool, failed, discarded: told.append((failed.address, discarded))
    pool = pair.copy.at("a.test")
    assert pool is not None
    apart = pool.only(pool.endpoints)
    assert pair.copy.mark_failed(apart, pool.endpoints[0])
    assert pair.copy.mark_failed(pool, pool.endpoints[0])
    assert pair.copy.discard(apart, pool.endpoints[0])
    assert pair.copy.discard(pool, pool.endpoints[0])
    assert told == [("10.0.0.1:1", False), ("10.0.0.1:1", True)]
