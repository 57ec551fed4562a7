"""/v3/service_brokers. A broker is made, or changed, when it has shown its catalog."""

from typing import Any

from sqlalchemy import select

from cfroute.cloud_controller import labels
from cfroute.cloud_controller.actions import brokered, jobs
from cfroute.cloud_controller.actions.metadata import set_metadata
from cfroute.cloud_controller.call import Call, Reply
from cfroute.cloud_controller.endpoints import delete, get, patch, post
from cfroute.cloud_controller.errors import BROKER_NOT_REMOVABLE, NOT_AUTHORIZED, ApiError, refuse_if, unprocessable
from cfroute.cloud_controller.listing import Listing, among
from cfroute.cloud_controller.models import ManagedInstance, Operation, ServiceBroker, ServiceOffering, ServicePlan, Space
from cfroute.cloud_controller.presenters import brokers as present
from cfroute.cloud_controller.validation import brokers as rules
from cfroute.cloud_controller.validation.common import related

LISTING = Listing(
    ServiceBroker,
    present.broker,
    {"names": among(ServiceBroker.name), "space_guids": among(ServiceBroker.space_guid)},
    order=("name",),
)
_NAME = "Service broker"


def create(call: Call) -> Reply:
    body = call.body
    refuse_if(rules.create_problems(body))
    space_guid = related(body, "space")
    if space_guid is not None:
        if call.find(Space, space_guid) is None:
            raise unprocessable("Invalid space. Ensure that the space exists and you have access to it.")
    elif not call.user.admin:
        raise ApiError(NOT_AUTHORIZED)
    _refuse_taken(call, body["name"])
    brokered.refuse_without_brokers(call)
    changes = _changes(body) | {"space_guid": space_guid} | _metadata(body, {}, {})
    return brokered.begin(call, "broker", call.platform.new_guid(), "create", changes=changes)


def update(call: Call) -> Reply | dict[str, Any]:
    broker, body = call.the(ServiceBroker, _NAME), call.body
    refuse_if(rules.update_problems(body))
    if "name" in body:
        _refuse_taken(call, body["name"], broker.guid)
    changes = _changes(body)
    if not changes:
        set_metadata(broker, body)
        call.session.flush()
        return present.broker(broker, call.urls)
    brokered.refuse_without_brokers(call)
    changes |= _metadata(body, broker.labels, broker.annotations)
    return brokered.begin(call, "broker", broker.guid, "update", changes=changes)


def _changes(body: dict[str, Any]) -> dict[str, Any]:
    credentials = (body.get("authentication") or {}).get("credentials") or {}
    return {name: body[name] for name in ("name", "url") if name in body} | {
        name: credentials[name] for name in ("username", "password") if name in credentials
    }


def _metadata(body: dict[str, Any], own_labels: dict[str, str], annotations: dict[str, str]) -> dict[str, Any]:
    given = body.get("metadata") or {}
    return {
        "labels": labels.merged(own_labels, given.get("labels") or {}),
        "annotations": labels.merged(annotations, given.get("annotations") or {}),
    }


def _refuse_taken(call: Call, name: str, but: str = "") -> None:
    """Raise 10008 when another broker has the name, or is being made with it."""
    taken = select(ServiceBroker.guid).where(ServiceBroker.name == name, ServiceBroker.guid != but)
    planned = select(Operation.guid).where(
        Operation.kind == "broker", Operation.subject_guid != but, Operation.changes["name"].as_string() == name
    )
    if call.session.scalars(taken).first() or call.session.scalars(planned).first():
        raise unprocessable("Name must be unique")


def show(call: Call) -> dict[str, Any]:
    return LISTING.included(call, call.the(ServiceBroker, _NAME))


def remove(call: Call) -> Reply:
    """Its offerings and plans go with it; while there are instances it stays."""
    broker = call.the(ServiceBroker, _NAME)
    used = (
        select(ManagedInstance.instance_guid)
        .join(ServicePlan, ServicePlan.guid == ManagedInstance.plan_guid)
        .join(ServiceOffering, ServiceOffering.guid == ServicePlan.offering_guid)
        .where(ServiceOffering.broker_guid == broker.guid)
    )
    if call.session.scalars(used).first():
        raise ApiError(BROKER_NOT_REMOVABLE, f"Can not remove brokers that have associated service instances: {broker.name}")
    call.audit("service_broker.delete", broker, broker.name, broker.space_guid)
    call.session.delete(broker)
    return jobs.accepted(call, "service_broker.delete")


ENDPOINTS = (
    get("/v3/service_brokers", LISTING.page),
    post("/v3/service_brokers", create),
    get("/v3/service_brokers/{guid}", show),
    patch("/v3/service_brokers/{guid}", update),
    delete("/v3/service_brokers/{guid}", remove),
)
