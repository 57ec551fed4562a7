"""The routing table against a naive one, for any sequence of what may happen to it."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cfroute.gorouter.config_file import parse
from cfroute.gorouter.routing_table.endpoint import Endpoint, ModificationTag
from cfroute.gorouter.routing_table.pool import Pool
from cfroute.gorouter.routing_table.registry import Registry
from cfroute.logs import Logger
from cfroute.testing import ManualClock

URIS = ("a.test", "A.test/", "a.test/x", "a.test/x/y", "a.test/X/y/?q", "b.a.test", "*.test", "*.a.test/x", "*.html", "a.test:80")
PATHS = ("/", "/x", "/x/y", "/X/y/z", "/xx", "/p.html")
HOSTS = ("a.test", "A.TEST", "b.a.test", "c.b.a.test", "d.test", "nope")
SEGMENTS = ("", "is1", "is2")
EMPTY_FOR = 20.0


@dataclass
class Known:
    """An endpoint in the naive table: what was registered, and when it was last heard of."""

    what: dict[str, Any]
    heard: float


@dataclass
class Route:
    """A route in the naive table: endpoints by address, in order, and when they last changed."""

    changed: float
    endpoints: dict[str, Known] = field(default_factory=dict)


def succeeds(new: tuple[str, int], old: tuple[str, int]) -> bool:
    return not new[0] or not old[0] or new[0] != old[0] or old[1] < new[1]


ENDPOINTS = st.fixed_dictionaries(
    {
        "port": st.integers(1, 4),
        "tls": st.booleans(),
        "app": st.sampled_from(("g1", "g2")),
        "ttl": st.sampled_from((-1.0, 30.0, 120.0)),
        "instance_id": st.sampled_from(("", "i1", "i2")),
        "isolation_segment": st.sampled_from(SEGMENTS),
        "tag": st.sampled_from((("", 0), ("g", 1), ("g", 2), ("h", 1))),
    }
)


def made(what: dict[str, Any]) -> Endpoint:
    values = {name: value for name, value in what.items() if name != "tag"}
    return Endpoint(host="10.0.0.1", modification_tag=ModificationTag(*what["tag"]), **values)


class Tables(RuleBasedStateMachine):
    """The registry and the naive table, side by side."""

    @initialize(
        mode=st.sampled_from(("all", "segments", "shared-and-segments")), suspends=st.booleans(), keeps_empty=st.booleans()
    )
    def begin(self, mode: str, suspends: bool, keeps_empty: bool) -> None:
        self.clock = ManualClock()
        settings = {
            "routing_table_sharding_mode": mode,
            "isolation_segments": "[is1]",
            "suspend_pruning_if_nats_unavailable": str(suspends).lower(),
            "empty_pool_response_code_503": str(keeps_empty).lower(),
            "empty_pool_timeout": f"{EMPTY_FOR:.0f}s",
        }
        config = parse("".join(f"{name}: {value}\n" for name, value in settings.items()))
        self.registry = Registry(config, Logger("test", 4), self.clock, Random(1))
        self.registry.source_is_up = lambda: self.up
        self.up = True
        self.suspends, self.was_suspended = suspends, False
        self.empty_for = EMPTY_FOR if keeps_empty else 0.0
        self.taken = {"all": SEGMENTS, "segments": ("is1",), "shared-and-segments": ("", "is1")}[mode]
        self.routes: dict[str, Route] = {}

    @property
    def now(self) -> float:
        return self.clock.monotonic()

    @rule(uri=st.sampled_from(URIS), what=ENDPOINTS)
    def register(self, uri: str, what: dict[str, Any]) -> None:
        self.registry.register(uri, made(what))
        if what["isolation_segment"] not in self.taken:
            return
        route = self.routes.setdefault(key(uri), Route(self.now))
        address = f"10.0.0.1:{what['port']}"
        known = route.endpoints.get(address)
        if known is not None and known.what != what and not succeeds(what["tag"], known.what["tag"]):
            return
        route.endpoints[address] = Known(what, self.now)
        route.changed = self.now

    @rule(uri=st.sampled_from(URIS), what=ENDPOINTS)
    def unregister(self, uri: str, what: dict[str, Any]) -> None:
        self.registry.unregister(uri, made(what))
        route = self.routes.get(key(uri))
        if route is None or what["isolation_segment"] not in self.taken:
            return
        address = f"10.0.0.1:{what['port']}"
        known = route.endpoints.get(address)
        if known is not None and (known.what["tag"] == what["tag"] or succeeds(what["tag"], known.what["tag"])):
            del route.endpoints[address]
            route.changed = self.now
        self.forget_empty(key(uri))

    @rule(uri=st.sampled_from(URIS), choice=st.integers(0, 3))
    def fail(self, uri: str, choice: int) -> None:
        """An endpoint fails for good, as only those with TLS do."""
        pool = self.registry.find(uri)
        if pool is None or not pool.endpoints:
            return
        gone = pool.endpoints[choice % len(pool.endpoints)]
        assert pool.discard(gone, self.now)
        route = self.routes[key(uri)]
        del route.endpoints[gone.address]
        route.changed = self.now

    @rule(seconds=st.sampled_from((1.0, 15.0, 25.0, 100.0)))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(up=st.booleans())
    def nats_comes_or_goes(self, up: bool) -> None:
        self.up = up

    @rule()
    def prune(self) -> None:
        for _ in self.registry.prune(self.now):
            pass
        if self.suspends and not self.up:
            self.was_suspended = True
            return
        for uri, route in list(self.routes.items()):
            for address, known in list(route.endpoints.items()):
                if self.was_suspended:
                    known.heard = self.now
                if not known.what["tls"] and self.now - known.heard > known.what["ttl"]:
                    del route.endpoints[address]
                    route.changed = self.now
            self.forget_empty(uri)
        self.was_suspended = False

    def forget_empty(self, uri: str) -> None:
        route = self.routes[uri]
        if not route.endpoints and (not self.empty_for or self.now - route.changed > self.empty_for):
            del self.routes[uri]

    @invariant()
    def they_hold_the_same(self) -> None:
        held = {
            pool.uri: [(e.address, e.app, e.tls, e.instance_id, e.refreshed) for e in pool.endpoints] for pool in self.registry
        }
        assert held == {
            uri: [
                (address, known.what["app"], known.what["tls"], known.what["instance_id"], known.heard)
                for address, known in route.endpoints.items()
            ]
            for uri, route in self.routes.items()
        }
        assert len(self.registry) == len(self.routes)

    @invariant()
    def they_find_the_same(self) -> None:
        for host in HOSTS:
            for path in PATHS:
                found = self.registry.lookup(host, path)
                assert (found.uri if found else None) == self.found(f"{host}{path}".lower().removesuffix("/"))

    def found(self, wanted: str) -> str | None:
        """The route for a request, found by looking at all of them again and again."""
        while True:
            match = self.match(wanted.split("/"))
            if match is not None:
                return match
            _, dot, rest = wanted.removeprefix("*.").partition(".")
            if not dot:
                return None
            wanted = f"*.{rest}"

    def match(self, segments: list[str]) -> str | None:
        beginnings = ["/".join(segments[:count]) for count in range(1, len(segments) + 1)]
        for beginning in reversed(beginnings):
            if beginning in self.routes and self.routes[beginning].endpoints:
                return beginning
        reached = [b for b in beginnings if any(uri == b or uri.startswith(f"{b}/") for uri in self.routes)]
        return reached[-1] if reached and reached[-1] in self.routes else None

    @invariant()
    def instances_are_found(self) -> None:
        for pool in self.registry:
            for endpoint in pool.endpoints:
                assert pool.find(endpoint.address) is endpoint
            for instance in ("i1", "i2"):
                check_instance(pool, instance)


def check_instance(pool: Pool, instance: str) -> None:
    """Whoever is found by an instance id is in the pool and has that id."""
    found = pool.find(instance)
    assert found is None or (found in pool.endpoints and found.instance_id == instance)


def key(uri: str) -> str:
    return uri.lower().partition("?")[0].removesuffix("/")


TestTables = Tables.TestCase
TestTables.settings = settings(max_examples=40, stateful_step_count=40)
