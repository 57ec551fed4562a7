"""/routing: what `links.routing` leads to. Requests are handed on to the Routing API, which checks their tokens itself.

While the foundation is down, the router groups are shown as they were last seen, with the Routing API's own bodies and errors.
"""

import msgspec
from starlette.responses import Response

from cfroute.cloud_controller.actions import router_groups
from cfroute.cloud_controller.endpoints import Exchange, delete, get, post, put
from cfroute.cloud_controller.errors import UNAVAILABLE, ApiError
from cfroute.cloud_controller.routing import AWAY
from cfroute.cloud_controller.uaa.tokens import TokenExpired

READ = "routing.router_groups.read"
_AUDIENCE = "routing.router_groups"
_NOT_ALLOWED = "You are not authorized to perform the requested action"


async def forward(exchange: Exchange) -> Response:
    answer = await exchange.platform.routing.forward(exchange.request, await exchange.body())
    if answer is not None:
        return answer
    if exchange.request.method == "GET" and exchange.path["rest"] == "v1/router_groups":
        return await _last_seen(exchange)
    raise ApiError(UNAVAILABLE, AWAY)


async def _last_seen(exchange: Exchange) -> Response:
    """All groups, or the one called `name`."""
    if problem := await _unauthorized(exchange):
        return _error(401, "UnauthorizedError", problem)
    name = exchange.request.query_params.get("name", "")
    known = await exchange.run(lambda call: router_groups.known(call.session), write=False)
    found = [group for group in known if name in ("", group.name)]
    if name and not found:
        return _error(404, "ResourceNotFoundError", f"Router Group '{name}' not found")
    return Response(msgspec.json.encode(found), media_type="application/json")


async def _unauthorized(exchange: Exchange) -> str:
    """Why the request is refused, in the words that clients compare with; empty when it is not."""
    header = exchange.request.headers.get("authorization", "")
    scheme, _, token = header.partition(" ")
    if not token:
        return "Invalid token format"
    if scheme.lower() != "bearer":
        return f"Invalid token type: {scheme}"
    try:
        user = await exchange.platform.tokens.user(header, _AUDIENCE)
    except TokenExpired:
        return "Token is expired"
    except ApiError as error:
        if error.kind.status >= 500:
            raise
        return "crypto/rsa: verification error"
    return "" if READ in user.scopes else _NOT_ALLOWED


def _error(status: int, name: str, message: str) -> Response:
    # As JSON, but not called so: upstream leaves the type to Go, which takes it for text.
    return Response(msgspec.json.encode({"name": name, "message": message}), status, media_type="text/plain; charset=utf-8")


_BELOW = "/routing/{rest:path}"

ENDPOINTS = (
    get(_BELOW, forward, open=True),
    post(_BELOW, forward, open=True),
    put(_BELOW, forward, open=True),
    delete(_BELOW, forward, open=True),
)
