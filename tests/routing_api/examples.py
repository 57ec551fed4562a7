"""Routes to test with."""

from typing import Any

from cfroute.routing_api.api import NO_TAG, Route, TcpRoute


def http(**more: Any) -> Route:
    """A good HTTP route, but for what is said."""
    values = {"route": "a.test", "port": 80, "ip": "10.0.0.1", "ttl": 60, "log_guid": "app", "modification_tag": NO_TAG}
    return Route(**{**values, **more})


def tcp(**more: Any) -> TcpRoute:
    """A good TCP route, but for what is said."""
    values: dict[str, Any] = {
        "router_group_guid": "group",
        "backend_port": 60000,
        "backend_tls_port": 0,
        "backend_ip": "10.0.0.1",
        "instance_id": "",
        "port": 1024,
        "modification_tag": NO_TAG,
        "ttl": 60,
        "isolation_segment": "",
    }
    return TcpRoute(**{**values, **more})
