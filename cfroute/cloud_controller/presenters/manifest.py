"""An app as a manifest."""

from collections.abc import Sequence
from typing import Any

from cfroute.cloud_controller.models import App, CredentialBinding, Process, Route
from cfroute.cloud_controller.presenters.routing import options


def application(app: App, routes: Sequence[Route], bindings: Sequence[CredentialBinding]) -> dict[str, Any]:
    """The app, with hyphens in the keys as `cf create-app-manifest` writes them. What is empty is left out.

    Of processes of one type, which there are during a deployment, the newest counts.
    """
    found = {
        "name": app.name,
        "stack": app.stack,
        "buildpacks": app.buildpacks,
        "env": dict(sorted(app.environment.items())),
        "metadata": {kind: values for kind, values in _metadata(app).items() if values},
        "routes": sorted((_route(app, each) for each in routes), key=lambda entry: str(entry["route"]).lower()),
        "services": sorted(each.service_instance.name for each in bindings),
        "processes": [_process(each) for each in {each.type: each for each in app.processes}.values()],
    }
    return {key: value for key, value in found.items() if value}


def _metadata(app: App) -> dict[str, dict[str, str]]:
    return {"labels": app.labels, "annotations": app.annotations}


def _route(app: App, route: Route) -> dict[str, Any]:
    protocol = next(each.protocol for each in route.destinations if each.app_guid == app.guid)
    entry: dict[str, Any] = {"route": route.url, "protocol": protocol}
    return entry | ({"options": options(route.options)} if route.options else {})


def _process(process: Process) -> dict[str, Any]:
    fields = {
        "type": process.type,
        "instances": process.instances,
        "memory": f"{process.memory_mb}M",
        "disk_quota": f"{process.disk_mb}M",
        "command": process.command,
        "health-check-type": process.health_check_type,
        "health-check-http-endpoint": process.health_check_endpoint,
        "health-check-invocation-timeout": process.health_check_invocation_timeout,
        "timeout": process.health_check_timeout,
    }
    return {key: value for key, value in fields.items() if value is not None}
