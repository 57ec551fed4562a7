"""What the Routing API says of HTTP routes, and the endpoints that it means.

{"route":"a.example.com","port":61000,"ip":"10.0.0.1","ttl":120,"log_guid":"…","modification_tag":{"guid":"…","index":1}}
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from cfroute.gorouter.routing_table.endpoint import Endpoint, ModificationTag


class ApiError(Exception):
    """The Routing API refuses, or cannot be understood."""


class Unauthorized(ApiError):
    """The token is not (any more) good enough."""


class Tag(msgspec.Struct, frozen=True):
    """The version of a route."""

    guid: str = ""
    index: int = 0


class Route(msgspec.Struct, frozen=True):
    """One backend of one route. `ttl` is in seconds."""

    route: str = ""
    port: Annotated[int, Meta(ge=0, le=65535)] = 0
    ip: str = ""
    ttl: int | None = None
    log_guid: str = ""
    route_service_url: str = ""
    modification_tag: Tag = Tag()

    @property
    def identity(self) -> tuple[str, str, int]:
        """What tells it from other routes."""
        return self.route, self.ip, self.port


class _Error(msgspec.Struct):
    name: str = ""
    message: str = ""


def routes(status: int, body: bytes) -> list[Route]:
    """The routes of an answer. Raises ApiError."""
    if status != 200:
        raise refusal(status, body)
    try:
        return msgspec.json.decode(body, type=list[Route] | None) or []
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ApiError(f"the routes cannot be read: {error}") from error


def refusal(status: int, body: bytes) -> ApiError:
    """The error that an answer is."""
    if status == 401:
        return Unauthorized("unauthorized")
    try:
        return ApiError(msgspec.json.decode(body, type=_Error).message or f"bad response: {status}")
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ApiError(f"bad response: {status}")


def route(data: str) -> Route:
    """The route that an event is about. Raises ApiError."""
    try:
        return msgspec.json.decode(data, type=Route)
    except msgspec.MsgspecError as error:
        raise ApiError(f"the event cannot be read: {error}") from error


def endpoint(told: Route, stale_threshold: float) -> Endpoint:
    """The backend. The application id is the name in its certificate as well; `ttl` can only shorten `stale_threshold`."""
    ttl = told.ttl or 0
    return Endpoint(
        host=told.ip,
        port=told.port,
        app=told.log_guid,
        san=told.log_guid,
        ttl=float(ttl) if ttl and ttl <= int(stale_threshold) else stale_threshold,
        route_service_url=told.route_service_url,
        modification_tag=ModificationTag(told.modification_tag.guid, told.modification_tag.index),
    )
