"""Jobs, feature flags and audit events."""

from typing import Any

from cfroute.cloud_controller.models import AuditEvent, Job
from cfroute.cloud_controller.presenters.common import identity
from cfroute.cloud_controller.urls import Urls


def job(job: Job, urls: Urls) -> dict[str, Any]:
    return {
        **identity(job),
        "operation": job.operation,
        "state": job.state,
        "errors": job.errors,
        "warnings": job.warnings,
        "links": {"self": urls.link(f"/jobs/{job.guid}")},
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
