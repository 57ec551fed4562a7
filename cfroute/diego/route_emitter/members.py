"""What runs in an emitter: each part is ready before the next is started."""

import asyncio
import contextlib
import random
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from cfroute import health
from cfroute.clock import Clock
from cfroute.debug_server import debugging
from cfroute.diego.client import BBSClient
from cfroute.diego.route_emitter.config import Config
from cfroute.diego.route_emitter.emitter import Emitter, Outlet
from cfroute.diego.route_emitter.lock import Lock, holding, loss
from cfroute.diego.route_emitter.messages import InternalRegistration, Registration
from cfroute.diego.route_emitter.nats_outlet import NatsOutlet
from cfroute.diego.route_emitter.routes import Rules
from cfroute.diego.route_emitter.scheduler import Scheduler, emit_regularly
from cfroute.diego.route_emitter.table import RoutingTable
from cfroute.diego.route_emitter.tcp_outlet import TcpOutlet
from cfroute.diego.route_emitter.unregistrations import Unregistrations
from cfroute.diego.route_emitter.watcher import Watcher
from cfroute.lager import Lager

if TYPE_CHECKING:
    from cfroute.diego.route_emitter.bus import Bus

Work = Coroutine[Any, Any, None]


class Members:
    """The parts of an emitter. `tcp` is the outlet for TCP routes, if they are told."""

    def __init__(
        self,
        config: Config,
        rules: Rules,
        bbs: BBSClient,
        tcp: Sequence[TcpOutlet],
        clock: Clock,
        chance: random.Random,
        log: Lager,
    ) -> None:
        self._config = config
        self._table = RoutingTable(rules)
        self._bbs = bbs
        self._tcp = tcp
        self._clock = clock
        self._chance = chance
        self._log = log

    async def run(self, bus: "Bus | None", lock: Lock | None) -> None:
        """All of it, for ever; without `bus` only what goes without NATS, and with a lock only while it is held.

        Raises BusError, LockLost, or ConfigurationError when the health check or the debug server cannot listen.
        """
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(debugging(self._config.debug_address, self._log))
            if bus:
                await bus.connect()
            await stack.enter_async_context(health.answering(*self._config.health_listener, b""))
            await stack.enter_async_context(holding(lock))
            await asyncio.gather(loss(lock), *(self._through_nats(bus) if bus else self._tcp_only()))

    def _through_nats(self, bus: "Bus") -> list[Work]:
        count = self._config.unregistration_send_count
        log = self._log.session("nats-emitter")
        http = NatsOutlet(Registration, "router", bus, Unregistrations(count), log)
        internal: list[Outlet] = []
        if self._config.enable_internal_emitter:
            internal.append(NatsOutlet(InternalRegistration, "service-discovery", bus, Unregistrations(0), log))
        emitter = Emitter(self._table, [http, *internal, *self._tcp])
        schedulers = [self._scheduler(bus, "router", emitter, [http, *self._tcp])]
        if internal:
            schedulers.append(self._scheduler(bus, "service-discovery", emitter, internal))
        bus.on_reconnect = partial(_greet_again, schedulers)
        repeating = http.repeat(self._config.seconds("unregistration_interval"), self._clock)
        greeting = [each.run() for each in schedulers]
        return [bus.closed(), repeating, *self._always(emitter), *greeting, self._say_when_ready(schedulers)]

    def _tcp_only(self) -> list[Work]:
        emitter = Emitter(self._table, self._tcp)
        regularly = emit_regularly(partial(emitter.emit_all, self._tcp), self._clock)
        return [*self._always(emitter), regularly, self._say_when_ready(())]

    def _always(self, emitter: Emitter) -> list[Work]:
        watcher = Watcher(self._bbs, self._config.cell_id, self._table, emitter, self._clock, self._log.session("watcher"))
        return [watcher.run(self._config.seconds("sync_interval")), *(outlet.run() for outlet in self._tcp)]

    def _scheduler(self, bus: "Bus", subject: str, emitter: Emitter, outlets: Sequence[Outlet]) -> Scheduler:
        emit_all = partial(emitter.emit_all, outlets)
        log = self._log.session(f"{subject}-scheduler")
        return Scheduler(bus, subject, emit_all, self._config.jitter_factor, self._clock, self._chance, log)

    async def _say_when_ready(self, schedulers: Sequence[Scheduler]) -> None:
        for scheduler in schedulers:
            await scheduler.greeted.wait()
        self._log.info("started", cell_id=self._config.cell_id)


def _greet_again(schedulers: Sequence[Scheduler]) -> None:
    for scheduler in schedulers:
        scheduler.greet_again()
