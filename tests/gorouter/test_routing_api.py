"""The endpoints that the Routing API's routes mean."""

import msgspec
import pytest

from cfroute.gorouter.routing_api.endpoints import endpoint, identity
from cfroute.gorouter.routing_table.endpoint import ModificationTag
from cfroute.routing_api.api import Route

from .routing_servers import route


def test_routes_and_their_endpoints() -> None:
    told = msgspec.convert(route("a.test", 80, 3, route_service_url="https://s.test"), Route)
    assert identity(told) == ("a.test", "127.0.0.1", 80)
    made = endpoint(told, 150.0)
    assert (made.address, made.app, made.san, made.ttl) == ("127.0.0.1:80", "app-a.test", "app-a.test", 120.0)
    assert (made.route_service_url, made.tls) == ("https://s.test", False)
    assert made.modification_tag == ModificationTag("tag-of-a.test", 3)
    assert endpoint(Route(route="b.test"), 150.0).ttl == 150.0


@pytest.mark.parametrize(("ttl", "kept"), [(0, 100.0), (60, 60.0), (100, 100.0), (101, 100.0), (-1, -1.0)])
def test_a_ttl_can_only_shorten(ttl: int, kept: float) -> None:
    assert endpoint(Route(ttl=ttl), 100.0).ttl == kept
