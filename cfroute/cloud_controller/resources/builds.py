"""/v3/builds: from the bits to what runs"""

from typing import Any

from sqlalchemy.orm import joinedload

from cfroute.cloud_controller.actions import app_events, apps
from cfroute.cloud_controller.actions.metadata import set_metadata
from cfroute.cloud_controller.call import Call, Reply
from cfroute.cloud_controller.endpoints import get, post
from cfroute.cloud_controller.errors import (
    BAD_REQUEST,
    UNAVAILABLE,
    ApiError,
    refuse_if,
    unprocessable,
)
from cfroute.cloud_controller.labels import problems as metadata_problems
from cfroute.cloud_controller.listing import Listing, among
from cfroute.cloud_controller.models import App, Build, Package
from cfroute.cloud_controller.presenters import apps as present
from cfroute.cloud_controller.validation.apps import lifecycle_problems, package_guid_problems
from cfroute.cloud_controller.validation.common import unknown_fields

BUILDS = Listing(
    Build,
    present.build,
    {"app_guids": among(Build.app_guid), "package_guids": among(Build.package_guid), "states": among(Build.state)},
    loads=(joinedload(Build.app),),
)


def create(call: Call) -> Reply:
    """Have a package staged on some cell; the build is STAGING until the cell is done."""
    body = call.body
    problems = unknown_fields(body, ("package", "lifecycle", "metadata", "staging_memory_in_mb", "staging_disk_in_mb"))
    problems += package_guid_problems(body.get("package"))
    refuse_if(problems + lifecycle_problems(body.get("lifecycle")) + metadata_problems(body.get("metadata")))
    package = call.find(Package, body["package"]["guid"])
    if package is None:
        raise unprocessable("Unable to use package. Ensure that the package exists and you have access to it.")
    if package.state != "READY":
        raise ApiError(BAD_REQUEST, "Bad request: Cannot stage package whose state is not ready.")
    if not call.platform.diego.present:
        raise ApiError(UNAVAILABLE, "Apps are staged by the foundation, which is not running. Start it with 'cfroute up'.")
    data = (body.get("lifecycle") or {}).get("data") or {}
    for buildpack in data.get("buildpacks") or []:
        apps.refuse_unknown_buildpack(buildpack)
    build = Build(
        app_guid=package.app_guid,
        package_guid=package.guid,
        droplet_guid=call.platform.new_guid(),
        buildpacks=data.get("buildpacks") or package.app.buildpacks,
        created_by=call.user.name,
    )
    set_metadata(build, body)
    call.save(build)
    app_events.of_app(call, "build.create", package.app)
    call.after.lines.append((build.app_guid, f"Creating build for app with guid {build.app_guid}"))
    call.after.builds.append(build.guid)
    return Reply(201, present.build(build, call.urls))


def show(call: Call) -> dict[str, Any]:
    return present.build(call.the(Build), call.urls)


def builds_of_app(call: Call) -> Reply:
    return BUILDS.page(call, Build.app_guid == call.the(App).guid)


ENDPOINTS = (
    get("/v3/builds", BUILDS.page),
    post("/v3/builds", create),
    get("/v3/builds/{guid}", show),
    get("/v3/apps/{guid}/builds", builds_of_app),
)
