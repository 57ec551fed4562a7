"""/routing/v1/router_groups: what `links.routing` leads to, with the Routing API's own bodies and errors."""

from typing import Any

import msgspec
from starlette.responses import Response

from cfroute.cloud_controller import router_groups
from cfroute.cloud_controller.auth import TokenExpired
from cfroute.cloud_controller.endpoints import Exchange, get
from cfroute.cloud_controller.errors import ApiError
from cfroute.cloud_controller.router_groups import RouterGroup

READ = "routing.router_groups.read"
_NOT_ALLOWED = "You are not authorized to perform the requested action"


async def index(exchange: Exchange) -> Response:
    """All groups, or the one called `name`."""
    if problem := await _unauthorized(exchange):
        return _error(401, "UnauthorizedError", problem)
    name = exchange.request.query_params.get("name", "")
    found = [group for group in router_groups.ALL if name in ("", group.name)]
    if name and not found:
        return _error(404, "ResourceNotFoundError", f"Router Group '{name}' not found")
    return Response(msgspec.json.encode([_presented(group) for group in found]), media_type="application/json")


async def _unauthorized(exchange: Exchange) -> str:
    """Why the request is refused, in the words that clients compare with; empty when it is not."""
    header = exchange.request.headers.get("authorization", "")
    scheme, _, token = header.partition(" ")
    if not token:
        return "Invalid token format"
    if scheme.lower() != "bearer":
        return f"Invalid token type: {scheme}"
    try:
        user = await exchange.platform.tokens.user(header)
    except TokenExpired:
        return "Token is expired"
    except ApiError as error:
        if error.kind.status >= 500:
            raise
        return "crypto/rsa: verification error"
    return "" if user.admin or READ in user.scopes else _NOT_ALLOWED


def _error(status: int, name: str, message: str) -> Response:
    # As JSON, but not called so: upstream leaves the type to Go, which takes it for text.
    return Response(msgspec.json.encode({"name": name, "message": message}), status, media_type="text/plain; charset=utf-8")


def _presented(group: RouterGroup) -> dict[str, Any]:
    ports = group.reservable_ports
    return {
        "guid": group.guid,
        "name": group.name,
        "type": group.type,
        "reservable_ports": f"{ports.start}-{ports.stop - 1}",
    }


ENDPOINTS = (get("/routing/v1/router_groups", index, open=True),)
