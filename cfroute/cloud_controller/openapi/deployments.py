"""Deployments, revisions, and the features of apps."""

from collections.abc import Mapping
from typing import Final

from cfroute.cloud_controller.deployments.states import STATUS
from cfroute.cloud_controller.openapi.general import NUMBER, WORD, thing
from cfroute.cloud_controller.openapi.operation import NOTHING, Operation, changed, made, one, page
from cfroute.cloud_controller.resources import deployments, revisions
from cfroute.cloud_controller.validation import bodies
from cfroute.cloud_controller.validation.deployments import STRATEGIES
from cfroute.cloud_controller.validation.shapes import (
    BOOLEAN,
    MOMENT,
    OBJECT,
    TEXT,
    Schema,
    by_name,
    many,
    nullable,
    one_of,
    opened,
    ref,
    whole,
)

_REASONS: Final = one_of(*dict.fromkeys(status.reason for status in STATUS.values()), "SUPERSEDED", "DEGENERATE")
_STEPS: Final = opened({"current": whole(1), "total": whole(1)})
_STATUS: Final = opened(
    {
        "value": one_of("ACTIVE", "FINALIZED"),
        "reason": _REASONS,
        "details": opened({"last_successful_healthcheck": MOMENT, "last_status_change": MOMENT}, error=TEXT),
    },
    canary=opened({"steps": _STEPS}),
)
_OPTIONS: Final = opened(
    {"max_in_flight": whole(1)},
    web_instances=whole(0),
    memory_in_mb=whole(1),
    disk_in_mb=whole(1),
    log_rate_limit_in_bytes_per_second=whole(-1),
    canary=opened({"steps": many(opened({"instance_weight": whole(1, 100)}))}),
)

OBJECTS: Final[Mapping[str, Schema]] = {
    "SshEnabled": opened({"enabled": BOOLEAN, "reason": TEXT}),
    "AppFeature": opened({"name": TEXT, "description": TEXT, "enabled": BOOLEAN}),
    "Deployment": thing(
        {
            "status": _STATUS,
            "strategy": one_of(*STRATEGIES),
            "options": _OPTIONS,
            "droplet": opened({"guid": WORD}),
            "previous_droplet": opened({"guid": WORD}),
            "new_processes": many(opened({"guid": TEXT, "type": TEXT})),
            "revision": nullable(opened({"guid": TEXT, "version": NUMBER})),
        },
        "app",
    ),
    "Revision": thing(
        {
            "version": whole(1),
            "droplet": ref("Guid"),
            "processes": by_name(opened({"command": WORD})),
            "sidecars": many(OBJECT),
            "description": TEXT,
            "deployable": BOOLEAN,
        },
        "app",
    ),
}

OPERATIONS: Final[Mapping[str, Operation]] = {
    "GET /v3/apps/{guid}/features": page("AppFeature"),
    "GET /v3/apps/{guid}/features/{feature}": one("AppFeature"),
    "GET /v3/apps/{guid}/ssh_enabled": one("SshEnabled"),
    "PATCH /v3/apps/{guid}/features/{feature}": changed("AppFeature", bodies.FEATURE),
    "GET /v3/deployments": page("Deployment", deployments.LISTING),
    "POST /v3/deployments": made("Deployment", bodies.DEPLOYMENT),
    "GET /v3/deployments/{guid}": one("Deployment"),
    "PATCH /v3/deployments/{guid}": changed("Deployment", bodies.METADATA),
    "POST /v3/deployments/{guid}/actions/cancel": Operation({200: NOTHING}),
    "POST /v3/deployments/{guid}/actions/continue": Operation({200: NOTHING}),
    "GET /v3/apps/{guid}/revisions": page("Revision", revisions.LISTING),
    "GET /v3/apps/{guid}/revisions/deployed": page("Revision", revisions.DEPLOYED),
    "GET /v3/revisions/{guid}": one("Revision"),
    "PATCH /v3/revisions/{guid}": changed("Revision", bodies.METADATA),
    "GET /v3/revisions/{guid}/environment_variables": one("Variables"),
}
