"""/v3/apps"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import literal
from sqlalchemy.orm import Session

from cfroute.cloud_controller.actions import app_events, apps, jobs, lifecycle
from cfroute.cloud_controller.actions.metadata import set_metadata
from cfroute.cloud_controller.call import Call, Reply
from cfroute.cloud_controller.deployments import rows
from cfroute.cloud_controller.diego import environment, runs
from cfroute.cloud_controller.endpoints import delete, get, patch, post
from cfroute.cloud_controller.errors import not_found, refuse_if, unprocessable
from cfroute.cloud_controller.listing import Filter, Listing, among, of_guids
from cfroute.cloud_controller.models import App, Droplet, Package, Process, Space
from cfroute.cloud_controller.presenters import apps as present
from cfroute.cloud_controller.presenters import tenancy
from cfroute.cloud_controller.presenters.common import to_one
from cfroute.cloud_controller.resources.spaces import include_organizations
from cfroute.cloud_controller.urls import Urls
from cfroute.cloud_controller.validation import apps as rules
from cfroute.cloud_controller.validation.common import related
from cfroute.cloud_controller.validation.common import to_one as to_one_problems


def _spaces(session: Session, found: Sequence[App], urls: Urls) -> tuple[str, list[dict[str, Any]]]:
    return "spaces", [tenancy.space(each, urls) for each in of_guids(session, Space, (app.space_guid for app in found))]


def _organizations(session: Session, found: Sequence[App], urls: Urls) -> tuple[str, list[dict[str, Any]]]:
    return include_organizations(session, of_guids(session, Space, (app.space_guid for app in found)), urls)


_DEPLOYING = (
    "Unable to assign current droplet while the app has a deployment in progress. "
    "Wait for the deployment to complete or cancel it."
)
LISTING = Listing(
    App,
    present.app,
    {
        "names": among(App.name),
        "space_guids": among(App.space_guid),
        "organization_guids": lambda values: App.space.has(Space.organization_guid.in_(values)),
        "stacks": among(App.stack),
        "lifecycle_type": lambda values: literal(present.BUILDPACK_LIFECYCLE in values),
    },
    order=("name", "state"),
    includes={"space": _spaces, "space.organization": _organizations, "org": _organizations},
)


def filters_by_app(model: type[Droplet | Package | Process]) -> dict[str, Filter]:
    """Filters of what belongs to apps: by the app, and by the app's space and organization."""
    return {
        "app_guids": among(model.app_guid),
        "space_guids": lambda values: model.app.has(App.space_guid.in_(values)),
        "organization_guids": lambda values: model.app.has(App.space.has(Space.organization_guid.in_(values))),
    }


def create(call: Call) -> Reply:
    body = call.body
    refuse_if(rules.create_problems(body))
    space = call.find(Space, related(body, "space"))
    if space is None:
        raise unprocessable("Invalid space. Ensure that the space exists and you have access to it.")
    app = apps.create_app(call, body["name"], space)
    apps.set_lifecycle(app, body.get("lifecycle") or {})
    variables = body.get("environment_variables") or {}
    app.environment = {name: value for name, value in variables.items() if value is not None}
    set_metadata(app, body)
    call.session.flush()
    return Reply(201, present.app(app, call.urls))


def show(call: Call) -> dict[str, Any]:
    return LISTING.included(call, call.the(App))


def update(call: Call) -> dict[str, Any]:
    app, body = call.the(App), call.body
    refuse_if(rules.update_problems(body))
    if "name" in body:
        apps.refuse_taken(call, body["name"], app.space_guid, app.guid)
        app.name = body["name"]
    apps.set_lifecycle(app, body.get("lifecycle") or {})
    set_metadata(app, body)
    app_events.of_app(call, "update", app, request=body)
    call.session.flush()
    return present.app(app, call.urls)


def remove(call: Call) -> Reply:
    apps.delete_apps(call, [call.the(App)])
    return jobs.accepted(call, "app.delete")


def start(call: Call) -> dict[str, Any]:
    app = call.the(App)
    lifecycle.start(call, app)
    return _acted(call, app, "start")


def stop(call: Call) -> dict[str, Any]:
    app = call.the(App)
    lifecycle.stop(call, app)
    return _acted(call, app, "stop")


def restart(call: Call) -> dict[str, Any]:
    app = call.the(App)
    lifecycle.restart(call, app)
    return _acted(call, app, "restart")


def _acted(call: Call, app: App, action: str) -> dict[str, Any]:
    call.audit(f"app.{action}", app, app.name, app.space_guid)
    call.after.lines.append((app.guid, f'Updated app with guid {app.guid} ({{"state"=>"{app.state}"}})'))
    call.session.flush()
    return present.app(app, call.urls)


def current_droplet(call: Call) -> dict[str, Any]:
    app = call.the(App)
    droplet = call.find(Droplet, app.droplet_guid)
    if droplet is None:
        raise not_found("Droplet")
    return present.droplet(droplet, call.urls)


def current_droplet_guid(call: Call) -> dict[str, Any]:
    app = call.the(App)
    if app.droplet_guid is None:
        raise not_found("Droplet")
    return _droplet_relationship(call, app)


def assign_droplet(call: Call) -> dict[str, Any]:
    app, body = call.the(App), call.body
    refuse_if(to_one_problems(body, "current_droplet"))
    if rows.deploying(call.session, app):
        raise unprocessable(_DEPLOYING)
    droplet = call.find(Droplet, (body["data"] or {}).get("guid"))
    if droplet is None or droplet.app_guid != app.guid:
        raise unprocessable("Unable to assign current droplet. Ensure the droplet exists and belongs to this app.")
    apps.assign_droplet(call, app, droplet)
    app_events.of_app(call, "droplet.mapped", app, request={"droplet_guid": droplet.guid})
    return _droplet_relationship(call, app)


def _droplet_relationship(call: Call, app: App) -> dict[str, Any]:
    path = f"/apps/{app.guid}"
    links = {
        "self": call.urls.link(f"{path}/relationships/current_droplet"),
        "related": call.urls.link(f"{path}/droplets/current"),
    }
    return {**to_one(app.droplet_guid), "links": links}


def environment_of(call: Call) -> dict[str, Any]:
    """Everything that the app's environment is made of."""
    app = call.the(App)
    web = rows.newest(app, "web") or app.processes[0]
    application = environment.vcap_application(
        runs.place(call.session, app, call.platform.config.external_url), memory_mb=web.memory_mb, disk_mb=web.disk_mb
    )
    return {
        "staging_env_json": {},
        "running_env_json": {},
        "environment_variables": app.environment,
        "system_env_json": {"VCAP_SERVICES": environment.vcap_services(runs.services(call.session, app))},
        "application_env_json": {"VCAP_APPLICATION": application},
    }


def variables(call: Call) -> dict[str, Any]:
    return _variables(call, call.the(App))


def set_variables(call: Call) -> dict[str, Any]:
    """Lay the given variables over those that there are; null removes one. Takes effect at the next start."""
    app, body = call.the(App), call.body
    refuse_if(rules.environment_problems(body.get("var")))
    merged = {**app.environment, **body["var"]}
    app.environment = {name: value for name, value in merged.items() if value is not None}
    app_events.of_app(call, "update", app, request={"environment_variables": app_events.HIDDEN})
    return _variables(call, app)


def _variables(call: Call, app: App) -> dict[str, Any]:
    path = f"/apps/{app.guid}"
    links = {"self": call.urls.link(f"{path}/environment_variables"), "app": call.urls.link(path)}
    return {"var": app.environment, "links": links}


ENDPOINTS = (
    get("/v3/apps", LISTING.page),
    post("/v3/apps", create),
    get("/v3/apps/{guid}", show),
    patch("/v3/apps/{guid}", update),
    delete("/v3/apps/{guid}", remove),
    post("/v3/apps/{guid}/actions/start", start),
    post("/v3/apps/{guid}/actions/stop", stop),
    post("/v3/apps/{guid}/actions/restart", restart),
    get("/v3/apps/{guid}/droplets/current", current_droplet),
    get("/v3/apps/{guid}/relationships/current_droplet", current_droplet_guid),
    patch("/v3/apps/{guid}/relationships/current_droplet", assign_droplet),
    get("/v3/apps/{guid}/env", environment_of),
    get("/v3/apps/{guid}/environment_variables", variables),
    patch("/v3/apps/{guid}/environment_variables", set_variables),
)
