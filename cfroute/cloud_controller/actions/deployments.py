"""Beginning, cancelling and continuing deployments. The steps in between are the worker's (`deployments/`)."""

from typing import Any

from sqlalchemy import inspect

from cfroute.cloud_controller.actions import app_events, apps, lifecycle, quotas, revisions
from cfroute.cloud_controller.actions.metadata import set_metadata
from cfroute.cloud_controller.call import Call
from cfroute.cloud_controller.deployments import rows
from cfroute.cloud_controller.deployments.progress import first_instances
from cfroute.cloud_controller.deployments.states import ACTIVE, STATUS, SUPERSEDED, State, superseded
from cfroute.cloud_controller.errors import unprocessable
from cfroute.cloud_controller.models import App, Deployment, Droplet, Process, Revision

_NO_DROPLET = "Invalid droplet. Please specify a droplet in the request or set a current droplet for the app."
_NO_REVISION = "The revision does not exist"
_NO_DROPLET_ANY_MORE = "Unable to deploy this revision, the droplet for this revision no longer exists."
_UNASSIGNABLE = "Unable to assign current droplet. Ensure the droplet exists and belongs to this app."
_SIZES = ("memory_mb", "disk_mb", "log_rate_limit")
# What a new web process does not have of the one that it replaces.
_OWN = ("guid", "created_at", "updated_at", "version", "run", "revision_guid", "instances", "command")


def create(call: Call, app: App, body: dict[str, Any]) -> Deployment:
    """Begin a deployment with a good body; that of a stopped app only starts it. Raises 422."""
    if app.state == "STARTED":
        _refuse_resized(call, app, body.get("options") or {})
    earlier, previous = rows.active(call.session, app), app.droplet_guid
    target = _revision(call, app, body)
    droplet = _droplet(call, app, body, target)
    apps.assign_droplet(call, app, droplet)
    if target is not None:
        app.environment = dict(target.environment)
    revision = revisions.back_to(call, app, target) if target else revisions.current(call, app)
    deployment = _row(call, app, body, earlier)
    deployment.droplet_guid, deployment.previous_droplet_guid = droplet.guid, previous
    if revision is not None:
        deployment.revision_guid, deployment.revision_version = revision.guid, revision.version
    call.save(deployment)
    if app.state == "STARTED":
        _begin(call, app, deployment, revision)
        _supersede(call, earlier)
    else:
        _start(call, app, deployment, revision)
    app_events.of_app(call, "deployment.create", app)
    _tell(call, app, "Creating")
    return deployment


def cancel(call: Call, deployment: Deployment) -> None:
    """Go back to what ran before. Raises 422 when it is over, or the droplet of then is gone."""
    if deployment.state not in ACTIVE:
        raise unprocessable(f"Cannot cancel a deployment with status: {_status(deployment)}")
    app = deployment.app
    previous = call.session.get(Droplet, deployment.previous_droplet_guid or "")
    if previous is None:
        raise unprocessable(_UNASSIGNABLE)
    apps.assign_droplet(call, app, previous)
    _move(call, deployment, "CANCELING")
    app_events.of_app(call, "deployment.cancel", app)
    _tell(call, app, "Cancelling")


def carry_on(call: Call, deployment: Deployment) -> None:
    """Let a paused canary take its next step. Raises 422 for another one."""
    if deployment.state != "PAUSED":
        raise unprocessable(f"Cannot continue a deployment with status: {_status(deployment)}")
    step = deployment.canary_step or 1
    if step < len(deployment.canary_steps or [0]):
        deployment.canary_step = step + 1
        _move(call, deployment, "PREPAUSED")
    else:
        _move(call, deployment, "DEPLOYING")
    app = deployment.app
    app_events.of_app(call, "deployment.continue", app)
    _tell(call, app, "Continuing")


def refuse_while_deploying(call: Call, process: Process, what: str) -> None:
    """Raise 422 when the process is a web process that is being replaced; what: "scale" or "update"."""
    if process.type == "web" and rows.deploying(call.session, process.app):
        raise unprocessable(f"Cannot {what} this process while a deployment is in flight.")


def _status(deployment: Deployment) -> str:
    return f"{deployment.status_value} and reason: {deployment.status_reason}"


def _move(call: Call, deployment: Deployment, state: State) -> None:
    rows.settle(deployment, state, call.platform.clock.now())
    call.after.deployments = True


def _tell(call: Call, app: App, doing: str) -> None:
    call.after.lines.append((app.guid, f"{doing} deployment for app with guid {app.guid}"))


def _revision(call: Call, app: App, body: dict[str, Any]) -> Revision | None:
    """The revision that is to be gone back to, if that is what is asked for."""
    guid = (body.get("revision") or {}).get("guid")
    if guid is None:
        return None
    found = call.find(Revision, guid)
    if found is None or found.app_guid != app.guid:
        raise unprocessable(_NO_REVISION)
    return found


def _droplet(call: Call, app: App, body: dict[str, Any], target: Revision | None) -> Droplet:
    given: str | None = (body.get("droplet") or {}).get("guid")
    guid, problem = (given, _UNASSIGNABLE) if given is not None else (app.droplet_guid, _NO_DROPLET)
    if target is not None:
        guid, problem = target.droplet_guid, _NO_DROPLET_ANY_MORE
    droplet = call.find(Droplet, guid)
    if droplet is None or droplet.app_guid != app.guid:
        raise unprocessable(problem)
    return droplet


def _row(call: Call, app: App, body: dict[str, Any], earlier: Deployment | None) -> Deployment:
    options = body.get("options") or {}
    strategy = body.get("strategy") or "rolling"
    state: State = "PREPAUSED" if strategy == "canary" else "DEPLOYING"
    steps = (options.get("canary") or {}).get("steps")
    now = call.platform.clock.now()
    deployment = Deployment(
        app=app,
        state=state,
        status_value=STATUS[state].value,
        status_reason=STATUS[state].reason,
        status_at=now,
        healthy_at=now,
        strategy=strategy,
        original_instances=earlier.original_instances if earlier else rows.web_processes(app)[0].instances,
        max_in_flight=options.get("max_in_flight") or 1,
        web_instances=options.get("web_instances"),
        memory_mb=options.get("memory_in_mb"),
        disk_mb=options.get("disk_in_mb"),
        log_rate_limit=options.get("log_rate_limit_in_bytes_per_second"),
        canary_steps=[step["instance_weight"] for step in steps] if steps else None,
        canary_step=1 if strategy == "canary" else None,
    )
    set_metadata(deployment, body)
    return deployment


def _refuse_resized(call: Call, app: App, options: dict[str, Any]) -> None:
    """Raise 10008 when the number or the size of instances that is asked for exceeds a quota."""
    web = rows.web_processes(app)[-1]
    instances, memory = options.get("web_instances"), options.get("memory_in_mb")
    if instances is not None or memory is not None:
        quotas.refuse_resized(call, app, web, web.instances if instances is None else instances, memory or web.memory_mb)


def _begin(call: Call, app: App, deployment: Deployment, revision: Revision | None) -> None:
    """Start the first instances of a new web process beside those that there are."""
    web = rows.web_processes(app)[-1]
    columns = [column.key for column in inspect(Process).column_attrs if column.key not in _OWN]
    process = Process(**{name: getattr(web, name) for name in columns})
    process.command = revision.commands.get("web") if revision else web.command
    process.instances = first_instances(rows.standing(deployment))
    process.revision_guid = revision.guid if revision else None
    _resize(process, deployment)
    call.save(process)
    call.session.expire(app, ["processes"])
    quotas.refuse_deployment(call, app, process)
    lifecycle.renew(call, process)
    lifecycle.changed(call, app)
    deployment.process_guid = process.guid
    deployment.new_processes = [{"guid": process.guid, "type": process.type}]
    call.after.deployments = True


def _start(call: Call, app: App, deployment: Deployment, revision: Revision | None) -> None:
    """There is nothing to replace."""
    web = rows.web_processes(app)[-1]
    _resize(web, deployment)
    if deployment.web_instances is not None:
        web.instances = deployment.web_instances
    if revision is not None:
        for process in app.processes:
            process.command = revision.commands.get(process.type)
    lifecycle.begin(call, app, revision)
    rows.settle(deployment, "DEPLOYED", call.platform.clock.now())


def _resize(process: Process, deployment: Deployment) -> None:
    for name in _SIZES:
        if getattr(deployment, name) is not None:
            setattr(process, name, getattr(deployment, name))


def _supersede(call: Call, earlier: Deployment | None) -> None:
    if earlier is not None:
        rows.settle(earlier, superseded(earlier.state), call.platform.clock.now(), SUPERSEDED)
