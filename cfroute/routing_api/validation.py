"""Whether routes may be kept: the first thing that is wrong with them, in upstream's order and words."""

from collections.abc import Collection, Iterable
from typing import Final

from cfroute.go.url import URLError, is_kept
from cfroute.routing_api.api import Route, TcpRoute
from cfroute.routing_api.errors import (
    ROUTE_INVALID,
    ROUTE_SERVICE_URL_INVALID,
    ApiError,
    unprocessable,
)

_LARGEST_PORT: Final = 65535


def check_routes(routes: Iterable[Route], max_ttl: int) -> None:
    """Raises ApiError unless all HTTP routes may be upserted. `max_ttl` is in seconds."""
    for route in routes:
        _check_route(route)
        if route.ttl > max_ttl:
            raise ApiError(400, ROUTE_INVALID, f"Max ttl is {max_ttl}")
        if route.ttl <= 0:
            raise ApiError(400, ROUTE_INVALID, "Request requires a ttl greater than 0")


def check_routes_to_delete(routes: Iterable[Route]) -> None:
    """Raises ApiError unless all of these could be HTTP routes."""
    for route in routes:
        _check_route(route)


def _check_route(route: Route) -> None:
    _check_url(route.route, ROUTE_INVALID)
    if route.route_service_url:
        if not route.route_service_url.startswith("https://"):
            raise ApiError(400, ROUTE_SERVICE_URL_INVALID, "Route service url must use HTTPS.")
        _check_url(route.route_service_url, ROUTE_SERVICE_URL_INVALID)
    if route.port == 0:
        raise ApiError(400, ROUTE_INVALID, "Each route request requires a port greater than 0")
    if not route.route:
        raise ApiError(400, ROUTE_INVALID, "Each route request requires a valid route")
    if not route.ip:
        raise ApiError(400, ROUTE_INVALID, "Each route request requires an IP")


def _check_url(text: str, name: str) -> None:
    if "?" in text or "#" in text:
        raise ApiError(400, name, "Url cannot contain any of [?, #]")
    try:
        kept = is_kept(text)
    except URLError as error:
        raise ApiError(400, name, str(error)) from error
    if not kept:
        raise ApiError(400, name, "Url cannot contain invalid characters")


def check_tcp_routes(routes: Iterable[TcpRoute], groups: Collection[str], max_ttl: int) -> None:
    """Raises ApiError unless all TCP routes may be upserted. `groups` are the guids of the router groups."""
    for route in routes:
        _check_tcp_route(route)
        shown = _shown(route)
        if route.ttl > max_ttl:
            raise unprocessable(f"Each tcp mapping requires TTL to be less than or equal to {max_ttl}. {shown}")
        if route.ttl <= 0:
            raise unprocessable("Each tcp route mapping requires a ttl greater than 0")
        if route.alpns and not route.terminate_frontend_tls:
            raise unprocessable(f"Each tcp mapping can define ALPNs only when TerminateFrontendTLS is enabled. {shown}")
        if route.router_group_guid not in groups:
            raise unprocessable(f"router_group_guid: {route.router_group_guid} not found")


def check_tcp_routes_to_delete(routes: Iterable[TcpRoute]) -> None:
    """Raises ApiError unless all of these could be TCP routes."""
    for route in routes:
        _check_tcp_route(route)


def _check_tcp_route(route: TcpRoute) -> None:
    shown = _shown(route)
    if not route.router_group_guid:
        raise unprocessable(f"Each tcp mapping requires a non empty router group guid. {shown}")
    if route.port == 0:
        raise unprocessable(f"Each tcp mapping requires a positive external port. {shown}")
    if not route.backend_ip:
        raise unprocessable(f"Each tcp mapping requires a non empty backend ip. {shown}")
    if route.backend_port == 0 and route.backend_tls_port <= 0:
        raise unprocessable(f"Each tcp mapping requires a positive backend port. {shown}")
    if route.backend_tls_port > _LARGEST_PORT:
        raise unprocessable(
            f"Each tcp mapping with a backend TLS port requires that port to be less than or equal to {_LARGEST_PORT}. {shown}"
        )


def _shown(route: TcpRoute) -> str:
    return f"RouteMapping=[{route.router_group_guid}:{route.port}<->{route.backend_ip}:{route.backend_port}]"


def check_frontends(present: Iterable[TcpRoute], wanted: Iterable[TcpRoute]) -> None:
    """Raises ApiError unless routes that clients cannot tell from each other agree on who ends TLS."""
    agreed = {route.front: route.terminate_frontend_tls for route in present}
    for route in wanted:
        if agreed.setdefault(route.front, route.terminate_frontend_tls) != route.terminate_frontend_tls:
            raise unprocessable(f"terminate_frontend_tls: {str(route.terminate_frontend_tls).lower()} not allowed")
