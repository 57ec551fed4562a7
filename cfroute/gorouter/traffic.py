"""What serves the clients in this process: the data plane, with a router's decisions in it and its listeners in front."""

import socket
import ssl
import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final, Protocol

from cfroute.clock import Clock
from cfroute.go.log import GoLog
from cfroute.gorouter import start_checks
from cfroute.gorouter.basis import Basis
from cfroute.gorouter.config import Config
from cfroute.gorouter.context import Context, Health
from cfroute.gorouter.destinations import Destinations
from cfroute.gorouter.errors import ErrorWriter
from cfroute.gorouter.events import Events
from cfroute.gorouter.listening import listen
from cfroute.gorouter.logs.access_file import AccessLogError
from cfroute.gorouter.logs.access_log import AccessLog
from cfroute.gorouter.logs.access_targets import open_access_log
from cfroute.gorouter.logs.dropsonde import Emitter, MetronAddressError
from cfroute.gorouter.logs.http_events import http_events
from cfroute.gorouter.metrics.reporter import Reporter
from cfroute.gorouter.proxy import Proxy
from cfroute.gorouter.route_services import RouteServices
from cfroute.gorouter.routing_table.registry import Registry
from cfroute.gorouter.start_checks import StartFailure
from cfroute.gorouter.tls import contexts as tls
from cfroute.gorouter.tls.front import FrontTerms
from cfroute.http2.negotiation import Negotiated
from cfroute.logs import Logger
from cfroute.proxy.server import Limits, ProxyServer

if TYPE_CHECKING:
    from cfroute.gorouter.workers.tally import Tally

HEADER_LIMIT: Final = 1 << 20  # bytes: Go's
HTTP, HTTPS, INTERNAL = "tcp-listener", "tls-listener", "internal"
"""The doors: clients come in by the first two, which are called as in the log, and the router itself by the last."""


class Traffic(Protocol):
    """Who serves the clients of a router."""

    async def prepare(self) -> None:
        """Begin with whatever takes a while."""

    async def open(self, door: str, host: str, port: int) -> None:
        """Listen there, or on all addresses if there is no host. Raises CannotListen."""

    async def begin(self) -> None:
        """Return once everybody who comes in is served. Raises StartFailure."""

    @property
    def accepts(self) -> bool:
        """Whether all sockets that should listen still do."""

    def feel(self, *, healthy: bool) -> None:
        """Say so in the requests that ask for the router's health."""

    def expire(self, now: float) -> None:
        """End what has been idle for too long, at that monotonic time."""

    async def stop_listening(self) -> tuple[int, int]:
        """Let nobody else in; how many connections have a request, and how many have none."""

    async def drain(self, seconds: float) -> bool:
        """Finish the requests under way; whether all of them were finished in that time."""


class LocalTraffic:
    """Serves them itself. `stack` ends it."""

    def __init__(
        self,
        basis: Basis,
        stack: AsyncExitStack,
        *,
        registry: Registry,
        emitter: Emitter,
        reporter: Reporter | None,
        tally: "Tally | None" = None,
    ) -> None:
        """Raises StartFailure, after logging why."""
        config, log, clock, rng, random_bytes = basis
        self._config = config
        self._log = log
        self._clock = clock
        self._health = Health()
        self._internal: ssl.SSLContext | None = None
        access_log = _open_access_log(config, emitter, clock, log)
        stack.callback(access_log.close)
        self.destinations = Destinations(config)
        stack.callback(self.destinations.close)
        errors = _error_writer(config, log)
        _check_allowlist(config, log)
        go_log = GoLog(clock, sys.stderr.write)
        context = Context(
            config=config,
            ip=config.ip,
            registry=registry,
            route_services=RouteServices(config, registry, clock, log, errors, random_bytes),
            errors=errors,
            health=self._health,
            clock=clock,
            rng=rng,
            log=log,
            go_log=go_log,
            reporter=reporter,
            tally=tally,
        )
        proxy = Proxy(context, self.destinations, access_log, http_events(config, emitter, clock))
        secure_front = Negotiated if config.enable_http2 else None
        self.server = ProxyServer(proxy, clock, _limits(config), Events(log, go_log), secure_front)
        stack.callback(self.server.abort)
        stack.callback(access_log.close)  # before the rest is cut off: how that ended is told to nobody

    # Doors

    async def prepare(self) -> None:
        """There is nothing to wait for."""

    async def open(self, door: str, host: str, port: int) -> None:
        """Listen and serve there, or on all addresses if there is no host. Raises CannotListen."""
        if door == INTERNAL:
            self.reach_ourselves(tls.internal_identity(self._clock.now()))
        terms, proxied = self._terms(door)
        await listen(host, port, lambda host, port: self.server.listen(host, port, terms, proxied=proxied))

    async def serve(self, door: str, listener: socket.socket) -> None:
        """Serve who comes to a socket that listens already."""
        terms, proxied = self._terms(door)
        await self.server.serve(listener, terms, proxied=proxied)

    def reach_ourselves(self, identity: tls.Identity) -> None:
        """Show this identity at the internal door, on both of its sides, and send there what may be sent internally."""
        config = self._config
        self._internal, client = tls.internal_pair(identity)
        self.destinations.reach_ourselves(config.local_host, config.route_services_internal_server_port, client)

    def _terms(self, door: str) -> tuple[FrontTerms | ssl.SSLContext | None, bool]:
        """On which terms TLS is spoken at that door, and whether a PROXY line may come first."""
        config = self._config
        if door == INTERNAL:
            return self._internal, False
        protocols = ["h2", "http/1.1"] if config.enable_http2 else []
        return FrontTerms(config, protocols, self._log) if door == HTTPS else None, config.enable_proxy

    async def begin(self) -> None:
        """Whoever comes in is served already."""

    @property
    def accepts(self) -> bool:
        """Whether all sockets that should listen still do."""
        return self.server.accepts

    def feel(self, *, healthy: bool) -> None:
        """Say so in the requests that ask for the router's health."""
        self._health.healthy = healthy

    def expire(self, now: float) -> None:
        """End what has been idle for too long, at that monotonic time."""
        self.destinations.expire(now)

    # The end

    async def stop_listening(self) -> tuple[int, int]:
        """Let nobody else in; how many connections have a request, and how many have none."""
        self.server.stop_listening()
        active = self.server.active
        return active, len(self.server.connections) - active

    async def drain(self, seconds: float) -> bool:
        """Finish the requests under way; whether all of them were finished in that time."""
        return await self.server.drain(seconds)


def rehearse(config: Config, emitter: Emitter, clock: Clock, log: Logger) -> None:
    """Find out what would keep clients from being served, for those who have that done by others. Raises StartFailure."""
    _open_access_log(config, emitter, clock, log).close()
    _error_writer(config, log)
    _check_allowlist(config, log)


def open_emitter(config: Config, clock: Clock, log: Logger) -> Emitter:
    """What sends to metron. Raises StartFailure, after logging why."""
    try:
        return Emitter(config.logging.metron_address, clock, log)
    except MetronAddressError as error:
        log.error("dropsonde-initialize-error", error=str(error))
        raise StartFailure from error


def _open_access_log(config: Config, emitter: Emitter, clock: Clock, log: Logger) -> AccessLog:
    try:
        return open_access_log(config, emitter, clock, log)
    except AccessLogError as error:
        log.error("error-creating-access-logger", error=str(error))
        raise StartFailure from error


def _error_writer(config: Config, log: Logger) -> ErrorWriter:
    try:
        return start_checks.error_writer(config, log)
    except start_checks.TemplateProblem as problem:
        log.error("new-html-error-template-from-file", error=str(problem))
        raise StartFailure from problem


def _check_allowlist(config: Config, log: Logger) -> None:
    """Upstream panics: that is another exit status than that of other failures."""
    problem = start_checks.allowlist_problem(config)
    if problem is not None:
        log.error("allowlist-entry-invalid", error=problem)
        sys.stderr.write("panic: allowlist-entry-invalid\n")
        raise StartFailure(2)


def _limits(config: Config) -> Limits:
    return Limits(
        request_head=HEADER_LIMIT,
        head_timeout=config.read_header_timeout,
        idle_timeout=config.frontend_idle_timeout,
        exchange_timeout=config.endpoint_timeout,
        half_duplex=not config.enable_http1_concurrent_read_write,
    )
