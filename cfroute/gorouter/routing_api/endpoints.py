"""The endpoints that the Routing API's HTTP routes mean."""

from cfroute.gorouter.routing_table.endpoint import Endpoint, ModificationTag
from cfroute.routing_api.api import Route


def identity(route: Route) -> tuple[str, str, int]:
    """What tells a backend of a route from others."""
    return route.route, route.ip, route.port


def endpoint(route: Route, stale_threshold: float) -> Endpoint:
    """The backend. The application id is the name in its certificate as well; `ttl` can only shorten `stale_threshold`."""
    ttl = route.ttl
    return Endpoint(
        host=route.ip,
        port=route.port,
        app=route.log_guid,
        san=route.log_guid,
        ttl=float(ttl) if ttl and ttl <= int(stale_threshold) else stale_threshold,
        route_service_url=route.route_service_url,
        modification_tag=ModificationTag(route.modification_tag.guid, route.modification_tag.index),
    )
