"""The internal API: what cells and the BBS ask for. Mutual TLS stands in for tokens."""

import msgspec
from starlette.responses import Response

from cfroute.cloud_controller.call import NO_CONTENT, Call, Reply
from cfroute.cloud_controller.diego import staging
from cfroute.cloud_controller.diego.desired import desired_lrp
from cfroute.cloud_controller.diego.started import started
from cfroute.cloud_controller.endpoints import Exchange, get, post, put
from cfroute.cloud_controller.errors import PARSE_ERROR, ApiError
from cfroute.cloud_controller.models import Build
from cfroute.cloud_controller.resources.packages import bits_response
from cfroute.diego.api import Task
from cfroute.unreadable import UNREADABLE


def desired_lrps(call: Call) -> Reply:
    """Everything that Diego is to run."""
    url = call.platform.config.internal_url
    return Reply(200, {"desired_lrps": [desired_lrp(process, url) for process in started(call.session)]})


async def package(exchange: Exchange) -> Response:
    return bits_response(exchange.platform.blobs.package(exchange.path["guid"]), "Package")


async def droplet(exchange: Exchange) -> Response:
    return bits_response(exchange.platform.blobs.droplet(exchange.path["guid"]), "Droplet")


async def upload_droplet(exchange: Exchange) -> Reply:
    """Store the droplet of a build that is not done yet."""
    guid = await exchange.run(lambda call: call.the(Build).droplet_guid, write=False)
    blobs = exchange.platform.blobs
    checksum = await blobs.store(blobs.droplet(guid), exchange.request.stream())
    return Reply(201, {"guid": guid, "checksum": {"type": "sha256", "value": checksum}})


def completed(call: Call) -> Reply:
    """A cell is done with a build. What is not known any more (its app was deleted) is accepted all the same."""
    try:
        task = msgspec.json.decode(call.raw, type=Task)
    except UNREADABLE as error:
        raise ApiError(PARSE_ERROR, f"Request invalid due to parse error: {error}") from None
    build = call.find(Build, call.path["guid"])
    if build is None:
        return NO_CONTENT
    staging.complete(call.session, call.platform.blobs, build, task)
    if build.state == "FAILED":
        call.after.lines.append((build.app_guid, f"Staging failed: {build.error}"))
    return NO_CONTENT


def health(_call: Call) -> Reply:
    return Reply(200, b"ok")


ENDPOINTS = (
    get("/healthz", health, open=True),
    get("/internal/v4/desired_lrps", desired_lrps, open=True),
    get("/internal/v4/packages/{guid}/download", package, open=True),
    get("/internal/v4/droplets/{guid}/download", droplet, open=True),
    put("/internal/v4/builds/{guid}/droplet", upload_droplet, open=True),
    post("/internal/v4/builds/{guid}/completed", completed, open=True),
)
