"""What is wrong with routes, in upstream's words."""

from typing import Any

import pytest

from cfroute.routing_api import validation
from cfroute.routing_api.errors import ApiError

from .examples import http, tcp

RM = "RouteMapping=[group:1024<->10.0.0.1:60000]"


@pytest.mark.statement("Routing API 5.2", "what an HTTP route must have, checked in upstream's order and told in its words")
@pytest.mark.parametrize(
    ("wrong", "name", "message"),
    [
        ({"route": "a?b"}, "RouteInvalidError", "Url cannot contain any of [?, #]"),
        ({"route": "a#b"}, "RouteInvalidError", "Url cannot contain any of [?, #]"),
        ({"route": ":foo"}, "RouteInvalidError", 'parse ":foo": missing protocol scheme'),
        ({"route": "a b"}, "RouteInvalidError", "Url cannot contain invalid characters"),
        ({"route_service_url": "http://s.test"}, "RouteServiceUrlInvalidError", "Route service url must use HTTPS."),
        ({"route_service_url": "https://s.test/?x"}, "RouteServiceUrlInvalidError", "Url cannot contain any of [?, #]"),
        ({"route_service_url": "https://s.test/ x"}, "RouteServiceUrlInvalidError", "Url cannot contain invalid characters"),
        ({"port": 0, "route": ""}, "RouteInvalidError", "Each route request requires a port greater than 0"),
        ({"route": "", "ip": ""}, "RouteInvalidError", "Each route request requires a valid route"),
        ({"ip": ""}, "RouteInvalidError", "Each route request requires an IP"),
        ({"ttl": 121}, "RouteInvalidError", "Max ttl is 120"),
        ({"ttl": 0}, "RouteInvalidError", "Request requires a ttl greater than 0"),
    ],
)
def test_http_routes(wrong: dict[str, Any], name: str, message: str) -> None:
    with pytest.raises(ApiError) as refused:
        validation.check_routes([http(), http(**wrong)], 120)
    assert (refused.value.status, refused.value.name, refused.value.message) == (400, name, message)


@pytest.mark.statement("Routing API 5.2", "a deletion asks neither for ttl nor for `log_guid`")
def test_http_routes_to_delete() -> None:
    validation.check_routes_to_delete([http(ttl=-1), http(ttl=1000)])
    with pytest.raises(ApiError):
        validation.check_routes_to_delete([http(ip="")])


@pytest.mark.statement(
    "Routing API 5.3", "what a TCP route must have: every failure is 400 `ProcessRequestError`, in upstream's order and words"
)
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"router_group_guid": ""},
            "Each tcp mapping requires a non empty router group guid. RouteMapping=[:1024<->10.0.0.1:60000]",
        ),
        ({"port": 0}, "Each tcp mapping requires a positive external port. RouteMapping=[group:0<->10.0.0.1:60000]"),
        ({"backend_ip": ""}, "Each tcp mapping requires a non empty backend ip. RouteMapping=[group:1024<->:60000]"),
        (
            {"backend_port": 0, "backend_tls_port": -1},
            "Each tcp mapping requires a positive backend port. RouteMapping=[group:1024<->10.0.0.1:0]",
        ),
        (
            {"backend_tls_port": 65536},
            f"Each tcp mapping with a backend TLS port requires that port to be less than or equal to 65535. {RM}",
        ),
        ({"ttl": 121}, f"Each tcp mapping requires TTL to be less than or equal to 120. {RM}"),
        ({"ttl": 0}, "Each tcp route mapping requires a ttl greater than 0"),
        ({"alpns": "h2"}, f"Each tcp mapping can define ALPNs only when TerminateFrontendTLS is enabled. {RM}"),
        ({"router_group_guid": "other"}, "router_group_guid: other not found"),
    ],
)
def test_tcp_routes(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ApiError) as refused:
        validation.check_tcp_routes([tcp(), tcp(**wrong)], {"group"}, 120)
    assert (refused.value.name, refused.value.message) == ("ProcessRequestError", f"Cannot process request: {message}")


def test_good_tcp_routes() -> None:
    good = [tcp(port=80), tcp(backend_port=0, backend_tls_port=1), tcp(alpns="h2", terminate_frontend_tls=True)]
    validation.check_tcp_routes(good, {"group"}, 120)
    validation.check_tcp_routes_to_delete([tcp(ttl=0, router_group_guid="unknown")])


@pytest.mark.statement("Routing API 15", "routes with the same port and server name agree on `terminate_frontend_tls`")
def test_routes_that_look_alike_agree_on_tls() -> None:
    ends, passes = tcp(terminate_frontend_tls=True), tcp(backend_ip="10.0.0.2")
    validation.check_frontends([ends], [tcp(port=1025), tcp(backend_sni_hostname="a"), ends])
    for present, wanted in (([ends], [passes]), ([], [ends, passes]), ([ends], [tcp(backend_sni_hostname="")])):
        with pytest.raises(ApiError, match="terminate_frontend_tls: false not allowed"):
            validation.check_frontends(present, wanted)
