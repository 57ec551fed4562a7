"""What a running router consists of, and how each part is made and opened: in upstream's order, with upstream's failures."""

import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from random import Random
from typing import TYPE_CHECKING, Final

from cfroute.clock import Clock
from cfroute.gorouter import start_checks, tls
from cfroute.gorouter.access_file import AccessLogError
from cfroute.gorouter.access_log import AccessLog
from cfroute.gorouter.access_targets import open_access_log
from cfroute.gorouter.config import Config
from cfroute.gorouter.context import Context, Health
from cfroute.gorouter.debug import DebugListener
from cfroute.gorouter.destinations import Destinations
from cfroute.gorouter.dropsonde import Emitter, MetronAddressError
from cfroute.gorouter.errors import ErrorWriter
from cfroute.gorouter.events import Events
from cfroute.gorouter.front_tls import FrontTerms
from cfroute.gorouter.go_log import GoLog
from cfroute.gorouter.http_events import http_events
from cfroute.gorouter.listening import listen
from cfroute.gorouter.metrics.listener import MetricsListenerError
from cfroute.gorouter.metrics.service import Metrics
from cfroute.gorouter.nats_session import NatsError, NatsSession
from cfroute.gorouter.proxy import Proxy
from cfroute.gorouter.registry import Registry
from cfroute.gorouter.route_services import RouteServices
from cfroute.gorouter.status import StatusListeners
from cfroute.http2.negotiation import Negotiated
from cfroute.logs import Logger
from cfroute.proxy.server import Limits, ProxyServer

if TYPE_CHECKING:
    from cfroute.gorouter.route_fetcher import RouteFetcher

_GO_HEADER_LIMIT: Final = 1 << 20  # bytes


class StartFailure(Exception):
    """The router cannot start; why has been logged."""

    def __init__(self, status: int = 1) -> None:
        super().__init__(status)
        self.status = status


class Assembly:
    """One router's parts. `stack` ends them in the reverse order of their beginning."""

    def __init__(
        self,
        config: Config,
        log: Logger,
        clock: Clock,
        rng: Random,
        random_bytes: Callable[[int], bytes],
        stack: AsyncExitStack,
    ) -> None:
        """Makes what needs no connection. Raises StartFailure."""
        self._config = config
        self._log = log
        self._clock = clock
        self._rng = rng
        self._random_bytes = random_bytes
        self._stack = stack
        self.health = Health()
        self._emitter = self._open_emitter()
        stack.callback(self._emitter.close)
        self._access_log = self._open_access_log()
        stack.callback(self._access_log.close)
        self._metrics = Metrics(config, clock, rng, log)
        self.registry = Registry(config, log.session("registry"), clock, rng)
        self.registry.reporter = self._metrics.reporter
        self._varz = self._metrics.varz_page(stack, self.registry)
        self.destinations = Destinations(config)
        stack.callback(self.destinations.close)
        self.server = self._server()
        stack.callback(self.server.abort)
        stack.callback(self._access_log.close)  # before the rest is cut off: how that ended is told to nobody

    def _open_access_log(self) -> AccessLog:
        try:
            return open_access_log(self._config, self._emitter, self._clock, self._log)
        except AccessLogError as error:
            self._log.error("error-creating-access-logger", error=str(error))
            raise StartFailure from error

    def _open_emitter(self) -> Emitter:
        try:
            return Emitter(self._config.logging.metron_address, self._clock, self._log)
        except MetronAddressError as error:
            self._log.error("dropsonde-initialize-error", error=str(error))
            raise StartFailure from error

    def _server(self) -> ProxyServer:
        config, log = self._config, self._log
        errors = self._error_writer()
        go_log = GoLog(self._clock, sys.stderr.write)
        self._check_allowlist()
        self._check_head_limit()
        context = Context(
            config=config,
            ip=config.ip,
            registry=self.registry,
            route_services=RouteServices(config, self.registry, self._clock, log, errors, self._random_bytes),
            errors=errors,
            health=self.health,
            clock=self._clock,
            rng=self._rng,
            log=log,
            go_log=go_log,
            reporter=self._metrics.reporter,
        )
        limits = Limits(
            request_head=_GO_HEADER_LIMIT,
            head_timeout=config.read_header_timeout,
            idle_timeout=config.frontend_idle_timeout,
            exchange_timeout=config.endpoint_timeout,
            half_duplex=not config.enable_http1_concurrent_read_write,
        )
        events = http_events(config, self._emitter, self._clock)
        proxy = Proxy(context, self.destinations, self._access_log, events)
        secure_front = Negotiated if config.enable_http2 else None
        return ProxyServer(proxy, self._clock, limits, Events(log, go_log), secure_front)

    def _error_writer(self) -> ErrorWriter:
        try:
            return start_checks.error_writer(self._config, self._log)
        except start_checks.TemplateProblem as problem:
            self._log.error("new-html-error-template-from-file", error=str(problem))
            raise StartFailure from problem

    def _check_allowlist(self) -> None:
        """Upstream panics: that is another exit status than that of other failures."""
        problem = start_checks.allowlist_problem(self._config)
        if problem is not None:
            self._log.error("allowlist-entry-invalid", error=problem)
            sys.stderr.write("panic: allowlist-entry-invalid\n")
            raise StartFailure(2)

    def _check_head_limit(self) -> None:
        if self._config.max_request_header_bytes > _GO_HEADER_LIMIT:
            reason = f"Values over {_GO_HEADER_LIMIT} are limited by http.Server"
            self._log.warn("innefectual-max-header-bytes-value", error=reason)

    # What needs others

    async def open_metrics(self) -> None:
        """Open the listeners for metrics and debugging: each has its own way of failing. Raises StartFailure."""
        try:
            await self._metrics.serve(self._stack)
        except MetricsListenerError as error:
            raise StartFailure from error
        if not self._config.debug_addr:
            return
        debug = DebugListener(self._config.debug_addr, self._log, self._clock)
        self._stack.push_async_callback(debug.close)
        try:
            await debug.start()
        except (OSError, ValueError) as error:
            self._log.error("failed-to-start-debug-server", error=str(error))

    async def open_routing_api(self) -> "RouteFetcher | None":
        """The Routing API as a source, asked for its routes once, where one is configured. Raises StartFailure."""
        if not self._config.routing_api.enabled:
            return None
        from cfroute.gorouter import route_fetcher

        self._log.info("setting-up-routing-api")
        doing = "unable-to-fetch-token"
        try:
            log = self._log.session("route-fetcher")
            fetcher = route_fetcher.RouteFetcher(self._config, self.registry, log, self._clock)
            self._stack.push_async_callback(fetcher.close)
            await fetcher.check()
            doing = "routing-api-connection-failed"
            await fetcher.fetch()
        except route_fetcher.FAILURES as error:
            self._log.error(doing, error=str(error))
            raise StartFailure from error
        return fetcher

    async def connect(self, on_closed: Callable[[], object]) -> NatsSession:
        """Connect to NATS. `on_closed` is told when the client has given up for good. Raises StartFailure."""
        self._log.info("setting-up-nats-connection")
        nats = NatsSession(
            self._config, self.registry, self._log, self._clock, self._rng, on_closed=on_closed, component=self._varz
        )
        self._stack.callback(nats.close)
        self.registry.source_is_up = lambda: nats.connected
        try:
            await nats.connect()
        except NatsError as error:
            raise StartFailure from error
        self._metrics.watch(self._stack, nats, self._emitter)
        return nats

    async def open_status(self) -> None:
        """Open the listeners for health and routes. Raises StartFailure."""
        status = StatusListeners(self._config, self.registry, self.health, self._clock, varz=self._varz)
        self._stack.push_async_callback(status.close)
        await self._listening(status.start(), "initialize-router-error")

    async def open_internal(self) -> None:
        """Open the listener on which the router reaches itself, for route services that are its own routes."""
        host, port = self._config.local_host, self._config.route_services_internal_server_port
        theirs, ours = tls.internal_pair(self._clock.now())
        opening = listen(host, port, lambda host, port: self.server.listen(host, port, theirs))
        await self._listening(opening, "new-route-services-server", "starting local listener: ")
        self.destinations.reach_ourselves(host, port, ours)

    async def open_front(self, log: Logger) -> list[str]:
        """Open the listeners for clients; gives their addresses. Raises StartFailure."""
        config = self._config
        opened = []
        if config.disable_http:
            log.info("tcp-listener-disabled")
        else:
            opened.append(await self._open_client_port(log, "tcp-listener", config.port))
        if config.enable_ssl:
            opened.append(await self._open_client_port(log, "tls-listener", config.ssl_port, self._front_terms()))
        else:
            log.info("tls-listener-not-enabled")
        return opened

    def _front_terms(self) -> FrontTerms:
        missing = tls.missing_suites(self._config)
        if missing:
            self._log.warn("cipher-suites-not-available", cipher_suites=missing)
        protocols = ["h2", "http/1.1"] if self._config.enable_http2 else []
        return FrontTerms(self._config, protocols, self._log)

    async def _open_client_port(self, log: Logger, name: str, port: int, terms: FrontTerms | None = None) -> str:
        host, proxied = self._config.cfroute.address, self._config.enable_proxy
        opening = listen(host, port, lambda host, port: self.server.listen(host, port, terms, proxied=proxied))
        await self._listening(opening, f"{name}-error", log=log)
        shown = host or "::"
        log.info(f"{name}-started", address={"IP": shown, "Port": port, "Zone": ""})
        return f"[{shown}]:{port}" if ":" in shown else f"{shown}:{port}"

    async def _listening(self, opening: Awaitable[object], message: str, prefix: str = "", log: Logger | None = None) -> None:
        try:
            await opening
        except OSError as error:
            (log or self._log).error(message, error=prefix + str(error))
            raise StartFailure from error
