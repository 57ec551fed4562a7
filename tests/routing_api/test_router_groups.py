"""Router groups and their ports."""

import pytest

from cfroute.routing_api import router_groups
from cfroute.routing_api.api import RouterGroup
from cfroute.routing_api.router_groups import GroupError


@pytest.mark.statement("Routing API 8", "lists of ports that are none, each in upstream's words")
@pytest.mark.parametrize(
    ("ports", "error"),
    [
        ("1023", "Port must be between 1024 and 65535"),
        ("65536", "Port must be between 1024 and 65535"),
        ("x", "Port must be between 1024 and 65535"),
        ("2000, 2001", "Port must be between 1024 and 65535"),
        ("", "Port must be between 1024 and 65535"),
        ("٣٠٠٠", "Port must be between 1024 and 65535"),
        ("1024-", "range (1024-) requires an ending port"),
        ("-1024", "range (-1024) requires a starting port"),
        ("1-2-3", "range (1-2-3) has too many '-' separators"),
        ("3000-2000", "range (3000-2000) must be in ascending numeric order"),
        ("2000-2010,2005", "Overlapping values: [2000-2010] and 2005"),
        ("2005,2005", "Overlapping values: 2005 and 2005"),
    ],
)
def test_ports_that_are_none(ports: str, error: str) -> None:
    with pytest.raises(GroupError) as refused:
        router_groups.parse(ports)
    assert str(refused.value) == error


def test_ports() -> None:
    assert [tuple(each) for each in router_groups.parse("1024,2000-2010,65535")] == [(1024, 1024), (2000, 2010), (65535, 65535)]


@pytest.mark.statement("Routing API 8", "what a router group must have, by its type")
@pytest.mark.parametrize(
    ("group", "error"),
    [
        (RouterGroup(type="tcp"), "Missing name in router group"),
        (RouterGroup(name="n"), "Missing type in router group"),
        (RouterGroup(name="n", type="tcp"), "Missing reservable_ports in router group: n"),
        (
            RouterGroup(name="n", type="http", reservable_ports="2000"),
            "Reservable ports are not supported for router groups of type http",
        ),
        (RouterGroup(name="n", type="other", reservable_ports="1"), "Port must be between 1024 and 65535"),
        (
            RouterGroup(name="n", type="tcp", reservable_ports="5000-6666"),
            "Invalid ports. Reservable ports must not include the following reserved system component ports: [5555 6666].",
        ),
    ],
)
def test_groups_that_cannot_be(group: RouterGroup, error: str) -> None:
    with pytest.raises(GroupError) as refused:
        router_groups.check([group], [5555, 6666, 7777])
    assert str(refused.value) == error


def test_groups() -> None:
    good = [RouterGroup(name="n", type=kind, reservable_ports=ports) for kind, ports in (("http", ""), ("x", ""), ("x", "2000"))]
    router_groups.check(good, [5555])
