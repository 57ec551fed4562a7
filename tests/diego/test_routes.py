"""What is said of each kind of route, for endpoints that are reached through their cell or directly."""

from typing import Any

import msgspec
import pytest

from cfroute.diego.api import ActualLRP, DesiredLRP, ModificationTag, Port
from cfroute.diego.route_emitter.messages import InternalRegistration, Message, Registration
from cfroute.diego.route_emitter.routes import Rules
from cfroute.diego.route_emitter.table import Changes, RoutingTable
from cfroute.routing_api.api import TcpRoute

HTTP = {"cf-router": [{"hostnames": ["a"], "port": 8080, "options": {"loadbalancing": "least-connection"}}]}
INTERNAL = {"internal-router": [{"hostname": "app.apps.internal"}]}
TCP_ENTRY = {"router_group_guid": "g", "external_port": 1025, "container_port": 5222}
TCP = {"tcp-router": [TCP_ENTRY]}
PORTS = (Port(8080, 61000, 61003, 61001), Port(5222, 61001, 61004, 61002))


def desired(*, index: int = 0, **routes: Any) -> DesiredLRP:
    named = {key.replace("_", "-"): entries for key, entries in routes.items()}
    return DesiredLRP("p", "app", 3, "", "", routes=named, modification_tag=ModificationTag("e", index))


def actual(**changes: Any) -> ActualLRP:
    base = {"state": "RUNNING", "since": 17, "availability_zone": "z1", "instance_address": "10.255.0.7"}
    return ActualLRP("p", 2, "guid", "cell", "10.0.0.1", PORTS, **(base | changes))


def said(routes: dict[str, Any], lrp: ActualLRP, **rules: Any) -> list[Message]:
    table = RoutingTable(Rules(**rules))
    return table.add_endpoint(lrp, msgspec.structs.replace(desired(), routes=routes)).registrations


def tcp(**rules: Any) -> str:
    [message] = said(TCP, actual(), tcp=True, tcp_ttl=120, **rules)
    return msgspec.json.encode(message).decode()


@pytest.mark.statement("route emitter 4.3", "A TCP mapping has upstream's keys in their order; without TLS its TLS port is -1")
def test_a_tcp_mapping() -> None:
    assert tcp() == (
        '{"router_group_guid":"g","backend_port":61001,"backend_tls_port":-1,"backend_ip":"10.0.0.1","instance_id":"",'
        '"port":1025,"modification_tag":{"guid":"","index":0},"ttl":120,"isolation_segment":""}'
    )


@pytest.mark.statement("route emitter 4.3", "With tcp_enable_tls a mapping has the port of the TLS proxy and the instance's guid")
def test_a_tcp_mapping_with_tls() -> None:
    assert tcp(tcp_tls=True) == (
        '{"router_group_guid":"g","backend_port":61001,"backend_tls_port":61004,"backend_ip":"10.0.0.1","instance_id":"guid",'
        '"port":1025,"modification_tag":{"guid":"","index":0},"ttl":120,"isolation_segment":""}'
    )


@pytest.mark.statement("route emitter 4.2", "An internal route is said with two names, the instance's own address, and port 0")
def test_an_internal_route() -> None:
    [message] = said(INTERNAL, actual(), internal=True)
    assert isinstance(message, InternalRegistration)
    assert message.encode().decode() == (
        '{"host":"10.255.0.7","port":0,"uris":["app.apps.internal","2.app.apps.internal"],"app":"app",'
        '"private_instance_index":"2","endpoint_updated_at_ns":17,"tags":{"component":"route-emitter"},"availability_zone":"z1"}'
    )


@pytest.mark.statement("route emitter 4.1", "Registered directly, an endpoint has its own address and ports, and no options")
@pytest.mark.parametrize(("configured", "preferred"), [(True, "UNKNOWN"), (False, "INSTANCE")])
def test_an_endpoint_that_is_reached_directly(configured: bool, preferred: str) -> None:
    lrp = actual(preferred_address=preferred)
    http, mapping = said(HTTP | TCP, lrp, tcp=True, tcp_tls=True, direct=configured)
    assert isinstance(http, Registration)
    assert (http.host, http.port, http.tls_port, http.options) == ("10.255.0.7", 8080, 61001, {})
    assert isinstance(mapping, TcpRoute)
    assert (mapping.backend_ip, mapping.backend_port, mapping.backend_tls_port) == ("10.255.0.7", 5222, 61002)


@pytest.mark.statement("route emitter 4.1", "An endpoint that prefers its cell's address is registered with that one in any mode")
def test_an_endpoint_that_is_reached_through_its_cell() -> None:
    [http] = said(HTTP, actual(preferred_address="HOST"), direct=True)
    assert isinstance(http, Registration)
    assert (http.host, http.port, http.tls_port, bool(http.options)) == ("10.0.0.1", 61000, 61003, True)


@pytest.mark.statement("route emitter 3", "Only the kinds of routes that are enabled are told")
def test_kinds_that_are_not_wanted() -> None:
    everything = HTTP | INTERNAL | TCP
    kinds = [(Registration, "http"), (InternalRegistration, "internal"), (TcpRoute, "tcp")]
    for kind, name in kinds:
        rules = {"http": False} | {name: True}
        assert [type(message) for message in said(everything, actual(), **rules)] == [kind]


@pytest.mark.parametrize(
    "broken",
    [
        {"router_group_guid": "", "external_port": 1025, "container_port": 5222},
        {"router_group_guid": "g", "external_port": 0, "container_port": 5222},
        {"router_group_guid": "g", "external_port": 65536, "container_port": 5222},
        {"router_group_guid": "g", "external_port": 1025},
        "x",
    ],
)
def test_tcp_routes_that_the_routing_api_would_refuse_are_none(broken: object) -> None:
    """It would refuse all others of the request, too. Other kinds of routes are told all the same."""
    assert not said({"tcp-router": [TCP_ENTRY, broken]}, actual(), tcp=True)
    assert len(said(HTTP | {"tcp-router": [broken]}, actual(), tcp=True)) == 1


@pytest.mark.statement("route emitter 5", "Another external port is registered first, then the old one is taken back")
def test_another_external_port() -> None:
    table = RoutingTable(Rules(tcp=True))
    table.add_endpoint(actual(), desired(tcp_router=[TCP_ENTRY]))
    changes = table.set_routes(desired(index=1, tcp_router=[TCP_ENTRY | {"external_port": 1026}]))
    assert [route.port for route in changes.registrations if isinstance(route, TcpRoute)] == [1026]
    assert [route.port for route in changes.unregistrations if isinstance(route, TcpRoute)] == [1025]


def test_what_another_process_still_says_is_not_taken_back() -> None:
    """Two versions of a process on one cell have the same internal names at the same address, while one replaces the other."""
    table = RoutingTable(Rules(internal=True))
    table.add_endpoint(actual(), desired(internal_router=INTERNAL["internal-router"]))
    other = msgspec.structs.replace(actual(), process_guid="q", instance_guid="other")
    table.add_endpoint(other, msgspec.structs.replace(desired(internal_router=INTERNAL["internal-router"]), process_guid="q"))
    assert table.remove_routes("p") == Changes([], [])
    assert len(table.remove_endpoint(other).unregistrations) == 1
