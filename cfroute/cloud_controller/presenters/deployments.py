"""Deployments and revisions."""

from typing import Any

from cfroute.cloud_controller.deployments.states import ACTIVE
from cfroute.cloud_controller.models import Deployment, Revision
from cfroute.cloud_controller.presenters.common import identity, metadata, to_one
from cfroute.cloud_controller.times import iso
from cfroute.cloud_controller.urls import Urls


def deployment(deployment: Deployment, urls: Urls) -> dict[str, Any]:
    path = f"/deployments/{deployment.guid}"
    links = {"self": urls.link(path), "app": urls.link(f"/apps/{deployment.app_guid}")}
    if deployment.state in ACTIVE:
        links["cancel"] = urls.link(f"{path}/actions/cancel", "POST")
    if deployment.state == "PAUSED":
        links["continue"] = urls.link(f"{path}/actions/continue", "POST")
    return {
        **identity(deployment),
        "status": _status(deployment),
        "strategy": deployment.strategy,
        "options": _options(deployment),
        "droplet": {"guid": deployment.droplet_guid},
        "previous_droplet": {"guid": deployment.previous_droplet_guid},
        "new_processes": deployment.new_processes,
        "revision": _revision(deployment),
        "relationships": {"app": to_one(deployment.app_guid)},
        "metadata": metadata(deployment),
        "links": links,
    }


def _status(deployment: Deployment) -> dict[str, Any]:
    details = {
        "last_successful_healthcheck": iso(deployment.healthy_at),
        "last_status_change": iso(deployment.status_at),
    }
    if deployment.error:
        details["error"] = deployment.error
    status: dict[str, Any] = {"value": deployment.status_value, "reason": deployment.status_reason, "details": details}
    if deployment.canary_step is not None:
        status["canary"] = {"steps": {"current": deployment.canary_step, "total": len(deployment.canary_steps or [0])}}
    return status


def _options(deployment: Deployment) -> dict[str, Any]:
    """What was asked for; of what was not, nothing is said, but the number that may be in flight."""
    options: dict[str, Any] = {"max_in_flight": deployment.max_in_flight}
    given = {
        "web_instances": deployment.web_instances,
        "memory_in_mb": deployment.memory_mb,
        "disk_in_mb": deployment.disk_mb,
        "log_rate_limit_in_bytes_per_second": deployment.log_rate_limit,
    }
    options |= {name: value for name, value in given.items() if value is not None}
    if deployment.canary_steps is not None:
        options["canary"] = {"steps": [{"instance_weight": weight} for weight in deployment.canary_steps]}
    return options


def _revision(deployment: Deployment) -> dict[str, Any] | None:
    if deployment.revision_guid is None or not deployment.app.revisions_enabled:
        return None
    return {"guid": deployment.revision_guid, "version": deployment.revision_version}


def revision(revision: Revision, urls: Urls) -> dict[str, Any]:
    path = f"/revisions/{revision.guid}"
    return {
        **identity(revision),
        "version": revision.version,
        "droplet": {"guid": revision.droplet_guid},
        "processes": {kind: {"command": command} for kind, command in revision.commands.items()},
        "sidecars": [],
        "description": revision.description,
        "deployable": revision.deployable,
        "relationships": {"app": to_one(revision.app_guid)},
        "metadata": metadata(revision),
        "links": {
            "self": urls.link(path),
            "app": urls.link(f"/apps/{revision.app_guid}"),
            "environment_variables": urls.link(f"{path}/environment_variables"),
        },
    }
