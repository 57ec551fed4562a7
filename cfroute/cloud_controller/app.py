"""The ASGI apps: what people reach, and what Diego reaches."""

from collections.abc import Sequence
from functools import cache

import msgspec
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from cfroute.cloud_controller import internal, resources
from cfroute.cloud_controller.call import Call, Reply
from cfroute.cloud_controller.endpoints import COMPONENT, NOBODY, Endpoint, get, respond, serve
from cfroute.cloud_controller.errors import UNKNOWN_REQUEST, ApiError
from cfroute.cloud_controller.paths import Paths
from cfroute.cloud_controller.platform import Platform
from cfroute.cloud_controller.uaa.hosts import with_uaa_at_its_hosts
from cfroute.cloud_controller.user import User


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


def _app(platform: Platform, endpoints: Sequence[Endpoint], nobody: User = NOBODY) -> ASGIApp:
    """The lines themselves. Starlette's own application would take more time than most answers."""
    paths = Paths((each.method, each.path, serve(platform, each, nobody)) for each in endpoints)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        found = paths.find(scope["method"], scope["path"])
        if found is None:
            response = respond(Reply(404, {"errors": ApiError(UNKNOWN_REQUEST).entries}))
        else:
            answer, scope["path_params"] = found
            response = await answer(Request(scope, receive, send))
        await response(scope, receive, send)

    return app


def _without_trailing_slash(app: ASGIApp) -> ASGIApp:
    """The cf CLI asks for `/v3/organizations/GUID/`."""

    async def wrapper(scope: Scope, receive: Receive, send: Send) -> None:
        if len(scope["path"]) > 1 and scope["path"].endswith("/"):
            scope = {**scope, "path": scope["path"].rstrip("/")}
        await app(scope, receive, send)

    return wrapper
