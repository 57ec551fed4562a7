"""The route emitter as a process: what is started in which order, and how it ends."""

import asyncio
import contextlib
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from cfroute import daemon
from cfroute.clock import Clock
from cfroute.diego.route_emitter import checks
from cfroute.diego.route_emitter.config import Config
from cfroute.diego.route_emitter.errors import BusError, LockLost
from cfroute.diego.route_emitter.lock import prepare
from cfroute.diego.route_emitter.members import Members
from cfroute.diego.route_emitter.routes import Rules
from cfroute.diego.route_emitter.tcp_outlet import TcpOutlet
from cfroute.errors import ConfigurationError
from cfroute.lager import Lager
from cfroute.start_error import StartError

if TYPE_CHECKING:
    from cfroute.diego.route_emitter.bus import Bus

_ENDS: Final = (StartError, BusError, ConfigurationError, LockLost)
"""What ends an emitter, besides being asked to."""


class Process:
    """A route emitter from its start to its end."""

    def __init__(self, config: Config, log: Lager, clock: Clock, chance: random.Random, new_guid: Callable[[], str]) -> None:
        self._config = config
        self._log = log
        self._clock = clock
        self._chance = chance
        self._new_guid = new_guid

    async def run(self, stop: daemon.Stop) -> int:
        """Work until asked to stop; the exit status."""
        async with contextlib.AsyncExitStack() as stack:
            working = daemon.spawn(self._outcome(stack), name="route-emitter")
            ended = await stop.wait_or(working)
            status = self._report(working.result() if ended else None)
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
        if status == 0:
            self._log.info("exited")
        return status

    def _report(self, failure: Exception | None) -> int:
        """Say how it ended; the exit status. It is 0 even for an emitter that could not go on: so it is upstream."""
        if isinstance(failure, StartError):
            return failure.report(self._log)
        if failure:
            self._log.error("finished-with-failure", error=str(failure))
        else:
            self._log.info("finished")
        return 0

    async def _outcome(self, stack: contextlib.AsyncExitStack) -> Exception | None:
        """Work; what ended that, if it is one of the things that may."""
        try:
            await self._work(stack)
        except _ENDS as failure:
            return failure
        return None

    async def _work(self, stack: contextlib.AsyncExitStack) -> None:
        """Everything, for ever."""
        config = self._config
        bus = self._bus(stack)
        bbs = checks.bbs_client(config)
        stack.push_async_callback(bbs.aclose)
        rules = Rules(
            http=not config.cfroute.tcp_only,
            internal=config.enable_internal_emitter and not config.cfroute.tcp_only,
            tcp=config.enable_tcp_emitter,
            tcp_tls=config.tcp_enable_tls,
            tcp_ttl=checks.tcp_ttl(config) if config.enable_tcp_emitter else 0,
            direct=config.register_direct_instance_routes,
        )
        tcp = [await self._tcp(stack)] if rules.tcp else []
        lock = await prepare(config, stack, self._log, self._clock, self._new_guid)
        await Members(config, rules, bbs, tcp, self._clock, self._chance, self._log).run(bus, lock)

    def _bus(self, stack: contextlib.AsyncExitStack) -> "Bus | None":
        if self._config.cfroute.tcp_only:
            return None
        from cfroute.diego.route_emitter.bus import Bus  # 2 MB, which an emitter of TCP routes alone can do without

        try:
            bus = Bus(self._config, self._log.session("nats-runner"))
        except ConfigurationError as error:
            raise StartError("failed-to-initialize-nats-client", error.message, status=1) from error
        stack.push_async_callback(bus.close)
        return bus

    async def _tcp(self, stack: contextlib.AsyncExitStack) -> TcpOutlet:
        tokens = await checks.tokens(self._config, self._clock, self._log)
        stack.push_async_callback(tokens.aclose)
        api = checks.routing_api(self._config, self._clock)
        stack.push_async_callback(api.aclose)
        return TcpOutlet(api, tokens, self._clock, self._log.session("tcp"))
