"""The UAA's HTTP surface."""

import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from cfroute.clock import Clock
from cfroute.logs import Logger
from cfroute.uaa.config import Config
from cfroute.uaa.grants import OAuthError, TokenEndpoint
from cfroute.uaa.keys import SigningKey
from cfroute.uaa.store import Store

VERSION = "77.20.0"
_LARGEST_FORM = 64 * 1024


def json_response(body: Any, status: int = 200) -> Response:
    return Response(
        msgspec.json.encode(body),
        status,
        {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
        media_type="application/json",
    )


def build(config: Config, store: Store, key: SigningKey, clock: Clock, new_id: Callable[[], str]) -> Starlette:
    """The ASGI app over an open store."""
    endpoint = TokenEndpoint(config, store, key, clock, new_id)

    async def token(request: Request) -> Response:
        form = await _form(request)
        return json_response(await run_in_threadpool(endpoint.answer, request.headers, form))

    app = Starlette(
        routes=[
            Route("/oauth/token", token, methods=["POST"]),
            Route("/token_key", _fixed(key.public)),
            Route("/token_keys", _fixed({"keys": [key.public]})),
            Route("/.well-known/openid-configuration", _fixed(_discovery(config.issuer))),
            Route("/login", _login),
            Route("/healthz", _healthz),
        ],
        exception_handlers={OAuthError: _refused, HTTPException: _not_found, sqlite3.Error: _unavailable},
    )
    app.state.log = Logger("uaa")
    return app


def _fixed(body: Any) -> Callable[[Request], Awaitable[Response]]:
    async def answer(_request: Request) -> Response:
        return json_response(body)

    return answer


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


async def _form(request: Request) -> dict[str, str]:
    body = await request.body()
    if len(body) > _LARGEST_FORM:
        raise OAuthError(413, "invalid_request", "The form is too large")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    except UnicodeDecodeError:
        raise OAuthError(400, "invalid_request", "The form is not UTF-8") from None


async def _login(request: Request) -> Response:
    base = str(request.base_url).rstrip("/")
    passcode = f"Temporary Authentication Code ( Get one at {base}/passcode )"
    return json_response(
        {
            "app": {"version": VERSION},
            "prompts": {
                "username": ["text", "Email"],
                "password": ["password", "Password"],
                "passcode": ["password", passcode],
            },
            "links": {"uaa": base, "login": base},
            "zone_name": "uaa",
        }
    )


async def _healthz(_request: Request) -> Response:
    return PlainTextResponse("ok")


async def _refused(_request: Request, refused: Exception) -> Response:
    assert isinstance(refused, OAuthError)
    return json_response(refused.body, refused.status)


async def _not_found(_request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    word = "not_found" if status == 404 else "method_not_allowed"
    return json_response({"error": word, "error_description": "There is nothing at this address."}, status)


async def _unavailable(request: Request, error: Exception) -> Response:
    request.app.state.log.error("database", error=str(error))
    return json_response({"error": "server_error", "error_description": "The UAA's database is unavailable."}, 503)
