"""/v3/droplets: what apps run from, built here, uploaded or copied"""

from pathlib import Path
from typing import Any

from starlette.responses import Response

from cfroute.cloud_controller.actions import app_events, jobs
from cfroute.cloud_controller.actions.metadata import change_metadata
from cfroute.cloud_controller.bits import uploads
from cfroute.cloud_controller.bits.blobs import Blobs
from cfroute.cloud_controller.bits.uploads import StoredDroplet
from cfroute.cloud_controller.call import Call, Reply
from cfroute.cloud_controller.endpoints import Exchange, delete, get, patch, post
from cfroute.cloud_controller.errors import not_found, refuse_if, unprocessable
from cfroute.cloud_controller.listing import Listing, among
from cfroute.cloud_controller.models import App, Droplet
from cfroute.cloud_controller.presenters import apps as present
from cfroute.cloud_controller.resources.apps import filters_by_app
from cfroute.cloud_controller.resources.packages import bits_response
from cfroute.cloud_controller.validation import droplets as rules
from cfroute.cloud_controller.validation.common import related

LISTING = Listing(
    Droplet,
    present.droplet,
    {
        **filters_by_app(Droplet),
        "states": among(Droplet.state),
    },
)
_TWICE = "Droplet may be uploaded only once. Create a new droplet to upload bits."


async def create(exchange: Exchange) -> Reply:
    """A droplet that is to be uploaded; with `source_guid`, a copy of another one."""
    return await uploads.create(exchange, _create, Blobs.droplet, _source, _copied)


def _create(call: Call) -> Reply:
    body = call.body
    refuse_if(rules.create_problems(body))
    guid = related(body, "app")
    app = call.find(App, guid)
    if app is None:
        raise unprocessable(f'App with guid "{guid}" does not exist, or you do not have access to it.')
    types = body.get("process_types") or {"web": ""}
    droplet = call.save(Droplet(app_guid=app.guid, state="AWAITING_UPLOAD", process_types=types, stack=app.stack))
    return _made(call, app, droplet)


def _made(call: Call, app: App, droplet: Droplet) -> Reply:
    app_events.of_app(call, "droplet.create", app)
    call.after.lines.append((app.guid, f"Creating droplet for app with guid {app.guid}"))
    return Reply(201, present.droplet(droplet, call.urls))


def _copied(call: Call, guid: str, checksum: str) -> Reply:
    source, app = _source(call), _destination(call)
    kept = {name: getattr(source, name) for name in ("process_types", "buildpack", "detected_output", "stack")}
    return _made(call, app, call.save(Droplet(guid=guid, app_guid=app.guid, checksum=checksum, **kept)))


def _source(call: Call) -> Droplet:
    refuse_if(rules.copy_problems(call.body))
    droplet = call.find(Droplet, call.query.get("source_guid"))
    if droplet is None:
        raise not_found("Droplet")
    _destination(call)
    if droplet.state != "STAGED":
        raise unprocessable("source droplet is not staged")
    return droplet


def _destination(call: Call) -> App:
    app = call.find(App, related(call.body, "app"))
    if app is None:
        raise not_found("App")
    return app


async def upload(exchange: Exchange) -> Reply:
    """Store what was built elsewhere; the droplet is STAGED when this is answered."""
    return await uploads.take_in(exchange, _awaited, uploads.store_droplet, _uploaded)


def _awaited(call: Call) -> Path:
    droplet = call.the(Droplet)
    if droplet.state != "AWAITING_UPLOAD":
        raise unprocessable(_TWICE)
    return call.platform.blobs.droplet(droplet.guid)


def _uploaded(call: Call, stored: StoredDroplet) -> Reply:
    droplet = call.the(Droplet)
    droplet.state, droplet.checksum = "STAGED", stored.checksum
    if not any(droplet.process_types.values()) and stored.process_types:
        droplet.process_types = stored.process_types
    app = droplet.app
    call.session.flush()
    app_events.of_app(call, "droplet.upload", app)
    call.after.lines.append((app.guid, f"Uploading droplet for app with guid {app.guid}"))
    accepted = jobs.accepted(call, "droplet.upload")
    return Reply(202, present.droplet(droplet, call.urls), accepted.headers)


def show(call: Call) -> dict[str, Any]:
    return present.droplet(call.the(Droplet), call.urls)


def of_app(call: Call) -> Reply:
    return LISTING.page(call, Droplet.app_guid == call.the(App).guid)


async def download(exchange: Exchange) -> Response:
    guid = await exchange.run(lambda call: call.the(Droplet).guid, write=False)
    return bits_response(exchange.platform.blobs.droplet(guid), "Droplet")


def remove(call: Call) -> Reply:
    droplet = call.the(Droplet)
    if droplet.app.droplet_guid == droplet.guid:
        raise unprocessable("The droplet is currently used by the app.")
    call.after.files.append(call.platform.blobs.droplet(droplet.guid))
    call.session.delete(droplet)
    return jobs.accepted(call, "droplet.delete")


def update(call: Call) -> dict[str, Any]:
    droplet = call.the(Droplet)
    change_metadata(call, droplet)
    return present.droplet(droplet, call.urls)


ENDPOINTS = (
    get("/v3/droplets", LISTING.page),
    post("/v3/droplets", create),
    get("/v3/droplets/{guid}", show),
    patch("/v3/droplets/{guid}", update),
    delete("/v3/droplets/{guid}", remove),
    post("/v3/droplets/{guid}/upload", upload),
    get("/v3/droplets/{guid}/download", download),
    get("/v3/apps/{guid}/droplets", of_app),
)
