"""What the Routing API says."""

import json

import pytest

from cfroute.gorouter.routing_api import client as routing_api
from cfroute.gorouter.routing_api.client import ApiError, Unauthorized
from cfroute.gorouter.routing_table.endpoint import ModificationTag

from .routing_servers import route


def test_routes_and_their_endpoints() -> None:
    body = json.dumps([route("a.test", 80, 3, route_service_url="https://s.test"), {"route": "b.test"}]).encode()
    first, second = routing_api.routes(200, body)
    assert first.identity == ("a.test", "127.0.0.1", 80)
    endpoint = routing_api.endpoint(first, 150.0)
    assert (endpoint.address, endpoint.app, endpoint.san, endpoint.ttl) == ("127.0.0.1:80", "app-a.test", "app-a.test", 120.0)
    assert (endpoint.route_service_url, endpoint.tls) == ("https://s.test", False)
    assert endpoint.modification_tag == ModificationTag("tag-of-a.test", 3)
    assert routing_api.endpoint(second, 150.0).ttl == 150.0


@pytest.mark.parametrize(("ttl", "kept"), [(None, 100.0), (0, 100.0), (60, 60.0), (100, 100.0), (101, 100.0), (-1, -1.0)])
def test_a_ttl_can_only_shorten(ttl: int | None, kept: float) -> None:
    assert routing_api.endpoint(routing_api.Route(ttl=ttl), 100.0).ttl == kept


def test_no_routes() -> None:
    assert routing_api.routes(200, b"[]\n") == routing_api.routes(200, b"null") == []


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff", b'[{"port":70000}]'])
def test_what_cannot_be_read(body: bytes) -> None:
    with pytest.raises(ApiError):
        routing_api.routes(200, body)
    with pytest.raises(ApiError):
        routing_api.route(body.decode("latin-1").strip("[]") if b"[" in body else "[]")


def test_refusals() -> None:
    assert isinstance(routing_api.refusal(401, b"x"), Unauthorized)
    assert str(routing_api.refusal(401, b"")) == "unauthorized"
    told = b'{"name":"DBCommunicationError","message":"Database unavailable"}'
    assert str(routing_api.refusal(503, told)) == "Database unavailable"
    assert str(routing_api.refusal(500, b"oops")) == str(routing_api.refusal(500, b"{}")) == "bad response: 500"
