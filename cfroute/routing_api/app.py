"""The Routing API over HTTP: its endpoints, who may use them, and how it answers."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs, quote_plus

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route as Path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cfroute.go.encoding import encode
from cfroute.lager import Lager
from cfroute.routing_api import bodies
from cfroute.routing_api.errors import ApiError
from cfroute.routing_api.event_response import EventResponse
from cfroute.routing_api.hub import Hub
from cfroute.routing_api.service import Service
from cfroute.routing_api.uaa import Guard

TEXT: Final = "text/plain; charset=utf-8"
_JSON: Final = "application/json"
_REQUEST_ID: Final = "X-Vcap-Request-Id"
_PORTS_CHANGED: Final = (
    "Warning: if routes are registered for ports that are not in the new range, modifying your load balancer to remove these "
    "ports will result in backends for those routes becoming inaccessible."
)

Handler = Callable[[Service, Request], Awaitable[Response]]


class Endpoint(NamedTuple):
    """What is done, and the scope that a token needs for it."""

    scope: str
    handler: Handler


def _answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(encode(value), status, headers, media_type=_JSON)


def _listed(value: Any) -> Response:
    return Response(encode(value) + b"\n", media_type=TEXT)  # upstream leaves it to Go to guess what it is


async def _list_routes(service: Service, _request: Request) -> Response:
    return _listed(await service.routes())


async def _upsert_routes(service: Service, request: Request) -> Response:
    await service.upsert_routes(bodies.routes(await request.body(), service.max_ttl))
    return Response(status_code=201)


async def _delete_routes(service: Service, request: Request) -> Response:
    await service.delete_routes(bodies.routes(await request.body(), service.max_ttl))
    return Response(status_code=204)


async def _list_tcp_routes(service: Service, request: Request) -> Response:
    segments = parse_qs(request.url.query, keep_blank_values=True).get("isolation_segment", [])
    return _listed(await service.tcp_routes(segments))


async def _upsert_tcp_routes(service: Service, request: Request) -> Response:
    await service.upsert_tcp_routes(bodies.tcp_routes(await request.body(), service.max_ttl))
    return Response(status_code=201)


async def _delete_tcp_routes(service: Service, request: Request) -> Response:
    await service.delete_tcp_routes(bodies.tcp_routes(await request.body(), service.max_ttl))
    return Response(status_code=204)


async def _events(service: Service, request: Request) -> Response:
    return _stream(service.http_events, request.state.log.session("event-stream-handler"))


async def _tcp_events(service: Service, request: Request) -> Response:
    return _stream(service.tcp_events, request.state.log.session("tcp-event-stream-handler"))


def _stream(hub: Hub, log: Lager) -> Response:
    return EventResponse(hub.listen(), lambda: log.info("connection-closed"))


async def _list_groups(service: Service, request: Request) -> Response:
    return _answer(await service.groups(request.query_params.get("name", "")))


async def _create_group(service: Service, request: Request) -> Response:
    group, new = await service.create_group(bodies.router_group(await request.body()))
    return _answer(group, 201 if new else 200)


async def _update_group(service: Service, request: Request) -> Response:
    ports = bodies.router_group(await request.body()).reservable_ports
    group = await service.update_group(request.path_params["guid"], ports)
    return _answer(group, headers={"X-Cf-Warnings": quote_plus(_PORTS_CHANGED)})


async def _delete_group(service: Service, request: Request) -> Response:
    return Response(status_code=204 if await service.delete_group(request.path_params["guid"]) else 404)


_READ, _WRITE = "routing.routes.read", "routing.routes.write"
_GROUP_READ, _GROUP_WRITE = "routing.router_groups.read", "routing.router_groups.write"

ENDPOINTS: Final[Mapping[str, Mapping[str, Endpoint]]] = {
    "/routing/v1/routes": {
        "GET": Endpoint(_READ, _list_routes),
        "POST": Endpoint(_WRITE, _upsert_routes),
        "DELETE": Endpoint(_WRITE, _delete_routes),
    },
    "/routing/v1/events": {"GET": Endpoint(_READ, _events)},
    "/routing/v1/tcp_routes": {"GET": Endpoint(_READ, _list_tcp_routes)},
    "/routing/v1/tcp_routes/create": {"POST": Endpoint(_WRITE, _upsert_tcp_routes)},
    "/routing/v1/tcp_routes/delete": {"POST": Endpoint(_WRITE, _delete_tcp_routes)},
    "/routing/v1/tcp_routes/events": {"GET": Endpoint(_READ, _tcp_events)},
    "/routing/v1/router_groups": {
        "GET": Endpoint(_GROUP_READ, _list_groups),
        "POST": Endpoint(_GROUP_WRITE, _create_group),
    },
    "/routing/v1/router_groups/{guid}": {
        "PUT": Endpoint(_GROUP_WRITE, _update_group),
        "DELETE": Endpoint(_GROUP_WRITE, _delete_group),
    },
}


def build(service: Service, guard: Guard, log: Lager, new_guid: Callable[[], str]) -> ASGIApp:
    """The API. `log` is the listener's."""
    paths = [Path(path, _Methods(service, guard, endpoints)) for path, endpoints in ENDPOINTS.items()]
    return _observed(framed(paths), log, new_guid)


def framed(paths: list[Path]) -> Starlette:
    """An app with these paths, which refuses all else in Go's words."""
    app = Starlette(routes=paths, exception_handlers={ApiError: _refused, HTTPException: _unknown, ClientDisconnect: _gone})
    app.router.redirect_slashes = False
    return app


class _Methods:
    """One path: its endpoints by method."""

    def __init__(self, service: Service, guard: Guard, endpoints: Mapping[str, Endpoint]) -> None:
        self._service = service
        self._guard = guard
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        endpoint = self._endpoints.get(request.method)
        if endpoint is None:
            response = method_not_allowed(self._endpoints)
        else:
            await self._guard.check(request.headers.get("authorization"), endpoint.scope)  # before the body is read
            response = await endpoint.handler(self._service, request)
        await response(scope, receive, send)


def method_not_allowed(allowed: Mapping[str, object]) -> Response:
    """The path exists, but not for this method."""
    return _plain("Method Not Allowed\n", 405, Allow=", ".join(sorted(allowed)))


def _plain(text: str, status: int, **headers: str) -> Response:
    return Response(text, status, {**headers, "X-Content-Type-Options": "nosniff"}, media_type=TEXT)


async def _unknown(_request: Request, _error: Exception) -> Response:
    return _plain("404 page not found\n", 404)


async def _refused(request: Request, refused: Exception) -> Response:
    assert isinstance(refused, ApiError)
    request.state.log.error("error", error=refused.message)
    return Response(encode({"name": refused.name, "message": refused.message}), refused.status, media_type=TEXT)


async def _gone(request: Request, _error: Exception) -> Response:
    request.state.log.info("client-went-away")
    return Response(status_code=400)  # which nobody reads


def _observed(app: ASGIApp, log: Lager, new_guid: Callable[[], str]) -> ASGIApp:
    """Each request is logged as it comes and as it is answered, and its answer carries its id."""

    async def observed(scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        request_id = headers.get(_REQUEST_ID) or new_guid()
        data = {"method": scope["method"], "request": _target(scope)}
        session = log.session("request", **data, **{"request-headers": _shown(headers)})
        session.info("serving")
        scope.setdefault("state", {})["log"] = session

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (_REQUEST_ID.lower().encode(), request_id.encode("latin-1"))]
                shown = _shown(Headers(raw=message["headers"]))
                session.info("done", **{"response-headers": shown, "status": message["status"]})
            await send(message)

        await app(scope, receive, answer)

    return observed


def _target(scope: Scope) -> str:
    query = scope["query_string"].decode("latin-1")
    return f"{scope['path']}?{query}" if query else str(scope["path"])


def _shown(headers: Headers) -> dict[str, list[str]]:
    return {name.title(): headers.getlist(name) for name in headers if name != "authorization"}
