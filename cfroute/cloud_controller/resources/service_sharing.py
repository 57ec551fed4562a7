"""/v3/service_instances/GUID/relationships/shared_spaces: other spaces whose apps may be bound to an instance"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from cfroute.cloud_controller import feature_flags
from cfroute.cloud_controller.actions import brokered, sharing
from cfroute.cloud_controller.brokers.subjects import forwards, plan_of
from cfroute.cloud_controller.call import NO_CONTENT, Call, Reply
from cfroute.cloud_controller.endpoints import delete, get, post
from cfroute.cloud_controller.errors import SERVICE_INSTANCE_NOT_FOUND, ApiError, unprocessable
from cfroute.cloud_controller.models import App, CredentialBinding, ServiceInstance, Space
from cfroute.cloud_controller.models.services import service_shares
from cfroute.cloud_controller.offered import spaces_of
from cfroute.cloud_controller.presenters.common import to_many
from cfroute.cloud_controller.resources import trimmed

_NAME = "Service instance"
_FLAG = "service_instance_sharing"
_STATES = {
    "create": "Service instance is currently being created. It can be shared after its creation succeeded.",
    "delete": "The service instance is getting deleted.",
}


def index(call: Call) -> dict[str, Any]:
    """The spaces; `fields[…]` puts them, and their organizations, beside."""
    instance = call.the(ServiceInstance, _NAME)
    call.query.refuse_unknown(["fields"])
    answer = _shared(call, instance)
    if included := trimmed.spaces(call, instance.shared_spaces):
        answer["included"] = included
    return answer


def share(call: Call) -> dict[str, Any]:
    feature_flags.require(call, _FLAG)
    instance = call.the(ServiceInstance, _NAME)
    spaces = sharing.targets(call, "service instance", instance.name, sharing.named(call))
    _refuse_kind(instance)
    if instance.space in spaces:
        raise unprocessable(
            f"Unable to share service instance '{instance.name}' with space '{instance.space_guid}'. "
            "Service instances cannot be shared into the space where they were created."
        )
    _refuse_targets(call, instance, spaces)
    _refuse_state(instance)
    instance.shared_spaces.extend(spaces)
    call.audit("service_instance.share", instance, instance.name, instance.space_guid)
    return _shared(call, instance)


def _refuse_kind(instance: ServiceInstance) -> None:
    """Raise the reason why nobody can share such an instance."""
    if instance.route_service_url or (instance.managed and forwards(instance)):
        raise unprocessable("Route services cannot be shared.")
    if not instance.managed:
        raise unprocessable("User-provided services cannot be shared.")
    offering = plan_of(instance).offering
    if not offering.shareable:
        raise unprocessable(f"The {offering.name} service does not support service instance sharing.")


def _refuse_targets(call: Call, instance: ServiceInstance, spaces: Sequence[Space]) -> None:
    """Raise the reason why the instance cannot be shared with the first of the spaces with which it cannot."""
    plan, guids = plan_of(instance), [space.guid for space in spaces]
    same, shares = ServiceInstance.name == instance.name, service_shares.c
    there = select(ServiceInstance.space_guid).where(same, ServiceInstance.space_guid.in_(guids))
    shared = select(shares.space_guid).join(ServiceInstance).where(same, shares.space_guid.in_(guids))
    usable = select(Space.guid).where(spaces_of(plan), Space.guid.in_(guids))
    used, taken, enabled = (set(call.session.scalars(found)) for found in (there, shared, usable))
    for space in spaces:
        if not plan.active:
            raise unprocessable(f"The service instance could not be shared as the {plan.name} plan is inactive.")
        if space.guid not in enabled:
            place = f"{space.organization.name}/{space.name}"
            raise unprocessable(f"Access to service {plan.offering.name} and plan {plan.name} is not enabled in {place}.")
        if space.guid in used:
            raise unprocessable(f"A service instance called {instance.name} already exists in {space.name}.")
        if space.guid in taken:
            raise unprocessable(f"A service instance called {instance.name} has already been shared with {space.name}.")


def _refuse_state(instance: ServiceInstance) -> None:
    operation = instance.operation
    if operation is None:
        return
    if (operation.type, operation.state) == ("create", "failed"):
        raise ApiError(SERVICE_INSTANCE_NOT_FOUND, f"The service instance could not be found: {instance.name}")
    if operation.pending and operation.type in _STATES:
        raise unprocessable(_STATES[operation.type])


def unshare(call: Call) -> Reply:
    """The bindings of that space's apps go; their brokers hear of it later."""
    instance, guid = call.the(ServiceInstance, _NAME), call.path["space"]
    space = call.session.get(Space, guid)
    if space is None:
        raise unprocessable(f"Unable to unshare service instance from space {guid}. Ensure the space exists.")
    if space in instance.shared_spaces:
        bound = _bindings(instance, space)
        brokered.leave_credential_bindings(call, bound)
        for binding in call.session.scalars(select(CredentialBinding).where(bound)):
            call.session.delete(binding)
        instance.shared_spaces.remove(space)
        call.audit("service_instance.unshare", instance, instance.name, instance.space_guid)
    return NO_CONTENT


def _bindings(instance: ServiceInstance, space: Space) -> Any:
    """Which bindings of the instance are of apps in that space."""
    own = CredentialBinding.service_instance_guid == instance.guid
    return own & CredentialBinding.app_guid.in_(select(App.guid).where(App.space_guid == space.guid))


def usage_summary(call: Call) -> dict[str, Any]:
    """How many apps of each space are bound."""
    instance = call.the(ServiceInstance, _NAME)
    apps = select(App.space_guid).join(CredentialBinding, CredentialBinding.app_guid == App.guid)
    counts = Counter(call.session.scalars(apps.where(CredentialBinding.service_instance_guid == instance.guid)))
    path = f"/service_instances/{instance.guid}"
    return {
        "usage_summary": [
            {"space": {"guid": space.guid}, "bound_app_count": counts[space.guid]} for space in instance.shared_spaces
        ],
        "links": {
            "self": call.urls.link(f"{path}/relationships/shared_spaces/usage_summary"),
            "shared_spaces": call.urls.link(f"{path}/relationships/shared_spaces"),
            "service_instance": call.urls.link(path),
        },
    }


def _shared(call: Call, instance: ServiceInstance) -> dict[str, Any]:
    return to_many(instance.shared_spaces, f"/service_instances/{instance.guid}/relationships/shared_spaces", call.urls)


ENDPOINTS = (
    get("/v3/service_instances/{guid}/relationships/shared_spaces", index),
    post("/v3/service_instances/{guid}/relationships/shared_spaces", share),
    delete("/v3/service_instances/{guid}/relationships/shared_spaces/{space}", unshare),
    get("/v3/service_instances/{guid}/relationships/shared_spaces/usage_summary", usage_summary),
)
