"""The router's own small listeners: health, and the routing table.

    status.port          /health, /is-process-alive-do-not-use-for-loadbalancing
    status.tls.port      the same over TLS, where a certificate is configured
    status.routes.port   /routes and /cfroute/table, with Basic authentication

In upstream's deprecated mode (`status.enable_deprecated_varz_healthz_endpoints`) the first of them is at status.host, and answers
for /health, /healthz, and with authentication for /varz and /routes.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Final, Protocol
from urllib.parse import parse_qs

from cfroute.clock import Clock
from cfroute.daemon import spawn
from cfroute.gorouter import table
from cfroute.gorouter.config import Config
from cfroute.gorouter.pages import NOT_FOUND, TEXT, UNAUTHORIZED, Answer, Pages, Request, authorized
from cfroute.gorouter.routing_table.registry import Registry
from cfroute.gorouter.tls.contexts import status_context

_SAMPLE_EVERY: Final = 1.0  # seconds
_UNCACHED: Final = b"Cache-Control: private, max-age=0\r\nExpires: 0\r\n"
_JSON: Final = b"Connection: close\r\nContent-Type: application/json\r\n"
_ROUTES: Final = ("/routes", "/cfroute/table")
_ALIVE: Final = "/is-process-alive-do-not-use-for-loadbalancing"
_EVERYWHERE: Final = "0.0.0.0"  # noqa: S104  (the default of status.host, not an address to bind)

_HEALTHY: Final = Answer(200, b"ok\n", _UNCACHED, TEXT)
_UNHEALTHY: Final = Answer(503, b"", _UNCACHED)
_HEALTHZ: Final = Answer(200, b"ok", b"Connection: close\r\nContent-Type: text/plain\r\n")


class Health(Protocol):
    """Whether the router wants traffic."""

    @property
    def healthy(self) -> bool: ...


class StatusListeners:
    """The listeners of one router, and the sampling of its counters."""

    def __init__(
        self,
        config: Config,
        registry: Registry,
        health: Health,
        clock: Clock,
        *,
        varz: Callable[[], bytes] | None = None,
    ) -> None:
        """`varz` makes the page of the deprecated mode."""
        self._config = config
        self._registry = registry
        self._health = health
        self._clock = clock
        self._varz = varz
        self._rates = table.Rates()
        self._credentials = f"{config.status.user}:{config.status.password}".encode()
        self._pages = Pages(clock)
        self._sampling: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the listeners that are configured. Raises OSError."""
        status, host, pages = self._config.status, self._config.cfroute.address, self._pages
        if self._varz is not None:
            theirs = host if status.host == _EVERYWHERE else status.host
            await pages.listen(theirs, status.port, self._answer_deprecated)
        elif status.enable_nontls_health_checks:
            await pages.listen(host, status.port, self._answer_health)
        if status.tls.certificate:
            await pages.listen(host, status.tls.port, self._answer_health, status_context(self._config))
        await pages.listen(self._config.local_host, status.routes.port, self._answer_routes)
        self._sampling = spawn(self._sample_for_ever(), name="sample the request counters")

    @property
    def ports(self) -> list[int]:
        """The ports that are listened on, in the order above."""
        return self._pages.ports

    async def close(self) -> None:
        """Stop listening, and end the connections that are there."""
        if self._sampling is not None:
            self._sampling.cancel()
        await self._pages.close()

    async def _sample_for_ever(self) -> None:
        while True:
            for _ in self._rates.sample(list(self._registry), self._clock.monotonic()):
                await self._clock.sleep(0)
            await self._clock.sleep(_SAMPLE_EVERY)

    # What is answered

    def _answer_health(self, request: Request) -> Answer:
        if request.path == "/health":
            return _HEALTHY if self._health.healthy else _UNHEALTHY
        if self._config.cfroute.routes_on_status_port and request.path in _ROUTES:
            return self._answer_routes(request)
        return _HEALTHY if request.path == _ALIVE else NOT_FOUND

    def _answer_deprecated(self, request: Request) -> Answer:
        if request.path == "/health":
            return _HEALTHY if self._health.healthy else _UNHEALTHY
        if request.path == "/healthz":
            return _HEALTHZ
        if request.path == "/varz" and self._varz is not None and authorized(request, self._credentials):
            return Answer(200, self._varz() + b"\n", _JSON)
        if request.path in ("/varz", "/routes"):
            return self._answer_routes(request)
        return NOT_FOUND

    def _answer_routes(self, request: Request) -> Answer:
        if not authorized(request, self._credentials):
            return UNAUTHORIZED
        if request.path == "/routes":
            return Answer(200, first=_JSON, pieces=table.upstream_routes(self._registry))
        if request.path == "/cfroute/table":
            return Answer(200, first=_JSON, pieces=self._table(request.query))
        return NOT_FOUND

    def _table(self, query: str) -> Iterator[bytes]:
        """The table, or with `?prefix=` only the routes that begin with it."""
        prefix = parse_qs(query).get("prefix", [""])[-1].lower()
        pools = [pool for pool in self._registry if pool.uri.startswith(prefix)]
        name = f"gorouter/{self._config.index}"
        return table.table(name, self._clock.now(), pools, self._rates, self._clock.monotonic())
