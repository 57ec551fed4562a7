"""How the API is reached: the state folder's foundation, up or down, or an endpoint somewhere else that was targeted."""

import functools
import ipaddress
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from cfroute import __version__
from cfroute.cli.access.api import Api, Resource
from cfroute.cli.access.endpoints import request_error
from cfroute.cli.access.tokens import Tokens
from cfroute.cli.access.transport import REQUEST_TIMEOUT, Links
from cfroute.cli.progress import Waiting
from cfroute.cli.settings import Endpoint, Settings
from cfroute.clock import Clock
from cfroute.foundation.client import FoundationClient
from cfroute.home import Home

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from cfroute.cli.access.trace import Trace


def connect(
    home: Home,
    foundation: FoundationClient,
    settings: Settings,
    clock: Clock,
    warn: Callable[[str], None],
    trace: "Trace | None" = None,
    waiting: Waiting | None = None,
) -> Api:
    """The API that the settings name: an endpoint, or the foundation of the state folder, whether that is up or down."""
    hooks = trace.hooks() if trace else {}
    if settings.endpoint is not None:
        links, password = _elsewhere(settings.endpoint, hooks), ""
    else:
        from cfroute.foundation import secrets

        links = _network(home, foundation.info(), hooks) if foundation.is_up() else _in_process(home, hooks)
        password = secrets.load_or_create(home).admin_password
    return Api(links, Tokens(links.uaa, settings, home, password, clock), clock, warn, waiting)


def client(base: str, *, skip_ssl_validation: bool = False, ca_cert: str = "", hooks: Any = None) -> httpx.AsyncClient:
    """A client for a server somewhere else. Proxies of the environment are used, but not on the way to this machine."""
    context = ssl.create_default_context()
    if ca_cert:
        context.load_verify_locations(ca_cert)
    if skip_ssl_validation:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return httpx.AsyncClient(
        base_url=base,
        timeout=REQUEST_TIMEOUT,
        trust_env=not _is_near(urlsplit(base).hostname or ""),
        transport=_Near(verify=context) if _is_localhost(urlsplit(base).hostname or "") else None,
        verify=context,
        headers={"User-Agent": f"cfroute/{__version__}", "Accept": "application/json"},
        event_hooks=hooks or {},
    )


def _is_near(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or _is_localhost(host)


def _is_localhost(host: str) -> bool:
    return host.endswith(".localhost")


class _Near(httpx.AsyncHTTPTransport):
    """Names below `.localhost` are this machine's (RFC 6761, 6.3), but not every system's resolver knows that."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """As for any request; the certificate has to be for the name, as ever."""
        if not _is_localhost(request.url.host):
            return await super().handle_async_request(request)
        return await super().handle_async_request(
            httpx.Request(
                request.method,
                request.url.copy_with(host="127.0.0.1"),
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": request.url.host},
            )
        )


def _elsewhere(endpoint: Endpoint, hooks: Any) -> Links:
    def reach(base: str) -> httpx.AsyncClient:
        return client(base, skip_ssl_validation=endpoint.skip_ssl_validation, ca_cert=endpoint.ca_cert, hooks=hooks)

    return Links(
        reach(endpoint.url),
        reach(endpoint.login),
        users=endpoint.uaa,
        doors={"/api/v1": f"{endpoint.log_cache}/api/v1", "/routing": endpoint.routing},
        unreachable=request_error,
    )


def _network(home: Home, info: Resource, hooks: Any) -> Links:
    ca = ssl.create_default_context(cafile=home.ca)
    if external := info.get("options", {}).get("external_ca"):  # of a UAA that runs elsewhere
        ca.load_verify_locations(external)

    def reach(base: str) -> httpx.AsyncClient:
        # trust_env: a proxy of the environment must not come between us and the loopback interface.
        return httpx.AsyncClient(base_url=base, timeout=REQUEST_TIMEOUT, trust_env=False, verify=ca, event_hooks=hooks)

    return Links(reach(info["api"]), reach(info["uaa"]), supervised=True)


def _in_process(home: Home, hooks: Any) -> Links:
    from cfroute import foundation
    from cfroute.cloud_controller.local import local_app as cloud_controller
    from cfroute.uaa.local import local_app as uaa

    foundation.prepare(home)
    info = FoundationClient(home).info()
    near = _when_called(lambda: uaa(home))
    controller = httpx.ASGITransport(cloud_controller(home, near))
    return Links(
        httpx.AsyncClient(base_url=info["api"], transport=controller, event_hooks=hooks),
        httpx.AsyncClient(base_url=info["uaa"], transport=httpx.ASGITransport(near), event_hooks=hooks),
    )


def _when_called(make: Callable[[], "ASGIApp"]) -> "ASGIApp":
    """An app that is made by its first request: most commands have a token, and need no UAA."""
    made = functools.cache(make)

    async def app(scope: "Scope", receive: "Receive", send: "Send") -> None:
        await made()(scope, receive, send)

    return app
