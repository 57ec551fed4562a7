"""/v3/service_plans: the ways of having a service, and who may use them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from cfroute.cloud_controller import feature_flags
from cfroute.cloud_controller.actions.metadata import change_metadata
from cfroute.cloud_controller.call import NO_CONTENT, Call, Reply
from cfroute.cloud_controller.endpoints import delete, get, patch
from cfroute.cloud_controller.errors import unprocessable
from cfroute.cloud_controller.listing import Listing, among
from cfroute.cloud_controller.models import ManagedInstance, ServiceBroker, ServiceOffering, ServicePlan, Space
from cfroute.cloud_controller.offered import in_organizations, in_spaces, of_brokers
from cfroute.cloud_controller.presenters import brokers as present
from cfroute.cloud_controller.presenters import tenancy
from cfroute.cloud_controller.query import is_true
from cfroute.cloud_controller.resources import trimmed
from cfroute.cloud_controller.urls import Urls


def _available(values: list[str]) -> ColumnElement[bool]:
    both = ServicePlan.active & ServicePlan.offering.has(ServiceOffering.active)
    return both if is_true("available", values) else ~both


def _offerings(_session: Session, plans: Sequence[ServicePlan], urls: Urls) -> tuple[str, list[dict[str, Any]]]:
    found = {each.offering_guid: each.offering for each in plans}
    return "service_offerings", [present.offering(each, urls) for each in found.values()]


def _spaces(plans: Sequence[ServicePlan]) -> list[Space]:
    found = {broker.space_guid: broker.space for broker in (plan.offering.broker for plan in plans)}
    return [space for space in found.values() if space is not None]


LISTING = Listing(
    ServicePlan,
    present.plan,
    {
        "names": among(ServicePlan.name),
        "available": _available,
        "broker_catalog_ids": among(ServicePlan.catalog_id),
        "organization_guids": in_organizations,
        "space_guids": in_spaces,
        "service_broker_guids": lambda values: of_brokers(ServiceBroker.guid.in_(values)),
        "service_broker_names": lambda values: of_brokers(ServiceBroker.name.in_(values)),
        "service_offering_guids": among(ServicePlan.offering_guid),
        "service_offering_names": lambda values: ServicePlan.offering.has(ServiceOffering.name.in_(values)),
        "service_instance_guids": lambda values: ServicePlan.guid.in_(
            select(ManagedInstance.plan_guid).where(ManagedInstance.instance_guid.in_(values))
        ),
    },
    order=("name",),
    includes={
        "service_offering": _offerings,
        "space.organization": lambda _session, plans, urls: (
            "spaces",
            [tenancy.space(space, urls) for space in _spaces(plans)],
        ),
    },
    accepts=("fields",),
)
_NAME = "Service plan"


def index(call: Call) -> Reply:
    feature_flags.refuse_strangers(call)
    reply = LISTING.page(call)
    guids = [each["guid"] for each in reply.body["resources"]]
    if more := _included(call, guids):
        reply.body["included"] = {**reply.body.get("included", {}), **more}
    return reply


def _included(call: Call, guids: Sequence[str]) -> dict[str, Any]:
    """What stands beside the plans besides what `Listing` includes: trimmed brokers, and the organizations of their spaces."""
    wanted = call.query.fields(trimmed.BROKER_OF_PLAN)
    organizations = "space.organization" in call.query.values("include")
    if not wanted and not organizations:
        return {}
    plans = call.session.scalars(select(ServicePlan).where(ServicePlan.guid.in_(guids))).all()
    brokers = (plan.offering.broker for plan in plans)
    found = trimmed.included(
        call, trimmed.BROKER_OF_PLAN, ("service_offering.service_broker", "service_brokers", brokers, present.broker)
    )
    if organizations:
        owners = {space.organization_guid: space.organization for space in _spaces(plans)}
        found["organizations"] = [tenancy.organization(each, call.urls) for each in owners.values()]
    return found


def show(call: Call) -> dict[str, Any]:
    feature_flags.refuse_strangers(call)
    plan = call.the(ServicePlan, _NAME)
    call.query.refuse_unknown(["include", "fields"])
    answer = present.plan(plan, call.urls)
    included = dict(LISTING.includes[name](call.session, [plan], call.urls) for name in call.query.include(LISTING.includes))
    if included | (more := _included(call, [plan.guid])):
        answer["included"] = included | more
    return answer


def update(call: Call) -> dict[str, Any]:
    plan = call.the(ServicePlan, _NAME)
    change_metadata(call, plan)
    return present.plan(plan, call.urls)


def remove(call: Call) -> Reply:
    plan = call.the(ServicePlan, _NAME)
    if call.session.scalars(select(ManagedInstance).where(ManagedInstance.plan_guid == plan.guid)).first():
        raise unprocessable("Please delete the service_instances associations for your service_plans.")
    call.audit("service_plan.delete", plan, plan.name)
    call.session.delete(plan)
    return NO_CONTENT


ENDPOINTS = (
    get("/v3/service_plans", index, public=True),
    get("/v3/service_plans/{guid}", show, public=True),
    patch("/v3/service_plans/{guid}", update),
    delete("/v3/service_plans/{guid}", remove),
)
