"""Making the database's offerings and plans equal to a broker's catalog."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cfroute.cloud_controller.brokers.catalog import Offering, Plan
from cfroute.cloud_controller.models import ManagedInstance, ServiceBroker, ServiceOffering, ServicePlan

SETTINGS = ("name", "url", "username", "password", "space_guid")
"""What the change of a broker may be about."""


def save_broker(session: Session, guid: str, changes: Mapping[str, Any], offerings: tuple[Offering, ...]) -> None:
    """Make the broker, or change it, and take over what it offers."""
    broker = session.get(ServiceBroker, guid)
    if broker is None:
        broker = ServiceBroker(guid=guid)
        session.add(broker)
    for name in SETTINGS:
        if name in changes:
            setattr(broker, name, changes[name])
    for name in ("labels", "annotations"):
        if name in changes:
            setattr(broker, name, changes[name])
    session.flush()
    synchronize(session, broker, offerings)


def synchronize(session: Session, broker: ServiceBroker, offerings: tuple[Offering, ...]) -> None:
    """Add and change what the catalog has; what it has not any more goes, or is inactive while there are instances of it."""
    known = {each.catalog_id: each for each in broker.offerings}
    for offering in offerings:
        row = known.pop(offering.id, None) or ServiceOffering(broker_guid=broker.guid, catalog_id=offering.id)
        _take_over_offering(row, offering)
        session.add(row)
        session.flush()
        _plans(session, row, offering)
    for gone in known.values():
        _plans(session, gone, None)
        gone.active = False
        session.flush()
        session.expire(gone, ["plans"])
        if not gone.plans:
            session.delete(gone)
    session.flush()
    session.expire(broker, ["offerings"])


def _plans(session: Session, row: ServiceOffering, offering: Offering | None) -> None:
    known = {each.catalog_id: each for each in row.plans}
    for plan in offering.plans if offering else ():
        own = known.pop(plan.id, None) or ServicePlan(offering_guid=row.guid, catalog_id=plan.id)
        _take_over_plan(own, plan)
        session.add(own)
    for gone in known.values():
        gone.active = False
        used = select(ManagedInstance.instance_guid).where(ManagedInstance.plan_guid == gone.guid)
        if session.scalars(used).first() is None:
            session.delete(gone)
    session.flush()


def _take_over_offering(row: ServiceOffering, offering: Offering) -> None:
    row.name, row.description, row.active = offering.name, offering.description, True
    row.bindable, row.plan_updateable = offering.bindable, offering.plan_updateable
    row.requires, row.tags, row.extra = list(offering.requires), list(offering.tags), dict(offering.metadata)
    row.instances_retrievable, row.bindings_retrievable = offering.instances_retrievable, offering.bindings_retrievable
    row.allow_context_updates = offering.allow_context_updates


def _take_over_plan(row: ServicePlan, plan: Plan) -> None:
    row.name, row.description, row.active = plan.name, plan.description, True
    row.free, row.bindable, row.plan_updateable = plan.free, plan.bindable, plan.plan_updateable
    row.extra, row.schemas, row.maintenance_info = dict(plan.metadata), dict(plan.schemas), dict(plan.maintenance_info)
    row.maximum_polling_duration = plan.maximum_polling_duration
