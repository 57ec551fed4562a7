"""/v3/service_offerings: what brokers offer."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, select

from cfroute.cloud_controller import feature_flags
from cfroute.cloud_controller.actions.metadata import change_metadata
from cfroute.cloud_controller.call import NO_CONTENT, Call, Reply
from cfroute.cloud_controller.endpoints import delete, get, patch
from cfroute.cloud_controller.errors import unprocessable
from cfroute.cloud_controller.listing import Listing, among
from cfroute.cloud_controller.models import ManagedInstance, ServiceBroker, ServiceInstance, ServiceOffering, ServicePlan
from cfroute.cloud_controller.offered import in_organizations, in_spaces
from cfroute.cloud_controller.presenters import brokers as present
from cfroute.cloud_controller.query import is_true
from cfroute.cloud_controller.resources import trimmed


def _with_plans(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return ServiceOffering.guid.in_(select(ServicePlan.offering_guid).where(condition))


LISTING = Listing(
    ServiceOffering,
    present.offering,
    {
        "names": among(ServiceOffering.name),
        "service_broker_guids": among(ServiceOffering.broker_guid),
        "service_broker_names": lambda values: ServiceOffering.broker.has(ServiceBroker.name.in_(values)),
        "space_guids": lambda values: _with_plans(in_spaces(values)),
        "organization_guids": lambda values: _with_plans(in_organizations(values)),
        "available": lambda values: ServiceOffering.active.is_(is_true("available", values)),
    },
    order=("name",),
    accepts=("fields",),
)
_NAME = "Service offering"


def index(call: Call) -> Reply:
    feature_flags.refuse_strangers(call)
    reply = LISTING.page(call)
    guids = [each["guid"] for each in reply.body["resources"]]
    if included := _included(call, call.session.scalars(select(ServiceOffering).where(ServiceOffering.guid.in_(guids)))):
        reply.body["included"] = included
    return reply


def _included(call: Call, offerings: Iterable[ServiceOffering]) -> dict[str, Any]:
    brokers = (offering.broker for offering in offerings)
    return trimmed.included(call, trimmed.BROKER_OF_OFFERING, ("service_broker", "service_brokers", brokers, present.broker))


def show(call: Call) -> dict[str, Any]:
    feature_flags.refuse_strangers(call)
    offering = call.the(ServiceOffering, _NAME)
    call.query.refuse_unknown(["fields"])
    answer = present.offering(offering, call.urls)
    if included := _included(call, [offering]):
        answer["included"] = included
    return answer


def update(call: Call) -> dict[str, Any]:
    offering = call.the(ServiceOffering, _NAME)
    change_metadata(call, offering)
    return present.offering(offering, call.urls)


def remove(call: Call) -> Reply:
    """With `purge`, its instances go too, and the broker hears nothing of it."""
    offering = call.the(ServiceOffering, _NAME)
    plans = select(ServicePlan.guid).where(ServicePlan.offering_guid == offering.guid)
    own = select(ManagedInstance.instance_guid).where(ManagedInstance.plan_guid.in_(plans))
    instances = call.session.scalars(select(ServiceInstance).where(ServiceInstance.guid.in_(own))).all()
    if instances and not call.query.flag("purge"):
        raise unprocessable("Please delete the service_plans associations for your services.")
    for instance in instances:
        call.session.delete(instance)
    call.session.flush()
    call.audit("service.delete", offering, offering.name)
    call.session.delete(offering)
    return NO_CONTENT


ENDPOINTS = (
    get("/v3/service_offerings", index, public=True),
    get("/v3/service_offerings/{guid}", show, public=True),
    patch("/v3/service_offerings/{guid}", update),
    delete("/v3/service_offerings/{guid}", remove),
)
