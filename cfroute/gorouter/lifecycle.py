"""The Gorouter as a running thing: what is started in which order, what it logs about that, and how it ends."""

import signal
from contextlib import AsyncExitStack
from typing import Final

from cfroute.daemon import Stop, spawn
from cfroute.gorouter.assembly import Assembly
from cfroute.gorouter.basis import Basis
from cfroute.gorouter.config_support import without_effect
from cfroute.gorouter.housekeeping import spare_the_collector, sweep_forever
from cfroute.gorouter.nats.active_apps import ActiveApps
from cfroute.gorouter.nats.session import NatsSession
from cfroute.gorouter.start_checks import StartFailure
from cfroute.gorouter.warm_up import warm_up

_LISTENERS_LOOKED_AT: Final = 1.0  # seconds between two looks whether clients can still connect
_SIGNAL_NAMES: Final = {signal.SIGTERM: "terminated", signal.SIGINT: "interrupt", signal.SIGUSR1: "user defined signal 1"}
_MEMBERS: Final = ("NATSMonitor", "subscriber", "FileDescriptor")
"""What says goodbye besides the router."""


class Gorouter:
    """One router: `run` takes it from its start to its exit status."""

    def __init__(self, basis: Basis) -> None:
        self._basis = basis
        self._config = basis.config
        self._log = basis.log
        self._router_log = basis.log.session("router")
        self._clock = basis.clock
        self._given_up = False
        self._addresses: list[str] = []

    async def run(self, stop: Stop) -> int:
        """Start, serve until asked to stop, end as the signal says. Exit status 0; 1 or 2 when something cannot be."""
        self._announce()
        try:
            async with AsyncExitStack() as stack:
                parts = Assembly(self._basis, stack)
                await self._start(parts, stack, stop)
                await stop.wait()
                if self._given_up:
                    return 1
                began = await self._end(parts, stop)
        except StartFailure as failure:
            return failure.status
        self._router_log.info("gorouter.stopped", took=int((self._clock.monotonic() - began) * 1e9))
        self._router_log.info("gorouter.exited")
        for name in _MEMBERS:
            self._log.session(name).info("exited")
        return 0

    # The start

    def _announce(self) -> None:
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

    async def _start(self, parts: Assembly, stack: AsyncExitStack, stop: Stop) -> None:
        """Start everything in upstream's order."""
        await parts.traffic.prepare()
        await parts.open_metrics()
        fetcher = await parts.open_routing_api()
        nats = await parts.connect(on_closed=lambda: self._give_up(stop))
        await parts.open_status()
        await parts.open_internal()
        nats.subscribe()
        await nats.listening()
        if fetcher is not None:
            fetcher.start()
        sweeping = sweep_forever(parts.registry, parts.traffic.expire, self._clock)
        works = [parts.registry.prune_forever(), sweeping, self._tell_active_apps_forever(parts, nats)]
        for work in works:
            stack.callback(spawn(work, name="housekeeping").cancel)
        spare_the_collector()
        await warm_up(self._config, parts.registry, self._clock, self._router_log, stop)
        if stop.asked:
            return
        self._addresses = await parts.open_front(self._router_log)
        await parts.traffic.begin()
        self._router_log.info("gorouter.started")
        parts.feel(healthy=True)
        stack.callback(spawn(self._watch_listeners(parts, stop), name="listeners").cancel)

    def _give_up(self, stop: Stop) -> None:
        """The NATS client will not try again: without it the table can only become wrong."""
        self._given_up = True
        stop.ask()

    # Meanwhile

    async def _tell_active_apps_forever(self, parts: Assembly, nats: NatsSession) -> None:
        interval = self._config.publish_active_apps_interval
        active = ActiveApps()
        while interval > 0:
            await self._clock.sleep(interval)
            for _ in active.look(parts.registry, lambda payload: nats.publish(b"router.active_apps", payload)):
                await self._clock.sleep(0)

    async def _watch_listeners(self, parts: Assembly, stop: Stop) -> None:
        """A router that nobody can connect to any more drains, so that another one takes its place."""
        while parts.traffic.accepts:
            await self._clock.sleep(_LISTENERS_LOOKED_AT)
        if not stop.asked:
            self._router_log.error("Error occurred", error=f"accept tcp {', '.join(self._addresses)}: invalid argument")
            stop.ask(signal.SIGUSR1)

    # The end

    async def _end(self, parts: Assembly, stop: Stop) -> float:
        """Drain, if that is wanted; the time when the stopping began."""
        log = self._router_log
        stop.asked_again = lambda number: log.info("gorouter.signal.ignored", signal=_SIGNAL_NAMES[number])
        drains = stop.signal is signal.SIGUSR1
        if drains:
            await self._drain(parts)
        parts.feel(healthy=False)
        log.info("gorouter.stopping")
        if drains:  # upstream closes its listeners a second time here, and says that this fails
            for address in (*self._addresses, f"{self._config.local_host}:{self._config.route_services_internal_server_port}"):
                error = f"close tcp {address}: use of closed network connection"
                log.error("error-stopping-route-services-server", error=error)
        return self._clock.monotonic()

    async def _drain(self, parts: Assembly) -> None:
        config, log, traffic = self._config, self._router_log, parts.traffic
        log.info("gorouter-draining", wait_seconds=config.drain_wait, timeout_seconds=config.drain_timeout)
        parts.feel(healthy=False)
        await self._clock.sleep(config.drain_wait)
        active, idle = await traffic.stop_listening()
        log.info(f"Draining with {active} outstanding active connections")
        log.info(f"Draining with {idle} outstanding idle connections")
        if not await traffic.drain(config.drain_timeout):
            log.info("router.drain.timed-out")
            log.error("gorouter-draining-error", error="router: Drain timeout")
