"""Hosts where the UAA has the root path: `uaa.` and `login.` before the system's domain, as in every foundation."""

from collections.abc import Iterable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from cfroute.cloud_controller.endpoints import Endpoint, Exchange, serve
from cfroute.cloud_controller.platform import Platform

UAA_HOSTS: Final = ("uaa", "login")


def with_uaa_at_its_hosts(app: ASGIApp, platform: Platform) -> ASGIApp:
    """The app, but for requests to those hosts."""
    answer = serve(platform, Endpoint("", "/{rest:path}", _forward, open=True))
    hosts = {f"{host}.{platform.config.domain}" for host in UAA_HOSTS}

    async def wrapper(scope: Scope, receive: Receive, send: Send) -> None:
        if _host(scope["headers"]) in hosts:
            response = await answer(Request(scope, receive, send))
            await response(scope, receive, send)
        else:
            await app(scope, receive, send)

    return wrapper


async def _forward(exchange: Exchange) -> Response:
    return await exchange.platform.uaa.forward(exchange.request, await exchange.body(), "")


def _host(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The name that the client asked for, without a port."""
    host = next((value for name, value in headers if name == b"host"), b"")
    return host.decode("latin-1").lower().partition(":")[0]
