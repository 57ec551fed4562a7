"""/v3/service_instances: user-provided ones, and those of brokers"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, select

from cfroute.cloud_controller import feature_flags
from cfroute.cloud_controller.actions import managed
from cfroute.cloud_controller.actions.metadata import set_metadata
from cfroute.cloud_controller.actions.routes import route_changed
from cfroute.cloud_controller.call import NO_CONTENT, Call, Reply
from cfroute.cloud_controller.endpoints import delete, get, patch, post
from cfroute.cloud_controller.errors import not_found, refuse_if, unprocessable
from cfroute.cloud_controller.listing import Listing, among
from cfroute.cloud_controller.models import ManagedInstance, RouteBinding, ServiceInstance, ServicePlan, Space
from cfroute.cloud_controller.presenters import services as present
from cfroute.cloud_controller.resources import trimmed
from cfroute.cloud_controller.validation import services as rules
from cfroute.cloud_controller.validation.brokers import managed_create_problems, managed_update_problems
from cfroute.cloud_controller.validation.common import related


def _in_or_shared_with(values: list[str]) -> ColumnElement[bool]:
    return ServiceInstance.space_guid.in_(values) | ServiceInstance.shared_spaces.any(Space.guid.in_(values))


LISTING = Listing(
    ServiceInstance,
    present.instance,
    {
        "names": among(ServiceInstance.name),
        "space_guids": _in_or_shared_with,
        "organization_guids": lambda values: ServiceInstance.space.has(Space.organization_guid.in_(values)),
        "type": among(ServiceInstance.type),
        "service_plan_guids": lambda values: ServiceInstance.managed.has(ManagedInstance.plan_guid.in_(values)),
        "service_plan_names": lambda values: ServiceInstance.managed.has(ManagedInstance.plan.has(ServicePlan.name.in_(values))),
    },
    order=("name",),
    accepts=("fields",),
)
_SETTINGS = ("name", "credentials", "tags", "syslog_drain_url")


def index(call: Call) -> Reply:
    """The list; `fields[…]` puts trimmed related objects beside it."""
    reply = LISTING.page(call)
    if included := trimmed.related(call, trimmed.OF_INSTANCES, [each["guid"] for each in reply.body["resources"]]):
        reply.body["included"] = included
    return reply


def create(call: Call) -> Reply:
    feature_flags.require(call, "service_instance_creation")
    body = call.body
    is_managed = body.get("type") == "managed"
    if not is_managed and body.get("type") != "user-provided":
        raise unprocessable("Type must be one of 'managed', 'user-provided'")
    refuse_if(managed_create_problems(body) if is_managed else rules.create_problems(body))
    space = call.find(Space, related(body, "space"))
    if space is None:
        raise unprocessable("Invalid space. Ensure that the space exists and you have access to it.")
    _refuse_taken(call, body["name"], space.guid)
    if is_managed:
        return managed.create(call, body, space)
    instance = ServiceInstance(space_guid=space.guid)
    _take_over(instance, body)
    call.save(instance)
    call.audit("user_provided_service_instance.create", instance, instance.name, space.guid)
    return Reply(201, present.instance(instance, call.urls))


def show(call: Call) -> dict[str, Any]:
    instance = call.the(ServiceInstance, "Service instance")
    answer = present.instance(instance, call.urls)
    if included := trimmed.related(call, trimmed.OF_INSTANCE, [instance.guid]):
        answer["included"] = included
    return answer


def update(call: Call) -> Reply:
    """Another route service URL reaches the bound routes at once."""
    instance, body = call.the(ServiceInstance, "Service instance"), call.body
    refuse_if(managed_update_problems(body) if instance.managed else rules.update_problems(body))
    if "name" in body:
        _refuse_taken(call, body["name"], instance.space_guid, instance.guid)
    return managed.update(call, instance, body) if instance.managed else _update_user_provided(call, instance, body)


def _update_user_provided(call: Call, instance: ServiceInstance, body: dict[str, Any]) -> Reply:
    bindings = _route_bindings(call, instance)
    if "route_service_url" in body and not body["route_service_url"] and bindings:
        raise unprocessable("The service instance is bound to a route and needs its route service URL")
    _take_over(instance, body)
    instance.last_operation = "update"
    for binding in bindings:
        binding.route_service_url = instance.route_service_url or ""
        route_changed(call, binding.route)
    call.session.flush()
    return Reply(200, present.instance(instance, call.urls))


def _take_over(instance: ServiceInstance, body: dict[str, Any]) -> None:
    for name in _SETTINGS:
        if name in body:
            empty: Any = {"credentials": {}, "tags": []}.get(name)
            setattr(instance, name, empty if body[name] is None else body[name])
    if "route_service_url" in body:
        instance.route_service_url = body["route_service_url"] or None
    set_metadata(instance, body)


def _refuse_taken(call: Call, name: str, space: str, but: str = "") -> None:
    taken = select(ServiceInstance.guid).where(
        ServiceInstance.space_guid == space, ServiceInstance.name == name, ServiceInstance.guid != but
    )
    if call.session.scalars(taken).first():
        raise unprocessable(f"The service instance name is taken: {name}.")


def _route_bindings(call: Call, instance: ServiceInstance) -> Sequence[RouteBinding]:
    found = select(RouteBinding).where(RouteBinding.service_instance_guid == instance.guid)
    return call.session.scalars(found).all()


def remove(call: Call) -> Reply:
    """Its bindings to routes and apps go with it."""
    instance = call.the(ServiceInstance, "Service instance")
    if instance.managed and not call.query.flag("purge"):
        return managed.remove(call, instance)
    for binding in _route_bindings(call, instance):
        route_changed(call, binding.route)
    if instance.managed:
        return managed.purge(call, instance)
    call.audit("user_provided_service_instance.delete", instance, instance.name, instance.space_guid)
    call.session.delete(instance)
    return NO_CONTENT


def credentials(call: Call) -> dict[str, Any]:
    instance = call.the(ServiceInstance, "Service instance")
    if instance.managed:
        raise not_found("Service instance")
    return instance.credentials


ENDPOINTS = (
    get("/v3/service_instances", index),
    post("/v3/service_instances", create),
    get("/v3/service_instances/{guid}", show),
    patch("/v3/service_instances/{guid}", update),
    delete("/v3/service_instances/{guid}", remove),
    get("/v3/service_instances/{guid}/credentials", credentials),
)
