"""Jobs, feature flags and audit events."""

from typing import Any

from cfroute.cloud_controller.models import AuditEvent, Job, Operation
from cfroute.cloud_controller.presenters.common import identity
from cfroute.cloud_controller.urls import Urls

# What jobs call the things that brokers are asked for (some in the singular, as upstream does), and where those are.
_SUBJECTS = {
    "instance": ("service_instances", "service_instances"),
    "route_binding": ("service_route_binding", "service_route_bindings"),
    "credential_binding": ("service_credential_binding", "service_credential_bindings"),
    "broker": ("service_brokers", "service_brokers"),
}


def job(job: Job, operation: Operation | None, urls: Urls) -> dict[str, Any]:
    """operation: what is, or was, done at a broker; its subject may be gone."""
    links = {"self": urls.link(f"/jobs/{job.guid}")}
    if operation is not None:
        name, path = _SUBJECTS[operation.kind]
        links[name] = urls.link(f"/{path}/{operation.subject_guid}")
    return {
        **identity(job),
        "operation": job.operation,
        "state": job.state,
        "errors": job.errors,
        "warnings": job.warnings,
        "links": links,
    }


def event(event: AuditEvent, urls: Urls) -> dict[str, Any]:
    return {
        **identity(event),
        "type": event.type,
        "actor": {"guid": event.actor_guid, "type": "user", "name": event.actor_name},
        "target": {"guid": event.target_guid, "type": event.target_type, "name": event.target_name},
        "data": event.data,
        "space": {"guid": event.space_guid} if event.space_guid else None,
        "organization": {"guid": event.organization_guid} if event.organization_guid else None,
        "links": {"self": urls.link(f"/audit_events/{event.guid}")},
    }
