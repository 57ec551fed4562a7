from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.diego.api import ActualLRP, DesiredLRP, ModificationTag, Port
from cfroute.diego.route_emitter.messages import Registration, without_time
from cfroute.diego.route_emitter.routes import Rules, routes_of
from cfroute.diego.route_emitter.table import NOTHING, Changes, RoutingTable
from cfroute.diego.route_emitter.unregistrations import Unregistrations

FRESH = ["cf-apps"]


def desired(*hostnames: str, index: int = 0, instances: int = 3, **route: Any) -> DesiredLRP:
    routes = {"cf-router": [{"hostnames": list(hostnames), "port": 8080, **route}]}
    tag = ModificationTag("e", index)
    return DesiredLRP("p", "app", instances, "", "", routes=routes, modification_tag=tag)


def actual(number: int = 0, index: int = 0, host_port: int = 0, **changes: Any) -> ActualLRP:
    port = Port(8080, host_port or 61000 + number)
    base = {"state": "RUNNING", "since": 17, "modification_tag": ModificationTag(f"i{number}", index)}
    return ActualLRP("p", number, f"guid-{number}", "cell", "10.0.0.1", (port,), **(base | changes))


def hosts(messages: list[Registration]) -> list[tuple[str, int]]:
    return sorted((message.uris[0], message.port) for message in messages)


def test_an_endpoint_of_an_unknown_process_says_nothing() -> None:
    assert RoutingTable(Rules()).add_endpoint(actual()) == NOTHING
    assert RoutingTable(Rules()).set_routes(desired("a")) == NOTHING


def test_each_route_of_each_endpoint_is_one_message() -> None:
    table = RoutingTable(Rules())
    table.add_endpoint(actual(0), desired("a", "b/path"))
    changes = table.add_endpoint(actual(1))

    assert hosts(changes.registrations) == [("a", 61001), ("b/path", 61001)]
    assert {message.endpoint_updated_at_ns for message in changes.registrations} == {17}
    assert len(table) == 4


@pytest.mark.statement("route emitter 4.1", "Only a change of the endpoint carries endpoint_updated_at_ns")
def test_a_changed_route_does_not_carry_the_time_of_the_endpoint() -> None:
    table = RoutingTable(Rules())
    table.add_endpoint(actual(), desired("a"))
    changes = table.set_routes(desired("b", index=1))

    assert hosts(changes.registrations) == [("b", 61000)]
    assert hosts(changes.unregistrations) == [("a", 61000)]
    assert all(not message.endpoint_updated_at_ns for each in changes for message in each)
    assert all(message.endpoint_updated_at_ns for message in table.registrations())


def test_another_route_service_is_registered_in_place() -> None:
    table = RoutingTable(Rules())
    table.add_endpoint(actual(), desired("a"))
    changes = table.set_routes(desired("a", index=1, route_service_url="https://rs"))

    assert [message.route_service_url for message in changes.registrations] == ["https://rs"]
    assert changes.unregistrations == []


@pytest.mark.statement("route emitter 5", "A change of options alone is told by the next periodic emit")
def test_options_alone_are_told_by_the_next_periodic_emit_only() -> None:
    table = RoutingTable(Rules())
    table.add_endpoint(actual(), desired("a"))

    assert table.set_routes(desired("a", index=1, options={"loadbalancing": "least-connection"})) == NOTHING
    assert [message.options for message in table.registrations()] == [{"loadbalancing": "least-connection"}]


@pytest.mark.statement("route emitter 5", "What does not succeed the modification tag that is known changes nothing")
def test_old_news_change_nothing() -> None:
    table = RoutingTable(Rules())
    table.add_endpoint(actual(index=5), desired("a", index=5))

    assert table.set_routes(desired("b", index=4)) == NOTHING
    assert table.set_routes(desired("b", index=5)) == NOTHING
    assert table.add_endpoint(actual(index=4, host_port=1)) == NOTHING
    assert table.remove_endpoint(actual(index=4)) == NOTHING
    assert hosts(table.remove_endpoint(actual(index=5)).unregistrations) == [("a", 61000)]


@pytest.mark.statement("route emitter 5", "Endpoints with too high an index leave when the desired LRP changes")
def test_scaling_down_drops_endpoints_at_once() -> None:
    table = RoutingTable(Rules())
    for number in range(3):
        table.add_endpoint(actual(number), desired("a"))
    changes = table.set_routes(desired("a", index=1, instances=1))

    assert hosts(changes.unregistrations) == [("a", 61001), ("a", 61002)]
    assert table.add_endpoint(actual(2, index=9)) == NOTHING


def test_an_endpoint_that_moves_is_told_anew() -> None:
    table = RoutingTable(Rules())
    table.add_endpoint(actual(), desired("a"))
    changes = table.add_endpoint(actual(index=1, host_port=61999))

    assert hosts(changes.registrations) == [("a", 61999)]
    assert hosts(changes.unregistrations) == [("a", 61000)]


@pytest.mark.statement("route emitter 5", "A sync emits the differences only")
def test_a_sync_emits_the_difference_only() -> None:
    table = RoutingTable(Rules())
    table.add_endpoint(actual(0), desired("a"))
    table.add_endpoint(actual(1))
    changes = table.swap([desired("a")], [actual(1), actual(2)], FRESH)

    assert hosts(changes.registrations) == [("a", 61002)]
    assert hosts(changes.unregistrations) == [("a", 61000)]
    assert table.swap([desired("a")], [actual(1), actual(2)], FRESH) == Changes([], [])


@pytest.mark.statement("route emitter 6", "In a sync, routes of domains that are not fresh are kept")
def test_what_is_missing_from_a_domain_that_is_not_fresh_is_kept() -> None:
    table = RoutingTable(Rules())
    table.add_endpoint(actual(0), desired("a"))

    assert table.swap([], [], []) == Changes([], [])
    assert len(table) == 1
    assert hosts(table.swap([], [], FRESH).unregistrations) == [("a", 61000)]
    assert len(table) == 0


def test_routes_for_another_port_are_not_for_this_endpoint() -> None:
    table = RoutingTable(Rules())
    table.add_endpoint(actual(), msgspec.structs.replace(desired("a"), routes={"cf-router": [{"hostnames": ["a"], "port": 9}]}))
    assert len(table) == 0


def test_routes_that_make_no_sense_are_none() -> None:
    for routes in ({}, {"cf-router": None}, {"cf-router": "x"}, {"cf-router": [{"port": "x"}]}):
        assert not list(routes_of(msgspec.structs.replace(desired(), routes=routes), Rules()))


def test_null_stands_for_nothing() -> None:
    [route] = routes_of(desired("a", route_service_url=None, protocol=None, options=None), Rules())
    assert (route.route_service_url, route.protocol, route.options) == ("", "", {})


def test_the_message_has_upstreams_keys_in_upstreams_order() -> None:
    message = Registration(
        host="1.2.3.4",
        port=65100,
        tls_port=61006,
        uris=("route-1",),
        app="some-log-guid",
        route_service_url="https://awesome.com",
        private_instance_id="iguid1",
        private_instance_index="0",
        server_cert_domain_san="iguid1",
        endpoint_updated_at_ns=1700000000000000000,
        tags={"component": "route-emitter", "some-tag": "some-value"},
        availability_zone="some-zone",
    )
    assert message.encode().decode() == (
        '{"host":"1.2.3.4","port":65100,"tls_port":61006,"uris":["route-1"],"app":"some-log-guid",'
        '"route_service_url":"https://awesome.com","private_instance_id":"iguid1","private_instance_index":"0",'
        '"server_cert_domain_san":"iguid1","endpoint_updated_at_ns":1700000000000000000,'
        '"tags":{"component":"route-emitter","some-tag":"some-value"},"availability_zone":"some-zone"}'
    )


hostnames = st.lists(st.sampled_from(["a", "b", "c/d"]), unique=True, max_size=3)
services = st.sampled_from(["", "https://rs"])
step = st.one_of(
    st.tuples(st.just("routes"), hostnames, st.integers(0, 3), services),
    st.tuples(st.just("add"), st.integers(0, 2), st.integers(61000, 61002)),
    st.tuples(st.just("remove"), st.integers(0, 2)),
    st.tuples(st.just("forget")),
    st.tuples(st.just("sync"), hostnames, st.lists(st.integers(0, 2), unique=True)),
)


@given(st.lists(step, max_size=25))
def test_a_router_that_hears_the_changes_knows_what_the_table_knows(steps: list[tuple[Any, ...]]) -> None:
    table, router, latest = RoutingTable(Rules()), dict[Any, Registration](), desired("a")
    for number, (kind, *values) in enumerate(steps, 1):
        if kind == "routes":
            latest = desired(*values[0], index=number, instances=values[1], route_service_url=values[2])
            changes = table.set_routes(latest)
        elif kind == "add":
            changes = table.add_endpoint(actual(values[0], number, values[1]), latest)
        elif kind == "remove":
            changes = table.remove_endpoint(actual(values[0], number))
        elif kind == "forget":
            changes = table.remove_routes("p")
        else:
            latest = desired(*values[0], index=number)
            changes = table.swap([latest], [actual(each, number) for each in values[1]], FRESH)
        for message in changes.registrations:
            router[message.key] = without_time(message)
        for message in changes.unregistrations:
            router.pop(message.key, None)  # two instances may have had the same address
        known = {message.key: without_time(message) for message in table.registrations()}
        assert router.keys() == known.keys()
        for identity, message in known.items():
            heard = router[identity]
            assert (heard.route_service_url, heard.app) == (message.route_service_url, message.app)


@pytest.mark.statement("route emitter 6", "A registration with the same address, uris and protocol ends the repetition")
def test_unregistrations_are_repeated_until_they_are_done_or_taken_back() -> None:
    gone = Unregistrations(2)
    first, second = (message for message in _two())
    gone.add([first, second])
    assert gone.due() == [first, second]
    gone.forget([msgspec.structs.replace(second, app="another", tags={"x": "y"})])
    assert gone.due() == [first]
    assert gone.due() == []
    assert len(gone) == 0


def _two() -> list[Registration]:
    table = RoutingTable(Rules())
    return table.add_endpoint(actual(), desired("a", "b")).registrations


def test_nothing_is_repeated_when_that_is_switched_off() -> None:
    gone = Unregistrations(0)
    gone.add(_two())
    assert len(gone) == 0
