"""The Gorouter as a running thing: what is started in which order, what it logs about that, and how it ends."""

import asyncio
import gc
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random

from cfroute.clock import Clock
from cfroute.daemon import Stop, spawn
from cfroute.gorouter import tls
from cfroute.gorouter.access_log import AccessLog, AccessLogError
from cfroute.gorouter.config import Config
from cfroute.gorouter.config_support import without_effect
from cfroute.gorouter.context import Context, Health
from cfroute.gorouter.debug import DebugListener
from cfroute.gorouter.destinations import Destinations
from cfroute.gorouter.dropsonde import Emitter, MetronAddressError
from cfroute.gorouter.errors import ErrorWriter
from cfroute.gorouter.events import Events
from cfroute.gorouter.go_log import GoLog
from cfroute.gorouter.go_template import TemplateError
from cfroute.gorouter.metrics.listener import MetricsListenerError
from cfroute.gorouter.metrics.reporter import Reporter
from cfroute.gorouter.metrics.service import Metrics
from cfroute.gorouter.nats_session import NatsError, NatsSession
from cfroute.gorouter.proxy import Proxy
from cfroute.gorouter.registry import Registry
from cfroute.gorouter.route_services import RouteServices
from cfroute.gorouter.status import StatusListeners
from cfroute.logs import Logger
from cfroute.proxy.server import Limits, ProxyServer

# Requests leave few cycles behind, and a large routing table is slow to walk: collect seldom, and never look at old routes.
_GC_THRESHOLDS = (20_000, 20, 100)
_GC_GROWTH = 1000  # routes that are new since the table was last taken out of the collector's sight
_SWEEP_SECONDS = 10.0  # between two looks for backend connections that have been idle for too long
_GO_HEADER_LIMIT = 1 << 20
_SIGNAL_NAMES = {signal.SIGTERM: "terminated", signal.SIGINT: "interrupt", signal.SIGUSR1: "user defined signal 1"}


class StartFailure(Exception):
    """The router cannot start; why has been logged."""


class Gorouter:
    """One router: `run` takes it from its start to its exit status."""

    def __init__(self, config: Config, log: Logger, clock: Clock, rng: Random, random_bytes: Callable[[int], bytes]) -> None:
        self._config = config
        self._log = log
        self._clock = clock
        self._rng = rng
        self._random_bytes = random_bytes
        self._health = Health()
        self._exit_status = 0

    async def run(self, stop: Stop) -> int:
        """Start, serve until asked to stop, end as the signal says."""
        log, config = self._log, self._config
        log.info("starting")
        for key in without_effect(config):
            log.warn("setting-without-effect", key=key)
        log.debug("local-az-set", AvailabilityZone=config.zone)
        log.info(
            "retrieved-isolation-segments",
            isolation_segments=config.isolation_segments,
            routing_table_sharding_mode=config.routing_table_sharding_mode,
        )
        try:
            async with AsyncExitStack() as parts:
                server = await self._start(parts, stop)
                await stop.wait()
                stop.asked_again = lambda number: log.info("gorouter.signal.ignored", signal=_SIGNAL_NAMES[number])
                began = self._clock.monotonic()
                if stop.signal is signal.SIGUSR1:
                    await self._drain(server)
                self._health.healthy = False
                log.info("gorouter.stopping")
        except StartFailure:
            return 1
        log.info("gorouter.stopped", took=int((self._clock.monotonic() - began) * 1e9))
        log.info("gorouter.exited")
        return self._exit_status

    # The start

    async def _start(self, parts: AsyncExitStack, stop: Stop) -> ProxyServer:
        """Start everything in upstream's order; `parts` ends it in the reverse one."""
        config, log, clock = self._config, self._log, self._clock
        access_log = self._open_access_log()
        parts.callback(access_log.close)
        emitter = self._open_emitter()
        parts.callback(emitter.close)
        metrics = Metrics(config, clock, self._rng, log)
        await self._open_metrics(metrics, parts)
        registry = Registry(config, log.session("registry"), clock, self._rng)
        registry.reporter = metrics.reporter
        destinations = Destinations(config)
        parts.callback(destinations.close)
        server = self._server(registry, destinations, access_log, metrics.reporter)
        parts.callback(server.abort)
        varz = metrics.varz_page(parts, registry)
        status = StatusListeners(config, registry, self._health, clock, varz=varz)
        parts.push_async_callback(status.close)
        await self._open(status.start(), "initialize-router-error")
        await self._open(self._open_internal(server, destinations), "new-route-services-server", "starting local listener: ")
        nats = NatsSession(config, registry, log, clock, self._rng, on_closed=lambda: self._give_up(stop), component=varz)
        parts.callback(nats.close)
        registry.source_is_up = lambda: nats.connected
        await self._connect(nats)
        metrics.watch(parts, nats, emitter)
        for work in (registry.prune_forever(), self._sweep_for_ever(destinations, registry)):
            parts.callback(spawn(work, name="housekeeping").cancel)
        gc.set_threshold(*_GC_THRESHOLDS)
        await self._warm_up(registry, stop)
        await self._open_front(server)
        log.info("gorouter.started")
        self._health.healthy = True
        return server

    def _server(
        self, registry: Registry, destinations: Destinations, access_log: AccessLog, reporter: Reporter | None = None
    ) -> ProxyServer:
        config = self._config
        errors = self._error_writer()
        go_log = GoLog(self._clock, sys.stderr.write)
        context = Context(
            config=config,
            ip=config.ip,
            registry=registry,
            route_services=RouteServices(config, registry, self._clock, self._log, errors, self._random_bytes),
            errors=errors,
            health=self._health,
            clock=self._clock,
            rng=self._rng,
            log=self._log,
            reporter=reporter,
            go_log=go_log,
        )
        limits = Limits(
            request_head=min(config.max_request_header_bytes or _GO_HEADER_LIMIT, _GO_HEADER_LIMIT),
            head_timeout=config.read_header_timeout,
            idle_timeout=config.frontend_idle_timeout,
            exchange_timeout=config.endpoint_timeout,
        )
        return ProxyServer(Proxy(context, destinations, access_log), self._clock, limits, Events(self._log, go_log))

    def _error_writer(self) -> ErrorWriter:
        path = self._config.html_error_template_file
        try:
            return ErrorWriter(self._log, Path(path).read_text(encoding="utf-8") if path else "")
        except (OSError, UnicodeError) as error:
            reason = f"open {path}: {(error.strerror or str(error)).lower()}" if isinstance(error, OSError) else str(error)
            text = f"Could not read HTML error template file: {reason}"
        except TemplateError as error:
            text = str(error)
        self._log.error("new-html-error-template-from-file", error=text)
        raise StartFailure

    def _open_emitter(self) -> Emitter:
        try:
            return Emitter(self._config.logging.metron_address, self._clock, self._log)
        except MetronAddressError as error:
            self._log.error("dropsonde-initialize-error", error=str(error))
            raise StartFailure from error

    async def _open_metrics(self, metrics: Metrics, parts: AsyncExitStack) -> None:
        """Upstream's metrics library and its debug server each have their own way of failing."""
        try:
            await metrics.serve(parts)
        except MetricsListenerError as error:
            sys.stderr.write(f"{error}\n")
            raise StartFailure from error
        if not self._config.debug_addr:
            return
        debug = DebugListener(self._config.debug_addr, self._log, self._clock)
        parts.push_async_callback(debug.close)
        try:
            await debug.start()
        except (OSError, ValueError) as error:
            self._log.error("failed-to-start-debug-server", error=str(error))

    def _open_access_log(self) -> AccessLog:
        try:
            return AccessLog(self._config, self._clock, self._log)
        except AccessLogError as error:
            self._log.error("error-creating-access-logger", error=str(error))
            raise StartFailure from error

    async def _open(self, opening: Awaitable[object], message: str, prefix: str = "") -> None:
        try:
            await opening
        except OSError as error:
            self._log.error(message, error=prefix + str(error))
            raise StartFailure from error

    async def _open_internal(self, server: ProxyServer, destinations: Destinations) -> None:
        """The listener on which the router reaches itself, for route services that are its own routes."""
        host, port = self._config.cfroute.address, self._config.route_services_internal_server_port
        theirs, ours = tls.internal_pair(self._clock.now())
        port = await server.listen(host, port, theirs)
        destinations.reach_ourselves(host, port, ours)

    async def _connect(self, nats: NatsSession) -> None:
        self._log.info("setting-up-nats-connection")
        try:
            await nats.start()
        except NatsError as error:
            raise StartFailure from error

    def _give_up(self, stop: Stop) -> None:
        """The NATS client will not try again: without it the table can only become wrong."""
        self._exit_status = 1
        stop.ask()

    async def _warm_up(self, registry: Registry, stop: Stop) -> None:
        """Let the emitters fill the table before the first request can come."""
        delay = self._config.start_delay
        self._log.debug(
            "Sleeping before returning success on /health endpoint to preload routing table", sleep_time_seconds=delay
        )
        waiting = [self._clock.sleep(delay)] if delay > 0 else []
        if self._config.cfroute.start_when_quiet_for is not None:
            waiting.append(self._quiet(registry, self._config.cfroute.start_when_quiet_for))
        for wait in waiting:
            ends = [spawn(wait, name="warm up"), spawn(stop.wait(), name="stop")]
            _, pending = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for end in pending:
                end.cancel()

    async def _quiet(self, registry: Registry, seconds: float) -> None:
        """Return once no registration has come for so long, at the latest after the time that upstream always takes."""
        latest = self._clock.monotonic() + self._config.start_response_delay_interval
        seen = -1.0
        while seen != registry.last_update and self._clock.monotonic() < latest:
            seen = registry.last_update
            await self._clock.sleep(seconds)

    async def _open_front(self, server: ProxyServer) -> None:
        config = self._config
        if config.disable_http:
            self._log.info("tcp-listener-disabled")
        else:
            await self._listen(server, "tcp-listener", config.port)
        if config.enable_ssl:
            await self._listen(server, "tls-listener", config.ssl_port)
        else:
            self._log.info("tls-listener-not-enabled")

    async def _listen(self, server: ProxyServer, name: str, port: int) -> None:
        host = self._config.cfroute.address
        context = tls.front_context(self._config) if name == "tls-listener" else None
        await self._open(server.listen(host, port, context), f"{name}-error")
        self._log.info(f"{name}-started", address={"IP": host, "Port": port, "Zone": ""})

    # Meanwhile

    async def _sweep_for_ever(self, destinations: Destinations, registry: Registry) -> None:
        frozen = 0
        while True:
            await self._clock.sleep(_SWEEP_SECONDS)
            destinations.expire(self._clock.monotonic())
            if len(registry) > frozen + _GC_GROWTH:
                frozen = len(registry)
                gc.freeze()

    # The end

    async def _drain(self, server: ProxyServer) -> None:
        config, log = self._config, self._log
        log.info("gorouter-draining", wait_seconds=config.drain_wait, timeout_seconds=config.drain_timeout)
        self._health.healthy = False
        await self._clock.sleep(config.drain_wait)
        server.stop_listening()
        log.info(f"Draining with {server.active} outstanding active connections")
        log.info(f"Draining with {len(server.connections) - server.active} outstanding idle connections")
        if not await server.drain(config.drain_timeout):
            log.info("router.drain.timed-out")
            log.error("gorouter-draining-error", error="router: Drain timeout")
