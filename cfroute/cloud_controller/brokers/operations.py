"""Writing down what is to be done at a broker."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from cfroute.cloud_controller.models import CredentialBinding, Job, Operation

_JOBS = {"instance": "service_instance", "route_binding": "service_route_bindings"}


def plan_operation(
    session: Session,
    kind: str,
    subject_guid: str,
    type: str,  # noqa: A002 - the API's word
    user_guid: str,
    now: float,
    *,
    parameters: Mapping[str, Any] | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Operation:
    """The subject's new latest operation, which is due at once, and its job. The one before it is forgotten."""
    session.execute(delete(Operation).where(Operation.subject_guid == subject_guid))
    job = Job(operation=_job_name(session, kind, subject_guid, type), state="PROCESSING")
    session.add(job)
    session.flush()
    operation = Operation(
        kind=kind,
        subject_guid=subject_guid,
        type=type,
        job_guid=job.guid,
        user_guid=user_guid,
        due_at=now,
        parameters=dict(parameters or {}),
        changes=dict(changes or {}),
    )
    session.add(operation)
    session.flush()
    return operation


def _job_name(session: Session, kind: str, subject_guid: str, type: str) -> str:  # noqa: A002 - the API's word
    if kind == "broker":
        return "service_broker.catalog.synchronize"
    if kind == "credential_binding":
        is_key = session.get_one(CredentialBinding, subject_guid).app_guid is None
        return f"{'service_keys' if is_key else 'service_bindings'}.{type}"
    return f"{_JOBS[kind]}.{type}"
