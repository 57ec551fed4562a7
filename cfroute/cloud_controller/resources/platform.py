"""Jobs, feature flags and audit events."""

from typing import Any

from sqlalchemy import select

from cfroute.cloud_controller import feature_flags
from cfroute.cloud_controller.call import Call, Reply
from cfroute.cloud_controller.endpoints import get, patch
from cfroute.cloud_controller.errors import not_found, refuse_if
from cfroute.cloud_controller.fixed_list import page
from cfroute.cloud_controller.listing import Listing, among
from cfroute.cloud_controller.models import AuditEvent, FeatureFlag, Job, Operation
from cfroute.cloud_controller.presenters import platform as present
from cfroute.cloud_controller.times import iso
from cfroute.cloud_controller.validation.common import unknown_fields

EVENTS = Listing(
    AuditEvent,
    present.event,
    {
        "types": among(AuditEvent.type),
        "target_guids": among(AuditEvent.target_guid),
        "space_guids": among(AuditEvent.space_guid),
        "organization_guids": among(AuditEvent.organization_guid),
    },
)


def job(call: Call) -> dict[str, Any]:
    """With the address of what a broker is asked for, as long as it is there."""
    found = call.the(Job)
    operation = call.session.scalars(select(Operation).where(Operation.job_guid == found.guid)).first()
    return present.job(found, operation, call.urls)


def event(call: Call) -> dict[str, Any]:
    return present.event(call.the(AuditEvent, "Event"), call.urls)


def flags(call: Call) -> Reply:
    changed = {flag.name: flag for flag in call.session.scalars(select(FeatureFlag))}
    found = [_flag(call, name, changed.get(name)) for name in feature_flags.DEFAULTS]
    return page(call, found, order=("name", "updated_at"))


def flag(call: Call) -> dict[str, Any]:
    name = _name(call)
    return _flag(call, name, call.session.get(FeatureFlag, name))


def set_flag(call: Call) -> dict[str, Any]:
    call.only_admin()
    name, body = _name(call), call.body
    problems = unknown_fields(body, ("enabled", "custom_error_message"))
    if "enabled" in body and not isinstance(body["enabled"], bool):
        problems.append("Enabled must be a boolean")
    if not isinstance(body.get("custom_error_message"), str | None):
        problems.append("Custom error message must be a string")
    refuse_if(problems)
    row = call.session.get(FeatureFlag, name) or FeatureFlag(name=name, enabled=feature_flags.DEFAULTS[name])
    row.enabled = body.get("enabled", row.enabled)
    row.error_message = body.get("custom_error_message", row.error_message)
    row.updated_at = call.platform.clock.now()
    call.session.add(row)
    return _flag(call, name, row)


def _name(call: Call) -> str:
    name = call.path["name"]
    if name not in feature_flags.DEFAULTS:
        raise not_found("Feature flag")
    return name


def _flag(call: Call, name: str, row: FeatureFlag | None) -> dict[str, Any]:
    return {
        "name": name,
        "enabled": row.enabled if row else feature_flags.DEFAULTS[name],
        "updated_at": iso(row.updated_at) if row else None,
        "custom_error_message": row.error_message if row else None,
        "links": {"self": call.urls.link(f"/feature_flags/{name}")},
    }


ENDPOINTS = (
    get("/v3/jobs/{guid}", job),
    get("/v3/feature_flags", flags),
    get("/v3/feature_flags/{name}", flag),
    patch("/v3/feature_flags/{name}", set_flag),
    get("/v3/audit_events", EVENTS.page),
    get("/v3/audit_events/{guid}", event),
)
