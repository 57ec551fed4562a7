"""/v3/revisions, and those of an app"""

from typing import Any

from sqlalchemy import ColumnElement, Select, select

from cfroute.cloud_controller.actions.metadata import change_metadata
from cfroute.cloud_controller.call import Call, Reply
from cfroute.cloud_controller.endpoints import get, patch
from cfroute.cloud_controller.errors import bad_query
from cfroute.cloud_controller.listing import Listing
from cfroute.cloud_controller.models import App, Process, Revision
from cfroute.cloud_controller.presenters import deployments as present


def _with_versions(values: list[str]) -> ColumnElement[bool]:
    return Revision.version.in_([int(value) for value in values if value.isascii() and value.isdigit() and len(value) < 10])


def _if_deployable(values: list[str]) -> ColumnElement[bool]:
    if values not in (["true"], ["false"]):
        raise bad_query("Deployable must be a boolean")
    return Revision.deployable == (values == ["true"])


LISTING = Listing(Revision, present.revision, {"versions": _with_versions, "deployable": _if_deployable}, order=("version",))
DEPLOYED = Listing(Revision, present.revision)


def of_app(call: Call) -> Reply:
    return LISTING.page(call, Revision.app_guid == call.the(App).guid)


def deployed(call: Call) -> Reply:
    """Those that run: during a deployment there may be two."""
    app = call.the(App)
    running: Select[Any] = select(Process.revision_guid).join(App, App.guid == Process.app_guid)
    running = running.where(App.guid == app.guid, App.state == "STARTED", Process.revision_guid.is_not(None))
    return DEPLOYED.page(call, Revision.guid.in_(running))


def show(call: Call) -> dict[str, Any]:
    return present.revision(call.the(Revision), call.urls)


def update(call: Call) -> dict[str, Any]:
    revision = call.the(Revision)
    change_metadata(call, revision)
    return present.revision(revision, call.urls)


def variables(call: Call) -> dict[str, Any]:
    """The environment variables that the app had."""
    revision = call.the(Revision)
    path = f"/revisions/{revision.guid}"
    links = {
        "self": call.urls.link(f"{path}/environment_variables"),
        "revision": call.urls.link(path),
        "app": call.urls.link(f"/apps/{revision.app_guid}"),
    }
    return {"var": revision.environment, "links": links}


ENDPOINTS = (
    get("/v3/apps/{guid}/revisions", of_app),
    get("/v3/apps/{guid}/revisions/deployed", deployed),
    get("/v3/revisions/{guid}", show),
    patch("/v3/revisions/{guid}", update),
    get("/v3/revisions/{guid}/environment_variables", variables),
)
