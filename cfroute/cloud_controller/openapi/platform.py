"""Where clients begin, jobs, flags, events, logs, and what never changes here."""

from collections.abc import Mapping
from typing import Final

from cfroute.cloud_controller.openapi.general import WORD, thing
from cfroute.cloud_controller.openapi.operation import NOTHING, Operation, changed, lists, number, one, page, refused
from cfroute.cloud_controller.resources import platform
from cfroute.cloud_controller.validation import bodies
from cfroute.cloud_controller.validation.shapes import (
    BOOLEAN,
    MOMENT,
    OBJECT,
    TEXT,
    Schema,
    many,
    nullable,
    one_of,
    opened,
    ref,
    whole,
)

_TYPED: Final = opened({"guid": TEXT, "type": TEXT, "name": TEXT})

OBJECTS: Final[Mapping[str, Schema]] = {
    "Root": opened({"links": OBJECT}),
    "Info": opened(
        {
            "name": TEXT,
            "build": TEXT,
            "version": whole(),
            "description": TEXT,
            "cli_version": OBJECT,
            "osbapi_version": TEXT,
            "rate_limits": OBJECT,
            "custom": OBJECT,
            "links": ref("Links"),
        }
    ),
    "Job": thing(
        {
            "operation": TEXT,
            "state": one_of("PROCESSING", "POLLING", "COMPLETE", "FAILED"),
            "errors": many(ref("Error")),
            "warnings": many(opened({"detail": TEXT})),
        },
        labelled=False,
    ),
    "FeatureFlag": opened(
        {"name": TEXT, "enabled": BOOLEAN, "updated_at": nullable(MOMENT), "custom_error_message": WORD, "links": ref("Links")}
    ),
    "AuditEvent": thing(
        {
            "type": TEXT,
            "actor": _TYPED,
            "target": _TYPED,
            "data": OBJECT,
            "space": nullable(ref("Guid")),
            "organization": nullable(ref("Guid")),
        },
        labelled=False,
    ),
    "Stack": thing({"name": TEXT, "description": TEXT, "default": BOOLEAN, "state": TEXT, "state_reason": WORD}),
    "Buildpack": thing(
        {
            "name": TEXT,
            "stack": WORD,
            "position": whole(1),
            "state": TEXT,
            "enabled": BOOLEAN,
            "locked": BOOLEAN,
            "filename": WORD,
            "lifecycle": TEXT,
        }
    ),
    "VariableGroup": opened({"name": TEXT, "var": OBJECT, "updated_at": nullable(MOMENT), "links": ref("Links")}),
    "LogCacheInfo": opened({"version": TEXT, "vm_uptime": TEXT}),
    "LogCacheLines": opened({"envelopes": opened({"batch": many(OBJECT)})}),
}
_LINES: Final = {
    "start_time": number(-(2**63), 2**63 - 1),
    "end_time": number(-(2**63), 2**63 - 1),
    "limit": number(0, 1000),
    "descending": BOOLEAN,
    "envelope_types": many(TEXT),
}
_LABELS: Final = {"label_selector": TEXT}
_GROUPS: Final = lists("names", "guids", "running_space_guids", "staging_space_guids")
_EVERYWHERE: Final = {"globally_enabled_running": BOOLEAN, "globally_enabled_staging": BOOLEAN}
_EMPTY: Final = lists("names", "guids", "organization_guids", "space_guids", "app_guids", "status_values", "states")

OPERATIONS: Final[Mapping[str, Operation]] = {
    "GET /": one("Root"),
    "GET /v3": one("Root"),
    "GET /v3/info": one("Info"),
    "GET /healthz": Operation({200: NOTHING}),
    "GET /openapi.json": one("Object"),
    "GET /v3/jobs/{guid}": one("Job"),
    "GET /v3/feature_flags": page("FeatureFlag"),
    "GET /v3/feature_flags/{name}": one("FeatureFlag"),
    "PATCH /v3/feature_flags/{name}": changed("FeatureFlag", bodies.FEATURE_FLAG),
    "GET /v3/audit_events": page("AuditEvent", platform.EVENTS),
    "GET /v3/audit_events/{guid}": one("AuditEvent"),
    "GET /v3/stacks": page("Stack", **lists("names", "guids"), default=BOOLEAN, **_LABELS),
    "GET /v3/stacks/{guid}": one("Stack"),
    "POST /v3/stacks": refused(),
    "PATCH /v3/stacks/{guid}": refused(),
    "DELETE /v3/stacks/{guid}": refused(),
    "GET /v3/buildpacks": page("Buildpack", **lists("names", "stacks"), lifecycle=TEXT, **_LABELS),
    "GET /v3/buildpacks/{guid}": one("Buildpack"),
    "POST /v3/buildpacks": refused(),
    "PATCH /v3/buildpacks/{guid}": refused(),
    "DELETE /v3/buildpacks/{guid}": refused(),
    "POST /v3/buildpacks/{guid}/upload": refused(),
    "GET /v3/environment_variable_groups/running": one("VariableGroup"),
    "GET /v3/environment_variable_groups/staging": one("VariableGroup"),
    "PATCH /v3/environment_variable_groups/running": refused(),
    "PATCH /v3/environment_variable_groups/staging": refused(),
    "GET /v3/isolation_segments": page("Object", **_EMPTY),
    "GET /v3/isolation_segments/{guid}": one("Object"),
    "POST /v3/isolation_segments": refused(),
    "GET /v3/security_groups": page("Object", **_GROUPS, **_EVERYWHERE),
    "POST /v3/security_groups": refused(),
    "GET /v3/spaces/{guid}/running_security_groups": page("Object", **lists("names", "guids")),
    "GET /v3/spaces/{guid}/staging_security_groups": page("Object", **lists("names", "guids")),
    "GET /api/v1/info": one("LogCacheInfo"),
    "GET /api/v1/read/{guid}": one("LogCacheLines", query=_LINES),
}
