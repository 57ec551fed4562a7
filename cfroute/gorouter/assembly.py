"""What a running router consists of, and how each part is made and opened: in upstream's order, with upstream's failures."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from cfroute.gorouter.basis import Basis
from cfroute.gorouter.context import Health
from cfroute.gorouter.debug import DebugListener
from cfroute.gorouter.metrics.listener import MetricsListenerError
from cfroute.gorouter.metrics.service import Metrics
from cfroute.gorouter.nats.session import NatsError, NatsSession
from cfroute.gorouter.routing_table.registry import Registry
from cfroute.gorouter.start_checks import StartFailure
from cfroute.gorouter.status import StatusListeners
from cfroute.gorouter.tls import contexts as tls
from cfroute.gorouter.traffic import HEADER_LIMIT, HTTP, HTTPS, INTERNAL, LocalTraffic, Traffic, open_emitter, rehearse
from cfroute.logs import Logger

if TYPE_CHECKING:
    from cfroute.gorouter.routing_api.fetcher import RouteFetcher
    from cfroute.gorouter.workers.crew import Crew


class Assembly:
    """One router's parts. `stack` ends them in the reverse order of their beginning."""

    def __init__(self, basis: Basis, stack: AsyncExitStack) -> None:
        """Makes what needs no connection. Raises StartFailure."""
        self._basis = basis
        config, log, clock, rng, _ = basis
        self._config = config
        self._log = log
        self._clock = clock
        self._stack = stack
        self.health = Health()
        self._emitter = open_emitter(config, clock, log)
        stack.callback(self._emitter.close)
        self.registry = Registry(config, log.session("registry"), clock, rng)
        self._crew = self._hire() if config.cfroute.workers > 1 else None
        self._metrics = Metrics(config, clock, rng, log, self._crew)
        self.registry.reporter = self._metrics.reporter
        self._varz = self._metrics.varz_page(stack, self.registry)
        self.traffic: Traffic = self._local_traffic() if self._crew is None else self._crew
        self._check_head_limit()

    def _hire(self) -> "Crew":
        """The workers; what would keep them from serving keeps the router from starting."""
        from cfroute.gorouter.workers.crew import Crew

        rehearse(self._config, self._emitter, self._clock, self._log)
        crew = Crew(self._config, self.registry, self._clock, self._log)
        self._stack.push_async_callback(crew.close)
        return crew

    def _local_traffic(self) -> LocalTraffic:
        reporter = self._metrics.reporter
        return LocalTraffic(self._basis, self._stack, registry=self.registry, emitter=self._emitter, reporter=reporter)

    def _check_head_limit(self) -> None:
        if self._config.max_request_header_bytes > HEADER_LIMIT:
            reason = f"Values over {HEADER_LIMIT} are limited by http.Server"
            self._log.warn("innefectual-max-header-bytes-value", error=reason)

    def feel(self, *, healthy: bool) -> None:
        """Tell everybody who asks from now on that the router wants traffic, or that it does not."""
        self.health.healthy = healthy
        self.traffic.feel(healthy=healthy)

    # What needs others

    async def open_metrics(self) -> None:
        """Open the listeners for metrics and debugging: each has its own way of failing. Raises StartFailure."""
        try:
            await self._metrics.serve(self._stack)
        except MetricsListenerError as error:
            raise StartFailure from error
        if not self._config.debug_addr:
            return
        set_level = self._log.set_level if self._crew is None else self._crew.set_level
        debug = DebugListener(self._config.debug_addr, set_level, self._clock)
        self._stack.push_async_callback(debug.close)
        try:
            await debug.start()
        except (OSError, ValueError) as error:
            self._log.error("failed-to-start-debug-server", error=str(error))

    async def open_routing_api(self) -> "RouteFetcher | None":
        """The Routing API as a source, where one is configured; asked for its routes once, if it has to be there.

        Raises StartFailure.
        """
        if not self._config.routing_api.enabled:
            return None
        from cfroute.gorouter.routing_api import fetcher as route_fetcher

        self._log.info("setting-up-routing-api")
        doing = "unable-to-fetch-token"
        try:
            log = self._log.session("route-fetcher")
            fetcher = route_fetcher.RouteFetcher(self._config, self.registry, log, self._clock)
            self._stack.push_async_callback(fetcher.close)
            if self._config.cfroute.start_without_routing_api:
                return fetcher
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
        config, log, clock, rng, _ = self._basis
        nats = NatsSession(config, self.registry, log, clock, rng, on_closed=on_closed, component=self._varz)
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
        opening = self.traffic.open(INTERNAL, host, port)
        await self._listening(opening, "new-route-services-server", "starting local listener: ")

    async def open_front(self, log: Logger) -> list[str]:
        """Open the listeners for clients; gives their addresses. Raises StartFailure."""
        config = self._config
        opened = []
        if config.disable_http:
            log.info("tcp-listener-disabled")
        else:
            opened.append(await self._open_client_port(log, HTTP, config.port))
        if config.enable_ssl:
            if missing := tls.missing_suites(config):
                self._log.warn("cipher-suites-not-available", cipher_suites=missing)
            opened.append(await self._open_client_port(log, HTTPS, config.ssl_port))
        else:
            log.info("tls-listener-not-enabled")
        return opened

    async def _open_client_port(self, log: Logger, name: str, port: int) -> str:
        host = self._config.cfroute.address
        await self._listening(self.traffic.open(name, host, port), f"{name}-error", log=log)
        shown = host or "::"
        log.info(f"{name}-started", address={"IP": shown, "Port": port, "Zone": ""})
        return f"[{shown}]:{port}" if ":" in shown else f"{shown}:{port}"

    async def _listening(self, opening: Awaitable[object], message: str, prefix: str = "", log: Logger | None = None) -> None:
        try:
            await opening
        except OSError as error:
            (log or self._log).error(message, error=prefix + str(error))
            raise StartFailure from error
