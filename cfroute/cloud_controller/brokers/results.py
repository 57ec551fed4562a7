"""Writing down what came of a question to a broker: in the operation, in its job, and in what it is about."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from cfroute.cloud_controller.brokers import catalog, requests
from cfroute.cloud_controller.brokers.orphans import leave
from cfroute.cloud_controller.brokers.progress import Failure, Verdict, told_verb
from cfroute.cloud_controller.brokers.steps import BINDINGS, binding_of
from cfroute.cloud_controller.brokers.subjects import Access, access, plan_of, subject, unbinding
from cfroute.cloud_controller.brokers.synchronize import save_broker
from cfroute.cloud_controller.errors import (
    BINDING_INVALID,
    INVALID_CATALOG,
    JOB_TIMEOUT,
    OPERATION_IN_PROGRESS,
    UNABLE_TO_PERFORM,
    ApiError,
    broker_error,
)
from cfroute.cloud_controller.models import CredentialBinding, Job, Operation, RouteBinding, ServiceBroker, ServiceInstance


def settle(session: Session, guid: str, verdict: Verdict, now: float) -> set[str]:
    """Apply the verdict; the guids of the apps whose routes have changed by it."""
    operation = session.get(Operation, guid)
    if operation is None or not operation.pending:
        return set()  # its subject was removed meanwhile
    operation.state, operation.description = verdict.state, verdict.description
    if verdict.state == "in progress":
        return _go_on(session, operation, verdict)
    if verdict.state == "failed":
        if verdict.orphan:
            _leave_behind(session, operation, now)
        _end(session, operation, _problem(operation, verdict))
        return set()
    apps = _SUCCEEDED[operation.kind](session, operation, verdict.values)
    _end(session, operation, None)
    if operation.type == "delete":
        session.delete(operation)
    return apps


def _problem(operation: Operation, verdict: Verdict) -> ApiError:
    """What the job says of an operation that has failed."""
    if verdict.failure is Failure.BUSY:
        return ApiError(OPERATION_IN_PROGRESS, verdict.description)
    if verdict.failure is Failure.LATE:
        return ApiError(JOB_TIMEOUT)
    if verdict.failure is Failure.NOT_RETRIEVABLE:
        return ApiError(BINDING_INVALID, f"The service binding is invalid: {verdict.description}")
    verb = told_verb(operation.kind, operation.type)
    return ApiError(UNABLE_TO_PERFORM, f"{verb} could not be completed: {verdict.description}")


def settle_catalog(session: Session, guid: str, verdict: Verdict) -> None:
    """The same for a catalog: a broker is made or changed, or stays as it was."""
    operation = session.get(Operation, guid)
    if operation is None or not operation.pending:
        return
    failed = verdict.state == "failed"
    problem = broker_error(verdict.status, verdict.error, verdict.description) if failed else None
    if problem is None:
        try:
            save_broker(session, operation.subject_guid, operation.changes, catalog.read(verdict.values))
        except catalog.InvalidCatalog as error:
            problem = ApiError(INVALID_CATALOG, str(error))
    _end(session, operation, problem)
    session.delete(operation)


def forget(session: Session, guid: str) -> None:
    """The subject is gone by itself: there is nothing left to do."""
    operation = session.get(Operation, guid)
    if operation is not None and operation.pending:
        _end(session, operation, None)
        session.delete(operation)


def forget_the_gone(session: Session) -> None:
    """Remove the operations that are over and whose subjects are not there any more."""
    for kind, model in {"instance": ServiceInstance, **BINDINGS}.items():
        guids = model.__table__.select().with_only_columns(model.__table__.c.guid)
        over = Operation.state.in_(("succeeded", "failed"))
        session.execute(delete(Operation).where(Operation.kind == kind, over, Operation.subject_guid.not_in(guids)))


def _go_on(session: Session, operation: Operation, verdict: Verdict) -> set[str]:
    operation.due_at, operation.deadline = verdict.due_at, verdict.deadline
    if verdict.broker_operation is not None:
        operation.broker_operation = verdict.broker_operation
    instance = session.get(ServiceInstance, operation.subject_guid) if operation.kind == "instance" else None
    if instance is not None:
        _take_over(instance, verdict.values)
    poll(session, operation)
    return set()


def poll(session: Session, operation: Operation) -> None:
    """Say that the broker has begun, and that it takes longer."""
    job = session.get(Job, operation.job_guid)
    if job is not None:
        job.state = "POLLING"


def _end(session: Session, operation: Operation, error: ApiError | None) -> None:
    job = session.get(Job, operation.job_guid)
    if job is not None:
        job.state, job.errors = ("FAILED", error.entries) if error else ("COMPLETE", [])


def _instance_done(session: Session, operation: Operation, values: Mapping[str, Any]) -> set[str]:
    instance = session.get(ServiceInstance, operation.subject_guid)
    if instance is None:
        return set()
    if operation.type == "delete":
        session.delete(instance)
        return set()
    _take_over(instance, values)
    for name, value in operation.changes.items():
        owner = instance.managed if name in ("plan_guid", "maintenance_info") else instance
        setattr(owner, name, value)
    return set()


def _take_over(instance: ServiceInstance, values: Mapping[str, Any]) -> None:
    url = values.get("dashboard_url")
    if instance.managed is not None and isinstance(url, str):
        instance.managed.dashboard_url = url


def _route_binding_done(session: Session, operation: Operation, values: Mapping[str, Any]) -> set[str]:
    binding = session.get(RouteBinding, operation.subject_guid)
    if binding is None:
        return set()
    apps = {each.app_guid for each in binding.route.destinations}
    if operation.type == "delete":
        session.delete(binding)
    else:
        binding.route_service_url = values.get("route_service_url") or ""
    return apps


def _credential_binding_done(session: Session, operation: Operation, values: Mapping[str, Any]) -> set[str]:
    binding = session.get(CredentialBinding, operation.subject_guid)
    if binding is None:
        return set()
    if operation.type == "delete":
        session.delete(binding)
    else:
        binding.given = {key: values[key] for key in ("credentials", "syslog_drain_url", "volume_mounts") if values.get(key)}
    return set()


_SUCCEEDED = {
    "instance": _instance_done,
    "route_binding": _route_binding_done,
    "credential_binding": _credential_binding_done,
}


def _leave_behind(session: Session, operation: Operation, now: float) -> None:
    if operation.kind == "instance":
        instance = session.get(ServiceInstance, operation.subject_guid)
        if instance is not None:
            leave(session, _access(instance), requests.deprovision(subject(instance)), operation.user_guid, now)
        return
    binding = binding_of(session, operation)
    if binding is not None:
        leave(session, _access(binding.service_instance), unbinding(binding), operation.user_guid, now)


def _access(instance: ServiceInstance) -> Access:
    broker: ServiceBroker = plan_of(instance).offering.broker
    return access(broker)
