"""TCP routes as the Routing API has them."""

from typing import Final

from cfroute.route_registrar.config import TcpRoute
from cfroute.routing_api import api

_INTERVALS: Final = 2.1  # that a mapping lives without being renewed
_NO_TLS: Final = -1


def mapping(route: TcpRoute, router_group_guid: str, max_ttl: float) -> api.TcpRoute:
    """The mapping of a route. It outlives two intervals, but never `max_ttl` seconds."""
    return api.TcpRoute(
        router_group_guid=router_group_guid,
        backend_port=route.port,
        backend_tls_port=_NO_TLS,
        backend_ip=route.host,
        backend_sni_hostname=route.sni_hostname or None,
        port=route.external_port,
        ttl=ttl(route.registration_interval, max_ttl),
    )


def ttl(interval: float, max_ttl: float) -> int:
    """Whole seconds, at least one."""
    return max(1, int(min(_INTERVALS * interval, max_ttl)))
