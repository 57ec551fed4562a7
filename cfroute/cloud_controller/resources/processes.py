"""/v3/processes, and the same below /v3/apps/:guid"""

from typing import Any

from sqlalchemy.orm import joinedload

from cfroute.cloud_controller import feature_flags
from cfroute.cloud_controller.actions import app_events, deployments, processes
from cfroute.cloud_controller.actions.metadata import set_metadata
from cfroute.cloud_controller.call import Call, Reply
from cfroute.cloud_controller.deployments import rows
from cfroute.cloud_controller.diego import runs
from cfroute.cloud_controller.endpoints import get, patch, post
from cfroute.cloud_controller.errors import not_found, refuse_if
from cfroute.cloud_controller.listing import Listing, among
from cfroute.cloud_controller.models import App, Droplet, Process
from cfroute.cloud_controller.presenters import apps as present
from cfroute.cloud_controller.resources.apps import filters_by_app
from cfroute.cloud_controller.validation import apps as rules

LISTING = Listing(
    Process,
    present.process,
    {
        "types": among(Process.type),
        **filters_by_app(Process),
    },
    accepts=("embed",),
    loads=(joinedload(Process.app),),
)


def find(call: Call) -> Process:
    """The process that the path names: by its guid, or by its app and its type; during a deployment, the new one."""
    if "type" not in call.path:
        return call.the(Process)
    app = call.the(App)
    found = rows.newest(app, call.path["type"])
    if found is None:
        raise not_found("Process")
    return found


def show(call: Call) -> dict[str, Any]:
    return _detailed(call, find(call))


def _detailed(call: Call, process: Process) -> dict[str, Any]:
    droplet = call.find(Droplet, process.app.droplet_guid)
    return present.process(process, call.urls, runs.command(process, droplet))


def scale(call: Call) -> Reply:
    """Instances take effect at once; a started process of another size has to be started anew."""
    process, body = find(call), call.body
    feature_flags.require(call, "app_scaling", but_admins=True)
    refuse_if(rules.scale_problems(body))
    processes.scale(call, process, body)
    app_events.of_process(call, "scale", process, request=body)
    call.session.flush()
    return Reply(202, _detailed(call, process))


def update(call: Call) -> dict[str, Any]:
    process, body = find(call), call.body
    refuse_if(rules.process_problems(body))
    deployments.refuse_while_deploying(call, process, "update")
    if "command" in body:
        process.command = body["command"]
    if body.get("health_check"):
        processes.check_health(call, process, body["health_check"])
    set_metadata(process, body)
    app_events.of_process(call, "update", process, request=body)
    call.session.flush()
    return _detailed(call, process)


ENDPOINTS = (
    get("/v3/processes/{guid}", show),
    patch("/v3/processes/{guid}", update),
    post("/v3/processes/{guid}/actions/scale", scale),
    get("/v3/apps/{guid}/processes/{type}", show),
    patch("/v3/apps/{guid}/processes/{type}", update),
    post("/v3/apps/{guid}/processes/{type}/actions/scale", scale),
)
