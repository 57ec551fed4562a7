"""/v3/packages: the bits that people push"""

from pathlib import Path
from typing import Any

from starlette.responses import FileResponse, Response

from cfroute.cloud_controller import feature_flags
from cfroute.cloud_controller.actions import app_events, jobs
from cfroute.cloud_controller.actions.metadata import set_metadata
from cfroute.cloud_controller.call import Call, Reply
from cfroute.cloud_controller.endpoints import Exchange, delete, get, post
from cfroute.cloud_controller.errors import BAD_REQUEST, BITS_TWICE, ApiError, not_found, refuse_if, unprocessable
from cfroute.cloud_controller.listing import Listing, among
from cfroute.cloud_controller.models import App, Droplet, Package, Space
from cfroute.cloud_controller.presenters import apps as present
from cfroute.cloud_controller.uploads import store_bits
from cfroute.cloud_controller.validation import apps as rules
from cfroute.cloud_controller.validation.common import related

LISTING = Listing(
    Package,
    present.package,
    {
        "app_guids": among(Package.app_guid),
        "states": among(Package.state),
        "types": among(Package.type),
        "space_guids": lambda values: Package.app.has(App.space_guid.in_(values)),
        "organization_guids": lambda values: Package.app.has(App.space.has(Space.organization_guid.in_(values))),
    },
)


def create(call: Call) -> Reply:
    body = call.body
    refuse_if(rules.package_problems(body))
    app = call.find(App, related(body, "app"))
    if app is None:
        raise unprocessable("App is invalid. Ensure it exists and you have access to it.")
    package = Package(app_guid=app.guid)
    set_metadata(package, body)
    call.save(package)
    app_events.of_app(call, "package.create", app, package_guid=package.guid)
    return Reply(201, present.package(package, call.urls))


def show(call: Call) -> dict[str, Any]:
    return present.package(call.the(Package), call.urls)


def of_app(call: Call) -> Reply:
    return LISTING.page(call, Package.app_guid == call.the(App).guid)


async def upload(exchange: Exchange) -> Reply:
    """Store the bits; the package is READY when this is answered."""

    def admit(call: Call) -> str:
        feature_flags.require(call, "app_bits_upload", but_admins=True)
        package = call.the(Package)
        if package.state != "AWAITING_UPLOAD":
            raise ApiError(BITS_TWICE)
        return package.guid

    guid = await exchange.run(admit, write=False)
    blobs = exchange.platform.blobs
    checksum = await store_bits(exchange.request, blobs, blobs.package(guid))

    def finish(call: Call) -> Reply:
        package = call.the(Package)
        package.state, package.checksum = "READY", checksum
        call.session.flush()
        app_events.of_app(call, "package.upload", package.app, package_guid=guid)
        call.after.lines.append((package.app_guid, f"Uploading bits for package with guid {guid}"))
        return Reply(200, present.package(package, call.urls))

    return await exchange.run(finish, write=True)


async def download(exchange: Exchange) -> Response:
    def admit(call: Call) -> str:
        package = call.the(Package)
        if package.state != "READY":
            raise ApiError(BAD_REQUEST, "Bad request: Package has no bits to download.")
        return package.guid

    return bits_response(exchange.platform.blobs.package(await exchange.run(admit, write=False)), "Package")


def bits_response(path: Path, name: str) -> Response:
    if not path.is_file():
        raise not_found(name)
    return FileResponse(path, media_type="application/octet-stream")


DROPLETS = Listing(Droplet, present.droplet, {"states": among(Droplet.state)})


def droplets(call: Call) -> Reply:
    return DROPLETS.page(call, Droplet.package_guid == call.the(Package).guid)


def remove(call: Call) -> Reply:
    package = call.the(Package)
    call.after.files.append(call.platform.blobs.package(package.guid))
    app_events.of_app(call, "package.delete", package.app, package_guid=package.guid)
    call.session.delete(package)
    return jobs.accepted(call, "package.delete")


ENDPOINTS = (
    get("/v3/packages", LISTING.page),
    post("/v3/packages", create),
    get("/v3/packages/{guid}", show),
    delete("/v3/packages/{guid}", remove),
    post("/v3/packages/{guid}/upload", upload),
    get("/v3/packages/{guid}/download", download),
    get("/v3/packages/{guid}/droplets", droplets),
    get("/v3/apps/{guid}/packages", of_app),
)
