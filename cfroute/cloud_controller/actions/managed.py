"""Managed service instances: what is asked of their brokers."""

from typing import Any

from sqlalchemy import delete, select

from cfroute.cloud_controller.actions import brokered, quotas
from cfroute.cloud_controller.actions.metadata import set_metadata
from cfroute.cloud_controller.call import NO_CONTENT, Call, Reply
from cfroute.cloud_controller.errors import (
    NO_UPGRADES,
    OTHER_VERSION,
    PLAN_NOT_UPDATEABLE,
    SHARED_NOT_RENAMED,
    UPGRADE_AND_PLAN,
    ApiError,
    unprocessable,
)
from cfroute.cloud_controller.models import ManagedInstance, Operation, ServiceInstance, ServicePlan, Space
from cfroute.cloud_controller.offered import in_spaces
from cfroute.cloud_controller.presenters import services as present
from cfroute.cloud_controller.validation.common import related

_NO_PLAN = "Invalid service plan. Ensure that the service plan exists, is available, and you have access to it."


def create(call: Call, body: dict[str, Any], space: Space) -> Reply:
    """The instance is there at once; whether it can be used, its last operation says."""
    plan = _plan(call, related(body, "service_plan"), space)
    quotas.refuse_excess(call, space, total_service_instances=1)
    quotas.refuse_paid(call, space, plan)
    brokered.refuse_without_brokers(call)
    instance = ServiceInstance(name=body["name"], type="managed", space_guid=space.guid, tags=body.get("tags") or [])
    instance.managed = ManagedInstance(plan_guid=plan.guid, maintenance_info=plan.maintenance_info)
    set_metadata(instance, body)
    call.save(instance)
    call.audit("service_instance.create", instance, instance.name, space.guid)
    return brokered.begin(call, "instance", instance.guid, "create", parameters=body.get("parameters"))


def _plan(call: Call, guid: str | None, space: Space) -> ServicePlan:
    """The plan, if the space may use it. Raises 10008."""
    usable = select(ServicePlan).where(ServicePlan.guid == guid, in_spaces([space.guid]))
    plan = call.session.scalars(usable).first()
    if plan is None and call.user.admin:  # who sees every plan may use every plan
        plan = call.session.get(ServicePlan, guid)
    if plan is None or not plan.available:
        raise unprocessable(_NO_PLAN)
    return plan


def update(call: Call, instance: ServiceInstance, body: dict[str, Any]) -> Reply:
    """The broker is asked for another plan and other parameters, and told of another name if it wants to know."""
    assert instance.managed is not None
    brokered.refuse_busy(instance)
    if "name" in body and instance.shared_spaces:
        raise ApiError(SHARED_NOT_RENAMED)
    own = instance.managed.plan
    changes: dict[str, Any] = {key: body[key] for key in ("name", "tags") if key in body}
    if "tags" in changes:
        changes["tags"] = changes["tags"] or []
    if (plan := _other_plan(call, instance, body)) is not None:
        if body.get("maintenance_info"):
            raise ApiError(UPGRADE_AND_PLAN)
        changes |= {"plan_guid": plan.guid, "maintenance_info": plan.maintenance_info}
    elif body.get("maintenance_info"):
        changes |= _upgrade(instance.managed, body["maintenance_info"]["version"])
    set_metadata(instance, body)
    call.audit("service_instance.update", instance, instance.name, instance.space_guid)
    renamed = "name" in changes and own.offering.allow_context_updates
    if "maintenance_info" in changes or body.get("parameters") is not None or renamed:
        brokered.refuse_without_brokers(call)
        return brokered.begin(call, "instance", instance.guid, "update", parameters=body.get("parameters"), changes=changes)
    for name, value in changes.items():
        setattr(instance, name, value)
    call.session.flush()
    return Reply(200, present.instance(instance, call.urls))


def _other_plan(call: Call, instance: ServiceInstance, body: dict[str, Any]) -> ServicePlan | None:
    assert instance.managed is not None
    wanted, own = related(body, "service_plan"), instance.managed.plan
    if wanted is None or wanted == own.guid:
        return None
    plan = _plan(call, wanted, instance.space)
    if plan.offering_guid != own.offering_guid:
        raise unprocessable(_NO_PLAN)
    if not own.is_updateable:
        raise ApiError(PLAN_NOT_UPDATEABLE)
    return plan


def _upgrade(managed: ManagedInstance, wanted: str) -> dict[str, Any]:
    """What changes when the instance gets that version: nothing, if it has it already."""
    offered = managed.plan.maintenance_info
    if not offered:
        raise ApiError(NO_UPGRADES)
    if wanted == managed.maintenance_info.get("version"):
        return {}
    if wanted != offered.get("version"):
        raise ApiError(OTHER_VERSION)
    return {"maintenance_info": offered}


def remove(call: Call, instance: ServiceInstance) -> Reply:
    """Its bindings go first, each by its broker."""
    brokered.refuse_busy(instance, but_creation=True)
    brokered.refuse_without_brokers(call)
    call.audit("service_instance.start_delete", instance, instance.name, instance.space_guid)
    return brokered.begin(call, "instance", instance.guid, "delete")


def purge(call: Call, instance: ServiceInstance) -> Reply:
    """It goes with its bindings, and the broker hears nothing of it."""
    assert instance.managed is not None
    if instance.managed.plan.offering.broker.space_guid is None:
        call.only_admin()
    call.audit("service_instance.purge", instance, instance.name, instance.space_guid)
    call.session.execute(delete(Operation).where(Operation.subject_guid == instance.guid))
    call.session.delete(instance)
    return NO_CONTENT
