"""Routes, their destinations, and their bindings to route services."""

from typing import Any

from cfroute.cloud_controller.models import Destination, Route, RouteBinding
from cfroute.cloud_controller.presenters.common import identity, last_operation, metadata, to_one
from cfroute.cloud_controller.urls import Urls


def destination(destination: Destination) -> dict[str, Any]:
    return {
        **identity(destination),
        "app": {"guid": destination.app_guid, "process": {"type": destination.process_type}},
        "weight": destination.weight,
        "port": destination.port,
        "protocol": destination.protocol,
    }


def route(route: Route, urls: Urls) -> dict[str, Any]:
    path = f"/routes/{route.guid}"
    return {
        **identity(route),
        "protocol": route.protocol,
        "port": route.port or None,
        "host": route.host,
        "path": route.path,
        "url": route.url,
        "destinations": [destination(each) for each in route.destinations],
        "options": options(route.options),
        "metadata": metadata(route),
        "relationships": {"space": to_one(route.space_guid), "domain": to_one(route.domain_guid)},
        "links": {
            "self": urls.link(path),
            "space": urls.link(f"/spaces/{route.space_guid}"),
            "destinations": urls.link(f"{path}/destinations"),
            "domain": urls.link(f"/domains/{route.domain_guid}"),
        },
    }


def options(options: dict[str, Any]) -> dict[str, str]:
    """The cf CLI cannot decode a route whose options are anything but strings."""
    return {name: str(value) for name, value in options.items()}


def destinations(route: Route, urls: Urls) -> dict[str, Any]:
    path = f"/routes/{route.guid}"
    return {
        "destinations": [destination(each) for each in route.destinations],
        "links": {"self": urls.link(f"{path}/destinations"), "route": urls.link(path)},
    }


def binding(binding: RouteBinding, urls: Urls) -> dict[str, Any]:
    path = f"/service_route_bindings/{binding.guid}"
    return {
        **identity(binding),
        "route_service_url": binding.route_service_url or None,
        "last_operation": last_operation(binding),
        "metadata": metadata(binding),
        "relationships": {
            "service_instance": to_one(binding.service_instance_guid),
            "route": to_one(binding.route_guid),
        },
        "links": {
            "self": urls.link(path),
            "service_instance": urls.link(f"/service_instances/{binding.service_instance_guid}"),
            "route": urls.link(f"/routes/{binding.route_guid}"),
            **({"parameters": urls.link(f"{path}/parameters")} if binding.service_instance.managed else {}),
        },
    }
