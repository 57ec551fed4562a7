"""/v3/service_route_bindings: routes whose requests go to a route service first"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session, joinedload

from cfroute.cloud_controller.actions import managed_bindings
from cfroute.cloud_controller.actions.metadata import change_metadata, set_metadata
from cfroute.cloud_controller.actions.routes import route_changed
from cfroute.cloud_controller.call import NO_CONTENT, Call, Reply
from cfroute.cloud_controller.endpoints import delete, get, patch, post
from cfroute.cloud_controller.errors import ALREADY_BOUND_TO_SAME, ApiError, refuse_if, unprocessable
from cfroute.cloud_controller.labels import problems as metadata_problems
from cfroute.cloud_controller.listing import Listing, among, of_guids
from cfroute.cloud_controller.models import Route, RouteBinding, ServiceInstance
from cfroute.cloud_controller.presenters import routing as present
from cfroute.cloud_controller.presenters import services
from cfroute.cloud_controller.urls import Urls
from cfroute.cloud_controller.validation.brokers import parameters_problems
from cfroute.cloud_controller.validation.common import related, relationships, unknown_fields


def _instances(_session: Session, found: Sequence[RouteBinding], urls: Urls) -> tuple[str, list[dict[str, Any]]]:
    instances = {each.service_instance_guid: each.service_instance for each in found}
    return "service_instances", [services.instance(each, urls) for each in instances.values()]


def _routes(session: Session, found: Sequence[RouteBinding], urls: Urls) -> tuple[str, list[dict[str, Any]]]:
    return "routes", [present.route(each, urls) for each in of_guids(session, Route, (each.route_guid for each in found))]


def _instance_names(values: list[str]) -> Any:
    return RouteBinding.service_instance.has(ServiceInstance.name.in_(values))


LISTING = Listing(
    RouteBinding,
    present.binding,
    {
        "route_guids": among(RouteBinding.route_guid),
        "service_instance_guids": among(RouteBinding.service_instance_guid),
        "service_instance_names": _instance_names,
    },
    loads=(joinedload(RouteBinding.service_instance),),
    includes={"service_instance": _instances, "route": _routes},
)
_NAME = "Service route binding"


def create(call: Call) -> Reply:
    body = call.body
    problems = unknown_fields(body, ("relationships", "parameters", "metadata"))
    problems += relationships(body, ("service_instance", "route"))
    refuse_if(problems + parameters_problems(body) + metadata_problems(body.get("metadata")))
    instance_guid, route_guid = related(body, "service_instance"), related(body, "route")
    instance, route = call.find(ServiceInstance, instance_guid), call.find(Route, route_guid)
    if instance is None:
        raise unprocessable(f"The service instance could not be found: {instance_guid}")
    if route is None:
        raise unprocessable(f"The route could not be found: {route_guid}")
    _refuse(call, body, instance, route)
    if instance.managed:
        reply = managed_bindings.bind_route(call, instance, route, body)
        return Reply(reply.status, headers={**reply.headers, **_warning(route)})
    binding = RouteBinding(
        route_guid=route.guid,
        service_instance_guid=instance.guid,
        route_service_url=instance.route_service_url or "",
    )
    set_metadata(binding, body)
    call.save(binding)
    call.audit("service_route_binding.create", binding, "", route.space_guid)
    route_changed(call, route)
    return Reply(201, present.binding(binding, call.urls), _warning(route))


def _refuse(call: Call, body: dict[str, Any], instance: ServiceInstance, route: Route) -> None:
    """Raise the first reason, in upstream's order, why these two cannot be bound."""
    if body.get("parameters") and not instance.managed:
        raise unprocessable("Binding parameters are not supported for user-provided service instances")
    if instance.managed:
        managed_bindings.refuse_route(instance)
    elif not instance.route_service_url:
        raise unprocessable("This service instance does not support route binding")
    if route.domain.internal:
        raise unprocessable("Route services cannot be bound to internal routes")
    if route.space_guid != instance.space_guid:
        raise unprocessable("The service instance and the route are in different spaces")
    _refuse_bound(call, instance, route)


def _refuse_bound(call: Call, instance: ServiceInstance, route: Route) -> None:
    held = route.binding
    if held is None:
        return
    other = held.service_instance_guid != instance.guid
    if other and not managed_bindings.was_not_made(held):
        raise unprocessable("A route may only be bound to a single service instance")
    managed_bindings.drop_failed(call, held)
    call.session.refresh(route, ["binding"])
    if route.binding:
        raise ApiError(ALREADY_BOUND_TO_SAME)


def _warning(route: Route) -> dict[str, str]:
    if route.protocol != "tcp":
        return {}
    return {"X-Cf-Warnings": "Route%20services%20have%20no%20effect%20on%20TCP%20routes."}


def show(call: Call) -> dict[str, Any]:
    return LISTING.included(call, call.the(RouteBinding, _NAME))


def update(call: Call) -> dict[str, Any]:
    binding = call.the(RouteBinding, _NAME)
    change_metadata(call, binding)
    return present.binding(binding, call.urls)


def remove(call: Call) -> Reply:
    binding = call.the(RouteBinding, _NAME)
    if binding.service_instance.managed:
        return managed_bindings.remove(call, "route_binding", binding)
    route = binding.route
    call.audit("service_route_binding.delete", binding, "", route.space_guid)
    route.binding = None
    route_changed(call, route)
    return NO_CONTENT


ENDPOINTS = (
    get("/v3/service_route_bindings", LISTING.page),
    post("/v3/service_route_bindings", create),
    get("/v3/service_route_bindings/{guid}", show),
    patch("/v3/service_route_bindings/{guid}", update),
    delete("/v3/service_route_bindings/{guid}", remove),
)
