"""Rows of the database as the values that brokers are asked with."""

from dataclasses import dataclass

from cfroute.cloud_controller.brokers import requests
from cfroute.cloud_controller.brokers.catalog import ROUTE_FORWARDING
from cfroute.cloud_controller.brokers.requests import Place, Request, Subject
from cfroute.cloud_controller.models import CredentialBinding, RouteBinding, ServiceBroker, ServiceInstance, ServicePlan

Binding = RouteBinding | CredentialBinding


@dataclass(frozen=True)
class Access:
    """Where a broker is, and how it knows us."""

    url: str
    username: str
    password: str


@dataclass(frozen=True)
class Question:
    """One thing to ask a broker. user_guid: for whom; requires: see `outcomes.judge`."""

    access: Access
    request: Request
    user_guid: str
    requires: tuple[str, ...] = ()


def access(broker: ServiceBroker) -> Access:
    return Access(broker.url, broker.username, broker.password)


def plan_of(instance: ServiceInstance) -> ServicePlan:
    """The plan of a managed instance."""
    assert instance.managed is not None
    return instance.managed.plan


def subject(instance: ServiceInstance, plan: ServicePlan | None = None, name: str = "") -> Subject:
    """A managed instance as it is, or as it will be with another plan and name."""
    space, plan = instance.space, plan or plan_of(instance)
    organization = space.organization
    place = Place(
        organization_guid=organization.guid,
        organization_name=organization.name,
        space_guid=space.guid,
        space_name=space.name,
        organization_annotations=organization.annotations,
        space_annotations=space.annotations,
    )
    return Subject(
        guid=instance.guid,
        name=name or instance.name,
        service_id=plan.offering.catalog_id,
        plan_id=plan.catalog_id,
        place=place,
        annotations=instance.annotations,
    )


def unbinding(binding: Binding) -> Request:
    return requests.unbind(subject(binding.service_instance), binding.guid)


def forwards(instance: ServiceInstance) -> bool:
    """Whether its broker says that it serves routes."""
    return ROUTE_FORWARDING in plan_of(instance).offering.requires
