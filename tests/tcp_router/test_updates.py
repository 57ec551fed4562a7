"""Events, syncs and pruning, in any order."""

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cfroute.routing_api.api import DELETE, UPSERT, Event, TcpRoute
from cfroute.tcp_router.table import Backend, RoutingTable
from cfroute.tcp_router.updates import Updater

from .examples import Lines, delete, route, upsert


class Scene:
    """An updater with its table and log."""

    def __init__(self, *, exact_sync: bool = False) -> None:
        self.lines = Lines()
        self.table = RoutingTable()
        self.updater = Updater(self.table, self.lines.log, exact_sync=exact_sync)

    def sync(self, *routes: TcpRoute, now: float = 0.0) -> bool:
        self.updater.begin_sync()
        return self.updater.finish_sync(routes, now, self.lines.log.session("bulk-sync"))


@pytest.mark.statement("TCP router 5", "each event is logged as it is handled; what changes the table is brought to the engine")
def test_an_event() -> None:
    scene = Scene()
    assert scene.updater.handle(upsert(), 0)
    assert scene.lines.messages == ["handle-event.starting", "handle-event.calling-configurer", "handle-event.finished"]
    event = scene.lines.said[0][1]["event"]
    assert (event["Action"], event["TcpRouteMapping"]["port"]) == ("Upsert", 5001)


@pytest.mark.statement("TCP router 5", "an event that is neither an upsert nor a delete is ignored")
def test_an_unknown_event() -> None:
    scene = Scene()
    assert not scene.updater.handle(Event("Odd", route()), 0)
    assert "handle-event.unknown-event-action" in scene.lines.messages
    assert len(scene.table) == 0


@pytest.mark.statement("TCP router 7", "an event that is older than what is known is skipped")
def test_a_stale_event() -> None:
    scene = Scene()
    scene.updater.handle(upsert(tag=("guid", 2)), 0)
    assert not scene.updater.handle(upsert(tag=("guid", 1)), 0)
    assert not scene.updater.handle(delete(tag=("guid", 1)), 0)
    assert scene.lines.messages.count("handle-event.skipping-stale-event") == 2
    assert len(scene.table) == 1


@pytest.mark.statement("TCP router 6", "events that come while routes are fetched wait, and are applied after them")
def test_events_while_syncing() -> None:
    scene = Scene()
    scene.updater.begin_sync()
    assert not scene.updater.handle(delete(5001), 0)
    assert not scene.updater.handle(upsert(5003), 0)
    assert scene.lines.messages == ["caching-events", "caching-events"]
    assert scene.updater.finish_sync([route(5001), route(5002)], 0, scene.lines.log.session("bulk-sync"))
    assert sorted(scene.table) == [5002, 5003]
    assert ("bulk-sync.applying-cached-events", 2) in [(told, data.get("cache_size")) for told, data in scene.lines.said]


@pytest.mark.statement(
    "TCP router 6", "when the routes cannot be fetched, the table stays, and the events that waited are applied"
)
def test_a_sync_that_fails() -> None:
    scene = Scene()
    scene.sync(route(5001))
    scene.updater.begin_sync()
    scene.updater.handle(upsert(5002), 0)
    assert scene.updater.abandon_sync(0, scene.lines.log)
    assert sorted(scene.table) == [5001, 5002]
    assert not scene.updater.syncing


@pytest.mark.statement("TCP router 6", "a sync replaces the table if the number of routing keys differs")
def test_a_sync_with_fewer_routes() -> None:
    scene = Scene()
    scene.sync(route(5001), route(5002))
    assert scene.sync(route(5002))
    assert list(scene.table) == [5002]
    assert "bulk-sync.routing-table-size-discrepency" in scene.lines.messages


@pytest.mark.statement("TCP router 6", "a sync that brings nothing new changes nothing")
def test_a_sync_without_news() -> None:
    scene = Scene()
    scene.sync(route(5001))
    assert not scene.sync(route(5001))
    assert not scene.sync(route(5001, tag=("guid", 1)))


@pytest.mark.statement(
    "TCP router 17", "a backend that is not listed any more stays as long as the number of routing keys is the same"
)
def test_a_sync_with_other_backends() -> None:
    scene, exact = Scene(), Scene(exact_sync=True)
    for each in (scene, exact):
        each.sync(route(5001, "10.0.0.1"), route(5001, "10.0.0.2"))
    assert not scene.sync(route(5001, "10.0.0.1"))
    assert len(scene.table.at(5001)[""]) == 2
    assert exact.sync(route(5001, "10.0.0.1"))
    assert len(exact.table.at(5001)[""]) == 1
    assert not exact.sync(route(5001, "10.0.0.1"))


@pytest.mark.statement("TCP router 8", "pruning says when it begins and ends, and what it removed is brought to the engine")
def test_pruning() -> None:
    scene = Scene()
    scene.sync(route(ttl=10))
    assert not scene.updater.prune(10, 120)
    assert scene.updater.prune(10.1, 120)
    assert scene.lines.messages[-2:] == ["prune-stale-routes.starting", "prune-stale-routes.completed"]


def test_nothing_is_pruned_while_the_routing_api_is_away() -> None:
    scene = Scene()
    scene.sync(route(ttl=10))
    scene.updater.begin_sync()
    assert not scene.updater.prune(1000, 120)
    scene.updater.abandon_sync(1000, scene.lines.log)
    assert not scene.updater.prune(2000, 120)
    scene.sync(route(ttl=10), now=3000)
    assert not scene.updater.prune(3009, 120)
    assert scene.updater.prune(3011, 120)


class Model(RuleBasedStateMachine):
    """Against a list of what is known, which is searched for everything."""

    USUAL_TTL = 20.0

    def __init__(self) -> None:
        super().__init__()
        self.scene = Scene()
        self.now = 0.0
        self.known: list[dict[str, Any]] = []
        self.waiting: list[Event[TcpRoute]] | None = None
        self.in_touch: float | None = None
        self.shown: dict[int, dict[str, list[Backend]]] = {}

    routes = st.builds(
        route,
        st.sampled_from([5001, 5002, 5003]),
        st.sampled_from(["a", "b"]),
        st.sampled_from([1, 2]),
        sni=st.sampled_from([None, "", "x.test"]),
        ttl=st.sampled_from([0, 5, 30]),
        tag=st.tuples(st.sampled_from(["", "g", "h"]), st.integers(0, 3)),
    )
    events = st.builds(Event, st.sampled_from([UPSERT, UPSERT, DELETE, "Odd"]), routes)

    # What it should do

    def find(self, wanted: TcpRoute, among: list[dict[str, Any]]) -> dict[str, Any] | None:
        return next((each for each in among if each["place"] == place(wanted)), None)

    def put(self, told: TcpRoute, into: list[dict[str, Any]]) -> bool:
        known = self.find(told, into)
        if known is not None and not newer(told, known["route"]):
            return False
        if known is not None:
            into.remove(known)
        into.append({"place": place(told), "route": told, "at": self.now})
        return known is None

    def happen(self, event: Event[TcpRoute]) -> bool:
        if event.action == UPSERT:
            return self.put(event.route, self.known)
        known = self.find(event.route, self.known)
        if event.action != DELETE or known is None:
            return False
        if not newer(event.route, known["route"]) and event.route.modification_tag != known["route"].modification_tag:
            return False
        self.known.remove(known)
        return True

    def catch_up(self) -> bool:
        waiting, self.waiting = self.waiting or [], None
        outcomes = [self.happen(event) for event in waiting]
        return any(outcomes)

    def keys(self, among: list[dict[str, Any]]) -> int:
        return len({each["place"][:2] for each in among})

    # What happens

    @rule(event=events)
    def hears(self, event: Event[TcpRoute]) -> None:
        changed = self.scene.updater.handle(event, self.now)
        if self.waiting is not None:
            self.waiting.append(event)
            assert not changed
        else:
            assert changed == self.happen(event)

    @precondition(lambda self: self.waiting is None)
    @rule()
    def begins_to_sync(self) -> None:
        self.scene.updater.begin_sync()
        self.waiting = []

    @precondition(lambda self: self.waiting is not None)
    @rule(listed=st.lists(routes, max_size=6))
    def syncs(self, listed: list[TcpRoute]) -> None:
        changed = self.scene.updater.finish_sync(listed, self.now, self.scene.lines.log)
        outcomes = [self.put(told, self.known) for told in listed]
        expected = any(outcomes)
        fresh: list[dict[str, Any]] = []
        for told in listed:
            self.put(told, fresh)
        if self.keys(fresh) != self.keys(self.known):
            self.known, expected = fresh, True
        if self.in_touch is None:
            self.in_touch = self.now
        assert changed == (self.catch_up() or expected)

    @precondition(lambda self: self.waiting is not None)
    @rule()
    def cannot_sync(self) -> None:
        changed = self.scene.updater.abandon_sync(self.now, self.scene.lines.log)
        assert changed == self.catch_up()
        self.in_touch = None

    @rule(seconds=st.integers(0, 12))
    def waits(self, seconds: int) -> None:
        self.now += seconds

    @rule()
    def prunes(self) -> None:
        stale = []
        if self.in_touch is not None and self.waiting is None:
            since = self.in_touch
            stale = [each for each in self.known if self.now > max(each["at"], since) + (each["route"].ttl or self.USUAL_TTL)]
        self.known = [each for each in self.known if each not in stale]
        assert self.scene.updater.prune(self.now, self.USUAL_TTL) == bool(stale)

    # What is true at all times

    @invariant()
    def knows_what_it_should(self) -> None:
        table = self.scene.table
        found = [
            (port, name, backend, details.tag, details.ttl, details.updated)
            for port in table
            for name, backends in table.at(port).items()
            for backend, details in backends.items()
        ]
        expected = [(*each["place"], each["route"].modification_tag, each["route"].ttl, each["at"]) for each in self.known]
        assert sorted(found, key=str) == sorted(expected, key=str)
        assert len(table) == self.keys(self.known)

    @invariant()
    def tells_every_port_that_has_changed(self) -> None:
        table = self.scene.table
        for port in table.take_changed():
            self.shown[port] = {name: sorted(backends) for name, backends in table.at(port).items()}
        now = {port: {name: sorted(backends) for name, backends in table.at(port).items()} for port in table}
        assert {port: names for port, names in self.shown.items() if names} == now


def place(told: TcpRoute) -> tuple[int, str, Backend]:
    return (
        told.port,
        told.backend_sni_hostname or "",
        Backend(told.backend_ip, told.backend_port, told.backend_tls_port, told.instance_id),
    )


def newer(told: TcpRoute, known: TcpRoute) -> bool:
    new, old = told.modification_tag, known.modification_tag
    return "" in (new.guid, old.guid) or new.guid != old.guid or new.index > old.index


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=60, stateful_step_count=30)
