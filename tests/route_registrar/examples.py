"""Routes and configurations that are right, but for what is said."""

from typing import Any

import msgspec

from cfroute.route_registrar.config import Config, HttpRoute, TcpRoute
from cfroute.route_registrar.route_validation import route
from cfroute.route_registrar.schema import ConfigSchema, RouteSchema
from cfroute.route_registrar.validation import validate

HTTP: dict[str, Any] = {"name": "web", "host": "10.0.0.1", "port": 8080, "uris": ["a.test"], "registration_interval": "20s"}
TCP: dict[str, Any] = {
    "type": "tcp",
    "name": "tcp",
    "host": "10.0.0.2",
    "port": 1234,
    "external_port": 5678,
    "router_group": "default-tcp",
    "registration_interval": "20s",
}
API: dict[str, Any] = {
    "api_url": "http://127.0.0.1:3000",
    "oauth_url": "https://127.0.0.1:8443",
    "client_id": "c",
    "client_secret": "s",
}
NATS: dict[str, Any] = {"host": "127.0.0.1:4222", "user": "nats", "password": "pw"}


def written(*routes: dict[str, Any], **more: Any) -> ConfigSchema:
    """A configuration with these routes, as it is written; keys that are None are left out."""
    document = {"message_bus_servers": [NATS], "routing_api": API, "routes": list(routes), **more}
    return msgspec.convert(document, ConfigSchema)


def config(*routes: dict[str, Any], **more: Any) -> Config:
    return validate(written(*routes, **more))


def http_route(**more: Any) -> HttpRoute:
    made = route(msgspec.convert(_without_none(HTTP | more), RouteSchema), 0, "", 0)
    assert isinstance(made, HttpRoute)
    return made


def tcp_route(**more: Any) -> TcpRoute:
    made = route(msgspec.convert(_without_none(TCP | more), RouteSchema), 0, "", 0)
    assert isinstance(made, TcpRoute)
    return made


def _without_none(keys: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in keys.items() if value is not None}
