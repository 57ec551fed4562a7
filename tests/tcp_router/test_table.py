"""What routes do to the table, one by one."""

import pytest

from cfroute.tcp_router.table import Backend, Outcome, RoutingTable

from .examples import route


@pytest.mark.statement("TCP router 7", "an unknown routing key or backend is added, and changes the configuration")
def test_what_is_new_is_a_change() -> None:
    table = RoutingTable()
    assert table.upsert(route(), 0) is Outcome.CHANGED
    assert table.upsert(route(host_port=61001), 0) is Outcome.CHANGED
    assert table.upsert(route(sni="a.test"), 0) is Outcome.CHANGED
    assert len(table) == 2
    assert set(table.at(5001)) == {"", "a.test"}
    assert table.take_changed() == {5001}
    assert table.take_changed() == set()


@pytest.mark.statement("TCP router 7", "a backend is told from others by address, port, TLS port and instance")
@pytest.mark.parametrize("differs", [{"host": "10.0.0.2"}, {"host_port": 1}, {"tls_port": 2}, {"instance_id": "i"}])
def test_what_a_backend_is(differs: dict[str, object]) -> None:
    table = RoutingTable()
    table.upsert(route(), 0)
    assert table.upsert(route(**differs), 0) is Outcome.CHANGED
    assert len(table.at(5001)[""]) == 2


@pytest.mark.statement("TCP router 7", "router group and isolation segment do not matter")
def test_what_does_not_matter() -> None:
    table = RoutingTable()
    table.upsert(route(), 0)
    assert table.upsert(route(isolation_segment="x", tag=("guid", 1)), 0) is Outcome.RENEWED


@pytest.mark.statement("TCP router 7", "a null server name is the same as an empty one")
def test_no_name() -> None:
    table = RoutingTable()
    table.upsert(route(sni=None), 0)
    assert table.upsert(route(sni="", tag=("guid", 1)), 0) is Outcome.RENEWED


@pytest.mark.statement("TCP router 7", "a known backend is renewed by a tag that succeeds the one it has, without a change")
@pytest.mark.parametrize(
    ("tag", "outcome"),
    [
        (("guid", 6), Outcome.RENEWED),
        (("guid", 5), Outcome.STALE),
        (("guid", 4), Outcome.STALE),
        (("other", 0), Outcome.RENEWED),
        (("", 0), Outcome.RENEWED),
    ],
)
def test_renewal(tag: tuple[str, int], outcome: Outcome) -> None:
    table = RoutingTable()
    table.upsert(route(tag=("guid", 5)), 0)
    table.take_changed()
    assert table.upsert(route(tag=tag, ttl=7), 100) is outcome
    assert table.take_changed() == set()
    details = table.at(5001)[""][Backend("10.0.0.1", 61000, 0, "")]
    assert (details.ttl, details.updated) == ((7, 100) if outcome is Outcome.RENEWED else (120, 0))


@pytest.mark.statement("TCP router 7", "a delete counts if its tag is the backend's or succeeds it; an empty routing key is gone")
@pytest.mark.parametrize(
    ("tag", "outcome"),
    [
        (("guid", 5), Outcome.CHANGED),
        (("guid", 6), Outcome.CHANGED),
        (("other", 0), Outcome.CHANGED),
        (("guid", 4), Outcome.STALE),
    ],
)
def test_deletion(tag: tuple[str, int], outcome: Outcome) -> None:
    table = RoutingTable()
    table.upsert(route(tag=("guid", 5)), 0)
    assert table.delete(route(tag=tag)) is outcome
    assert len(table) == (0 if outcome is Outcome.CHANGED else 1)
    assert list(table) == ([] if outcome is Outcome.CHANGED else [5001])


@pytest.mark.parametrize("unknown", [route(5002), route(sni="a.test"), route(host="10.0.0.9")])
def test_deletion_of_what_is_not_there(unknown: object) -> None:
    table = RoutingTable()
    table.upsert(route(), 0)
    table.take_changed()
    assert table.delete(unknown) is Outcome.STALE  # type: ignore[arg-type]
    assert table.take_changed() == set()


@pytest.mark.statement("TCP router 8", "a backend that was not renewed for its ttl is removed; without one, for the usual time")
def test_pruning() -> None:
    table = RoutingTable()
    table.upsert(route(5001, ttl=50), 0)
    table.upsert(route(5002, ttl=0), 0)
    table.upsert(route(5003, ttl=50), 60)
    table.take_changed()
    assert table.prune(50, 100, 0) == 0
    assert table.prune(50.1, 100, 0) == 1
    assert table.take_changed() == {5001}
    assert table.prune(100.1, 100, 0) == 1
    assert list(table) == [5003]


def test_nobody_can_be_late_while_nobody_could_be_heard() -> None:
    table = RoutingTable()
    table.upsert(route(ttl=50), 0)
    assert table.prune(100, 100, since=60) == 0
    assert table.prune(110.1, 100, since=60) == 1


def test_replacement_tells_the_ports_that_differ() -> None:
    table, other = RoutingTable(), RoutingTable()
    for port in (5001, 5002, 5003):
        table.upsert(route(port), 0)
    for port, host in ((5001, "10.0.0.1"), (5002, "10.0.0.2"), (5004, "10.0.0.1")):
        other.upsert(route(port, host), 0)
    table.take_changed()
    assert not table.same_backends(other)
    table.replace(other)
    assert table.take_changed() == {5002, 5003, 5004}
    assert sorted(table) == [5001, 5002, 5004]
