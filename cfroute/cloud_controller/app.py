"""The ASGI apps: what people reach, and what Diego reaches."""

from collections.abc import Sequence
from functools import cache

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from cfroute.cloud_controller import internal, resources
from cfroute.cloud_controller.call import Call, Reply, User
from cfroute.cloud_controller.endpoints import COMPONENT, NOBODY, Endpoint, get, respond, serve
from cfroute.cloud_controller.errors import UNKNOWN_REQUEST, ApiError
from cfroute.cloud_controller.hosts import with_uaa_at_its_hosts
from cfroute.cloud_controller.platform import Platform


@cache
def _description() -> bytes:
    from cfroute.cloud_controller.openapi.document import document  # it is long, and few ask for it

    return msgspec.json.encode(document(ENDPOINTS))


def describe(_call: Call) -> Reply:
    """This description of the API, as OpenAPI 3.1 has it."""
    return Reply(200, _description(), {"Content-Type": "application/json"})


ENDPOINTS = (*resources.ENDPOINTS, get("/openapi.json", describe, open=True))


def external_app(platform: Platform) -> ASGIApp:
    """The API for people and tools."""
    return with_uaa_at_its_hosts(_without_trailing_slash(_app(platform, ENDPOINTS)), platform)


def internal_app(platform: Platform) -> ASGIApp:
    """The API for cells and the BBS. Serve it with mutual TLS only: it asks for no token."""
    return _app(platform, internal.ENDPOINTS, COMPONENT)


def _app(platform: Platform, endpoints: Sequence[Endpoint], nobody: User = NOBODY) -> Starlette:
    app = Starlette(
        routes=[Route(each.path, serve(platform, each, nobody), methods=[each.method]) for each in endpoints],
        exception_handlers={HTTPException: _unknown_request},
    )
    app.router.redirect_slashes = False
    return app


async def _unknown_request(_request: Request, _error: Exception) -> Response:
    return respond(Reply(404, {"errors": ApiError(UNKNOWN_REQUEST).entries}))


def _without_trailing_slash(app: ASGIApp) -> ASGIApp:
    """The cf CLI asks for `/v3/organizations/GUID/`."""

    async def wrapper(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and len(scope["path"]) > 1 and scope["path"].endswith("/"):
            scope = {**scope, "path": scope["path"].rstrip("/")}
        await app(scope, receive, send)

    return wrapper
