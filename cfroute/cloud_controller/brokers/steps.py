"""From an operation's row to the next question for its broker."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cfroute.cloud_controller.brokers import requests
from cfroute.cloud_controller.brokers.progress import Standing
from cfroute.cloud_controller.brokers.requests import Request
from cfroute.cloud_controller.brokers.subjects import Access, Binding, Question, access, plan_of, subject, unbinding
from cfroute.cloud_controller.models import (
    CredentialBinding,
    Operation,
    RouteBinding,
    ServiceBroker,
    ServiceInstance,
    ServicePlan,
)

BINDINGS: Mapping[str, type[RouteBinding] | type[CredentialBinding]] = {
    "route_binding": RouteBinding,
    "credential_binding": CredentialBinding,
}


def binding_of(session: Session, operation: Operation) -> Binding | None:
    """The binding that the operation is about, if it is still there."""
    if operation.kind == "route_binding":
        return session.get(RouteBinding, operation.subject_guid)
    return session.get(CredentialBinding, operation.subject_guid)


@dataclass(frozen=True)
class Step:
    """What to ask, and what is to be asked besides when a binding was made in the background (`fetch`).

    longest: seconds that the plan allows for an operation; None for the platform's own limit.
    """

    question: Question
    standing: Standing
    fetch: Question | None = None
    longest: float | None = None


def next_step(session: Session, guid: str) -> Step | None:
    """The next step of the operation. None when there is nothing to ask: it is over, or its subject is gone."""
    operation = session.get(Operation, guid)
    if operation is None or not operation.pending:
        return None
    if operation.kind == "broker":
        return _catalog(session, operation)
    if operation.kind == "instance":
        instance = session.get(ServiceInstance, operation.subject_guid)
        return _instance(session, operation, instance) if instance is not None and instance.managed else None
    binding = binding_of(session, operation)
    return _binding(operation, binding) if binding is not None else None


def bindings_of(session: Session, instance: ServiceInstance) -> list[tuple[str, Binding]]:
    """All bindings of an instance, with their kinds."""
    found: list[tuple[str, Binding]] = []
    for kind, model in BINDINGS.items():
        rows: Iterable[Binding] = session.scalars(select(model).where(model.service_instance_guid == instance.guid))
        found += [(kind, row) for row in rows]
    return found


def _catalog(session: Session, operation: Operation) -> Step:
    broker, changes = session.get(ServiceBroker, operation.subject_guid), operation.changes
    known = access(broker) if broker else Access("", "", "")
    where = Access(
        changes.get("url", known.url),
        changes.get("username", known.username),
        changes.get("password", known.password),
    )
    return Step(Question(where, requests.catalog(), operation.user_guid), _standing(operation))


def _instance(session: Session, operation: Operation, instance: ServiceInstance) -> Step:
    longest = plan_of(instance).maximum_polling_duration
    request = _about_instance(session, operation, instance)
    standing = _standing(operation)
    if operation.type == "delete":
        busy = f"An operation for service instance {instance.name} is in progress."
        standing = _standing(operation, about=f"Service instance {instance.name}: ", busy=busy)
    return Step(_question(instance, operation, request), standing, longest=longest)


def _about_instance(session: Session, operation: Operation, instance: ServiceInstance) -> Request:
    own, plan = subject(instance), plan_of(instance)
    if operation.state == "in progress":
        return requests.last_operation(own, operation.broker_operation)
    if operation.type == "create":
        return requests.provision(own, operation.parameters, plan.maintenance_info)
    if operation.type == "delete":
        return requests.deprovision(own)
    changes = operation.changes
    wanted = session.get(ServicePlan, changes.get("plan_guid", plan.guid)) or plan
    after = subject(instance, wanted, changes.get("name", ""))
    return requests.update(own, after, operation.parameters, changes.get("maintenance_info"))


def _binding(operation: Operation, binding: Binding) -> Step:
    instance = binding.service_instance
    plan = plan_of(instance)
    fetch = None
    if operation.state == "in progress":
        request = requests.last_operation(subject(instance), operation.broker_operation, binding.guid)
        if operation.type == "create":
            fetch = _question(instance, operation, requests.fetch(subject(instance), binding.guid))
    else:
        request = unbinding(binding) if operation.type == "delete" else _bind(binding, operation.parameters)
    waits = operation.type == "delete" or plan.offering.bindings_retrievable
    standing = _standing(operation, waits=waits, busy=_busy(binding) if operation.type == "delete" else "")
    return Step(_question(instance, operation, request), standing, fetch, plan.maximum_polling_duration)


def _busy(binding: Binding) -> str:
    app = binding.app if isinstance(binding, CredentialBinding) else None
    if app is None:
        return ""
    name = binding.service_instance.name
    return f"An operation for the service binding between app {app.name} and service instance {name} is in progress."


def _bind(binding: Binding, parameters: Mapping[str, Any]) -> Request:
    own = subject(binding.service_instance)
    if isinstance(binding, RouteBinding):
        port = f":{binding.route.port}" if binding.route.port else ""
        return requests.bind_route(own, binding.guid, binding.route.fqdn + binding.route.path + port, parameters)
    if binding.app_guid is None:
        return requests.bind_key(own, binding.guid, parameters)
    return requests.bind_app(own, binding.guid, binding.app_guid, parameters)


def _question(instance: ServiceInstance, operation: Operation, request: Request) -> Question:
    offering = plan_of(instance).offering
    return Question(access(offering.broker), request, operation.user_guid, tuple(offering.requires))


def _standing(operation: Operation, *, waits: bool = True, about: str = "", busy: str = "") -> Standing:
    return Standing(operation.kind, operation.type, operation.state == "in progress", operation.deadline, waits, about, busy)
