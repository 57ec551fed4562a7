"""The UAA's HTTP surface: which address leads to which endpoint, and how answers and refusals look."""

import sqlite3
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, NamedTuple

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from cfroute.clock import Clock
from cfroute.logs import Logger
from cfroute.uaa import pages
from cfroute.uaa.clients import Clients
from cfroute.uaa.config import Config
from cfroute.uaa.errors import OAuthError
from cfroute.uaa.grants import TokenEndpoint
from cfroute.uaa.groups import Groups
from cfroute.uaa.guard import Guard
from cfroute.uaa.issued import Issued
from cfroute.uaa.keys import Keys
from cfroute.uaa.login import Login
from cfroute.uaa.requests import Answer, Asked
from cfroute.uaa.store import Store
from cfroute.uaa.users import Users

_LARGEST_BODY = 64 * 1024  # bytes
_ALWAYS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

Handler = Callable[[Asked], Answer]


class Endpoint(NamedTuple):
    """One line of the surface."""

    method: str
    path: str
    handler: Handler


class Chance(NamedTuple):
    """Makes guids of users and groups, ids of tokens, and codes that nobody can guess."""

    guid: Callable[[], str]
    token_id: Callable[[], str]
    code: Callable[[], str]


def build(config: Config, store: Store, keys: Keys, clock: Clock, chance: Chance, log: Logger) -> Starlette:
    """The ASGI app over an open store."""
    login = Login(config, store, clock)
    guard = Guard(config, store, keys, clock)
    token = TokenEndpoint(config, store, keys, login, clock, chance.token_id)
    users = Users(config, store, guard, login, clock, chance.guid)
    groups = Groups(store, guard, clock, chance.guid)
    codes = pages.PasscodePage(store, login, clock, chance.code)
    endpoints = (
        Endpoint("POST", "/oauth/token", token.answer),
        Endpoint("GET", "/token_key", lambda _asked: Answer(keys.public[0])),
        Endpoint("GET", "/token_keys", lambda _asked: Answer({"keys": keys.public})),
        Endpoint("GET", "/.well-known/openid-configuration", lambda _asked: Answer(_discovery(config.issuer))),
        Endpoint("GET", "/login", pages.login),
        Endpoint("GET", "/info", pages.info),
        Endpoint("GET", "/passcode", pages.passcode_form),
        Endpoint("POST", "/passcode", codes.give),
        Endpoint("GET", "/oauth/authorize", pages.authorize),
        *_of_issued(Issued(store, guard, login)),
        *_of_clients(Clients(store, guard)),
        *_of_users(users),
        *_of_groups(groups),
    )
    app = Starlette(
        routes=[*_routes(endpoints), Route("/healthz", _healthz)],
        exception_handlers={OAuthError: _refused, HTTPException: _not_found, sqlite3.Error: _unavailable},
    )
    app.state.log = log
    return app


def _of_issued(issued: Issued) -> list[Endpoint]:
    owners = ("user/{user}", "client/{client}", "user/{user}/client/{client}")
    return [
        Endpoint("POST", "/check_token", issued.check),
        Endpoint("POST", "/introspect", issued.introspect),
        Endpoint("DELETE", "/oauth/token/revoke/{id}", issued.revoke),
        *(Endpoint(method, f"/oauth/token/revoke/{of}", issued.revoke_all) for of in owners for method in ("GET", "DELETE")),
    ]


def _of_clients(clients: Clients) -> list[Endpoint]:
    return [
        Endpoint("GET", "/oauth/clients", clients.index),
        Endpoint("POST", "/oauth/clients", clients.create),
        Endpoint("GET", "/oauth/clients/{id}", clients.show),
        Endpoint("PUT", "/oauth/clients/{id}", clients.update),
        Endpoint("DELETE", "/oauth/clients/{id}", clients.delete),
        Endpoint("PUT", "/oauth/clients/{id}/secret", clients.set_secret),
    ]


def _of_users(users: Users) -> list[Endpoint]:
    return [
        Endpoint("GET", "/Users", users.index),
        Endpoint("POST", "/Users", users.create),
        Endpoint("GET", "/Users/{id}", users.show),
        Endpoint("PUT", "/Users/{id}", users.update),
        Endpoint("DELETE", "/Users/{id}", users.delete),
        Endpoint("PUT", "/Users/{id}/password", users.change_password),
        Endpoint("GET", "/ids/Users", users.look_up),
    ]


def _of_groups(groups: Groups) -> list[Endpoint]:
    return [
        Endpoint("GET", "/Groups", groups.index),
        Endpoint("POST", "/Groups", groups.create),
        Endpoint("GET", "/Groups/{id}", groups.show),
        Endpoint("DELETE", "/Groups/{id}", groups.delete),
        Endpoint("GET", "/Groups/{id}/members", groups.members),
        Endpoint("POST", "/Groups/{id}/members", groups.add_member),
        Endpoint("DELETE", "/Groups/{id}/members/{member}", groups.remove_member),
    ]


def _routes(endpoints: Iterable[Endpoint]) -> list[Route]:
    """One for all methods of a path, so that Starlette says 405 for those alone that the path does not have."""
    paths: dict[str, dict[str, Handler]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method] = endpoint.handler
    return [Route(path, _serve(handlers), methods=list(handlers)) for path, handlers in paths.items()]


def _serve(handlers: dict[str, Handler]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        handler = handlers["GET" if request.method == "HEAD" else request.method]
        try:
            raw = await _body(request)
        except ClientDisconnect:
            return Response(None, 499)
        asked = Asked(request.path_params, request.query_params, request.headers, raw, _base(request))
        return _respond(await run_in_threadpool(handler, asked))

    return answer


def _base(request: Request) -> str:
    """The URL by which the client has reached us, behind whatever proxies."""
    scheme = request.headers.get("x-forwarded-proto", request.url.scheme).split(",")[0].strip()
    host = request.headers.get("x-forwarded-host") or request.url.netloc
    prefix = request.headers.get("x-forwarded-prefix", "").rstrip("/")
    return f"{'https' if scheme == 'https' else 'http'}://{host}{prefix}"


async def _body(request: Request) -> bytes:
    """Raises OAuthError 413 for what is too large."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > _LARGEST_BODY:
            raise OAuthError(413, "invalid_request", "The request is too large")
        parts.append(part)
    return b"".join(parts)


def _respond(answer: Answer) -> Response:
    headers = {**_ALWAYS, **answer.headers}
    if isinstance(answer.body, str):
        return Response(answer.body, answer.status, headers)
    if answer.body is None:
        return Response(None, answer.status, headers)
    return Response(msgspec.json.encode(answer.body), answer.status, headers, media_type="application/json")


def _discovery(issuer: str) -> dict[str, Any]:
    base = issuer.removesuffix("/oauth/token")
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{base}/oauth/authorize",
        "token_endpoint": f"{base}/oauth/token",
        "jwks_uri": f"{base}/token_keys",
        "response_types_supported": ["code", "token"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    }


async def _healthz(_request: Request) -> Response:
    return PlainTextResponse("ok")


async def _refused(_request: Request, refused: Exception) -> Response:
    assert isinstance(refused, OAuthError)
    challenge = {"WWW-Authenticate": refused.challenge} if refused.challenge else {}
    return _respond(Answer(refused.body, refused.status, challenge))


async def _not_found(_request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    word = "not_found" if status == 404 else "method_not_allowed"
    return _respond(Answer({"error": word, "error_description": "There is nothing at this address."}, status))


async def _unavailable(request: Request, error: Exception) -> Response:
    request.app.state.log.error("database", error=str(error))
    return _respond(Answer({"error": "server_error", "error_description": "The UAA's database is unavailable."}, 503))
