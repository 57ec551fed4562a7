"""What routes know of a backend."""

from collections.abc import Callable

import pytest

from cfroute.gorouter.routing_table.endpoint import Endpoint, ModificationTag
from cfroute.gorouter.routing_table.route_options import RouteOptions

Make = Callable[..., Endpoint]


def test_the_headers_that_name_it_are_ready(endpoint: Make) -> None:
    made = endpoint(8080, app="app-guid", instance_id="iid", instance_index="3")
    assert made.identity == (b"app-guid", b"iid", b"3")
    assert made.identity is made.identity


def test_without_an_instance_id_its_address_stands_in(endpoint: Make) -> None:
    assert endpoint(8080).identity.instance_id == b"10.0.0.1:8080"


def test_line_breaks_cannot_end_a_header(endpoint: Make) -> None:
    assert endpoint(app="a\r\nEvil: é").identity.application_id == "a  Evil: é".encode()


@pytest.mark.parametrize(
    ("ours", "theirs", "succeeds"),
    [
        (("", 0), ("g", 5), True),
        (("g", 5), ("", 0), True),
        (("g", 5), ("h", 1), True),
        (("g", 5), ("g", 6), True),
        (("g", 5), ("g", 5), False),
        (("g", 5), ("g", 4), False),
    ],
)
def test_modification_tags(ours: tuple[str, int], theirs: tuple[str, int], succeeds: bool) -> None:
    assert ModificationTag(*ours).is_succeeded_by(ModificationTag(*theirs)) is succeeds


@pytest.mark.parametrize(
    "change",
    [
        {"app": "b"},
        {"port": 81},
        {"protocol": "http2"},
        {"san": "s"},
        {"instance_id": "i"},
        {"ttl": 5.0},
        {"route_service_url": "https://rs"},
        {"instance_index": "1"},
        {"modification_tag": ModificationTag("g", 1)},
        {"isolation_segment": "is"},
        {"tls": True},
        {"updated_at_ns": 7},
        {"options": RouteOptions("least-connection")},
        {"tags": {"component": "x"}},
    ],
)
def test_what_makes_a_registration_a_different_one(endpoint: Make, change: dict[str, object]) -> None:
    assert endpoint(tags={}).same_as(endpoint())
    assert not endpoint().same_as(endpoint(**change))


def test_the_availability_zone_is_not_compared(endpoint: Make) -> None:
    assert endpoint(availability_zone="z1").same_as(endpoint(availability_zone="z2"))


def test_routes_of_one_registration_share_the_connection_count_only(endpoint: Make) -> None:
    first = endpoint(tags={"component": "web", "process_id": "p"})
    assert first.pooled(1.0) is first
    second = first.pooled(2.0)
    assert (first.registered, second.registered) == (1.0, 2.0)
    first.connections += 1
    first.requests += 1
    assert second.connections == 1
    assert second.requests == 0
    assert (second.component, second.process_id, second.address) == ("web", "p", first.address)
    assert "10.0.0.1:8080" in repr(second)


def test_a_further_route_has_all_that_the_first_one_has(endpoint: Make) -> None:
    first = endpoint(
        *(8443, "10.0.0.2"),
        tls=True,
        protocol="http2",
        app="app",
        instance_id="i",
        instance_index="3",
        tags={"component": "web"},
        ttl=7.0,
        route_service_url="https://rs",
        isolation_segment="is",
        san="s",
        availability_zone="z",
        updated_at_ns=5,
        modification_tag=ModificationTag("g", 1),
        options=RouteOptions("hash", "H"),
    ).pooled(1.0)
    second = first.pooled(2.0)
    assert second.same_as(first)
    assert second.availability_zone == "z"
    assert second.backend is first.backend
