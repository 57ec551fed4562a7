"""Which plans may be used where."""

from typing import Any

from sqlalchemy import ColumnElement, or_, select, true

from cfroute.cloud_controller.models import ServiceBroker, ServiceOffering, ServicePlan, Space
from cfroute.cloud_controller.models.brokers import plan_visibilities


def in_organizations(values: Any) -> ColumnElement[bool]:
    """Which plans may be used in these organizations, by the public or by them."""
    own = select(plan_visibilities.c.plan_guid).where(plan_visibilities.c.organization_guid.in_(values))
    spaces = select(Space.guid).where(Space.organization_guid.in_(values))
    return or_(ServicePlan.public, ServicePlan.guid.in_(own), of_brokers(ServiceBroker.space_guid.in_(spaces)))


def in_spaces(values: list[str]) -> ColumnElement[bool]:
    """Which plans may be used in these spaces."""
    organizations = select(Space.organization_guid).where(Space.guid.in_(values))
    own = select(plan_visibilities.c.plan_guid).where(plan_visibilities.c.organization_guid.in_(organizations))
    return or_(ServicePlan.public, ServicePlan.guid.in_(own), of_brokers(ServiceBroker.space_guid.in_(values)))


def of_brokers(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Which plans are of brokers for which the condition holds."""
    return ServicePlan.offering.has(ServiceOffering.broker.has(condition))


def spaces_of(plan: ServicePlan) -> ColumnElement[bool]:
    """In which spaces the plan may be used."""
    if plan.public:
        return true()
    own = select(plan_visibilities.c.organization_guid).where(plan_visibilities.c.plan_guid == plan.guid)
    return or_(Space.organization_guid.in_(own), Space.guid == plan.offering.broker.space_guid)
