"""The route registrar as a process: what is started in which order, and how it ends."""

import asyncio
import contextlib
import os
import random
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cfroute import daemon, health
from cfroute.clock import Clock
from cfroute.go.syscall import reason
from cfroute.health import Answer
from cfroute.lager import Lager
from cfroute.route_registrar.config import Config
from cfroute.route_registrar.errors import RegistrationError, Unusable
from cfroute.route_registrar.health_check import HealthChecker
from cfroute.route_registrar.nats_outlet import NatsOutlet
from cfroute.route_registrar.registrar import Registrar

if TYPE_CHECKING:
    from cfroute.route_registrar.bus import Bus
    from cfroute.route_registrar.dynamic import Changes
    from cfroute.route_registrar.tcp_outlet import TcpOutlet


class Process:
    """A route registrar from its start to its end."""

    def __init__(
        self,
        config: Config,
        log: Lager,
        clock: Clock,
        chance: random.Random,
        new_guid: Callable[[], str],
        say: Callable[[str], None],
        pidfile: str = "",
    ) -> None:
        """`say` is where is told why it cannot start; its own number is written to `pidfile`, unless that is empty."""
        self._config = config
        self._log = log
        self._clock = clock
        self._chance = chance
        self._new_guid = new_guid
        self._say = say
        self._pidfile = pidfile

    async def run(self, stop: daemon.Stop) -> int:
        """Work until asked to stop; the exit status: 0, 1 for what cannot be worked with, 2 when a route cannot be told."""
        async with contextlib.AsyncExitStack() as stack:
            try:
                bus, tcp = self._bus(), await self._tcp(stack)
                self._write_pid()
                await self._serve(stop, bus, tcp)
            except Unusable as error:
                self._say(str(error))
                return 1
            except RegistrationError as error:
                self._log.fatal("Exiting with error", error=str(error))
                return 2
        self._log.info("Exiting without error")
        return 0

    def _bus(self) -> "Bus | None":
        config = self._config
        self._log.info("creating nats connection")
        if not config.servers:
            return None
        from cfroute.route_registrar.bus import Bus  # those with TCP routes alone do without

        return Bus(config.servers, config.nats_tls, self._clock, self._chance, self._log)

    async def _tcp(self, stack: contextlib.AsyncExitStack) -> "TcpOutlet | None":
        if self._config.routing_api is None:
            return None
        self._log.info("creating routing API connection")
        from cfroute.route_registrar.tcp_outlet import tcp_outlet  # and few have these

        outlet = tcp_outlet(self._config.routing_api, self._config.max_ttl, self._clock, self._log)
        stack.push_async_callback(outlet.aclose)
        return outlet

    def _write_pid(self) -> None:
        """Raises RegistrationError."""
        if not self._pidfile:
            return
        pid = os.getpid()
        self._log.info("Writing pid", pid=str(pid), file=self._pidfile)
        try:
            Path(self._pidfile).write_text(str(pid))
        except OSError as error:
            raise RegistrationError(f"open {self._pidfile}: {reason(error)}") from error

    async def _serve(self, stop: daemon.Stop, bus: "Bus | None", tcp: "TcpOutlet | None") -> None:
        """Raises RegistrationError."""
        self._log.info("Running")
        http = NatsOutlet(bus, self._new_guid(), self._config.availability_zone, self._log) if bus else None
        checker = HealthChecker(self._clock, self._log)
        registrar = Registrar(checker, http, tcp, self._config.unregistration_limit, self._clock, self._log)
        async with contextlib.AsyncExitStack() as stack:
            if bus:
                await bus.connect()
                stack.push_async_callback(bus.close)
                self._listen(bus, registrar)
            if self._config.extensions.health_address:
                await stack.enter_async_context(self._health(registrar))
            await self._until_asked(stop, registrar, bus)

    def _listen(self, bus: "Bus", registrar: Registrar) -> None:
        """Have the routes told again to those who may not have heard of them."""
        bus.on_return = registrar.repeat
        if self._config.extensions.answer_router_start:
            bus.on_router_start(registrar.repeat)

    def _health(self, registrar: Registrar) -> contextlib.AbstractAsyncContextManager[int]:
        host, _, port = self._config.extensions.health_address.rpartition(":")

        async def respond(_path: str) -> Answer:
            return Answer("200 OK", b"ok") if registrar.is_ready else Answer("503 Service Unavailable", b"starting")

        return health.responding(host, int(port), respond)

    async def _until_asked(self, stop: daemon.Stop, registrar: Registrar, bus: "Bus | None") -> None:
        """Raises RegistrationError."""
        works: list[Coroutine[Any, Any, None]] = [registrar.run(self._config.routes)]
        if bus:
            works.append(bus.given_up())
        if self._config.dynamic_globs:
            works.append(self._watch(registrar))
        working = daemon.spawn(_first_failure(works), name="route-registrar")
        if await stop.wait_or(working) and (failure := working.result()):
            raise failure
        working.cancel()
        self._log.info("Caught signal", signal=stop.signal)
        self._log.info("Received signal; shutting down")
        await registrar.unregister_all()

    async def _watch(self, registrar: Registrar) -> None:
        from cfroute.route_registrar.watcher import Watcher  # YAML, for those few who have dynamic routes

        async def take(changes: "Changes") -> None:
            for route in changes.removed:
                await registrar.remove(route)
                self._log.info("route removed", route=route)
            for route in changes.added:
                self._log.info("discovered route", route=route)
                registrar.add(route)

        await Watcher(self._config, self._clock, self._log).run(take)


async def _first_failure(works: list[Coroutine[Any, Any, None]]) -> RegistrationError | None:
    """Do all of these; what ends one of them, if it is what may."""
    try:
        await asyncio.gather(*works)
    except RegistrationError as failure:
        return failure
    return None
