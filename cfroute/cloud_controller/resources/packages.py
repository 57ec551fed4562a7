"""/v3/packages: the bits that people push"""

from pathlib import Path
from typing import Any

from starlette.responses import FileResponse, Response

from cfroute.cloud_controller import feature_flags
from cfroute.cloud_controller.actions import app_events, jobs
from cfroute.cloud_controller.actions.metadata import set_metadata
from cfroute.cloud_controller.bits import uploads
from cfroute.cloud_controller.bits.blobs import Blobs
from cfroute.cloud_controller.call import Call, Reply
from cfroute.cloud_controller.endpoints import Exchange, delete, get, post
from cfroute.cloud_controller.errors import BAD_REQUEST, BITS_TWICE, ApiError, not_found, refuse_if, unprocessable
from cfroute.cloud_controller.listing import Listing, among
from cfroute.cloud_controller.models import App, Droplet, Package
from cfroute.cloud_controller.presenters import apps as present
from cfroute.cloud_controller.resources.apps import filters_by_app
from cfroute.cloud_controller.validation import apps as rules
from cfroute.cloud_controller.validation.common import related

LISTING = Listing(
    Package,
    present.package,
    {
        **filters_by_app(Package),
        "states": among(Package.state),
        "types": among(Package.type),
    },
)


async def create(exchange: Exchange) -> Reply:
    """A package that is to be uploaded; with `source_guid`, a copy of another app's."""
    return await uploads.create(exchange, _create, Blobs.package, _source, _copied)


def _create(call: Call) -> Reply:
    body = call.body
    refuse_if(rules.package_problems(body))
    package = Package(app_guid=_app(call).guid)
    set_metadata(package, body)
    return _made(call, package)


def _app(call: Call) -> App:
    app = call.find(App, related(call.body, "app"))
    if app is None:
        raise unprocessable("App is invalid. Ensure it exists and you have access to it.")
    return app


def _made(call: Call, package: Package) -> Reply:
    call.save(package)
    app_events.of_app(call, "package.create", package.app, package_guid=package.guid)
    return Reply(201, present.package(package, call.urls))


def _copied(call: Call, guid: str, checksum: str) -> Reply:
    _source(call)
    return _made(call, Package(guid=guid, app_guid=_app(call).guid, state="READY", checksum=checksum))


def _source(call: Call) -> Package:
    refuse_if(rules.package_copy_problems(call.body))
    app = _app(call)
    package = call.find(Package, call.query.get("source_guid"))
    if package is None:
        raise unprocessable("Source package is invalid. Ensure it exists and you have access to it.")
    if package.app_guid == app.guid:
        raise unprocessable("Source and destination app cannot be the same")
    if package.state != "READY":
        raise unprocessable("Source package has no bits.")
    return package


def show(call: Call) -> dict[str, Any]:
    return present.package(call.the(Package), call.urls)


def of_app(call: Call) -> Reply:
    return LISTING.page(call, Package.app_guid == call.the(App).guid)


async def upload(exchange: Exchange) -> Reply:
    """Store the bits; the package is READY when this is answered."""
    return await uploads.take_in(exchange, _awaited, uploads.store_bits, _uploaded)


def _awaited(call: Call) -> Path:
    feature_flags.require(call, "app_bits_upload", but_admins=True)
    package = call.the(Package)
    if package.state != "AWAITING_UPLOAD":
        raise ApiError(BITS_TWICE)
    return call.platform.blobs.package(package.guid)


def _uploaded(call: Call, checksum: str) -> Reply:
    package = call.the(Package)
    package.state, package.checksum = "READY", checksum
    call.session.flush()
    app_events.of_app(call, "package.upload", package.app, package_guid=package.guid)
    call.after.lines.append((package.app_guid, f"Uploading bits for package with guid {package.guid}"))
    return Reply(200, present.package(package, call.urls))


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
