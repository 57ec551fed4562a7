"""The API, resource by resource."""

from cfroute.cloud_controller.endpoints import Endpoint
from cfroute.cloud_controller.resources import (
    apps,
    builds,
    catalog,
    credential_bindings,
    destinations,
    domains,
    logs,
    manifests,
    organizations,
    packages,
    platform,
    processes,
    roots,
    route_bindings,
    routes,
    service_instances,
    spaces,
    stats,
)

ENDPOINTS: tuple[Endpoint, ...] = (
    *roots.ENDPOINTS,
    *organizations.ENDPOINTS,
    *spaces.ENDPOINTS,
    *domains.ENDPOINTS,
    *routes.ENDPOINTS,
    *destinations.ENDPOINTS,
    *apps.ENDPOINTS,
    *processes.ENDPOINTS,
    *stats.ENDPOINTS,
    *packages.ENDPOINTS,
    *builds.ENDPOINTS,
    *manifests.ENDPOINTS,
    *service_instances.ENDPOINTS,
    *route_bindings.ENDPOINTS,
    *credential_bindings.ENDPOINTS,
    *platform.ENDPOINTS,
    *catalog.ENDPOINTS,
    *logs.ENDPOINTS,
)
