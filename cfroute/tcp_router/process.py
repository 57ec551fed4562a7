"""The process: what is checked before it starts, in which order, and how it ends."""

import asyncio
import contextlib
import signal
from typing import Final

from cfroute import daemon, health
from cfroute.clock import Clock
from cfroute.debug_server import debugging
from cfroute.errors import ConfigurationError
from cfroute.lager import Lager
from cfroute.start_error import StartError
from cfroute.tcp_router import config as configuration
from cfroute.tcp_router import flags as command_line
from cfroute.tcp_router import start_up
from cfroute.tcp_router.config import Config, ConfigError
from cfroute.tcp_router.drain import Drain
from cfroute.tcp_router.engines import EngineError
from cfroute.tcp_router.engines.choice import engine
from cfroute.tcp_router.flags import HAPROXY, LOAD_BALANCER, FlagError, Flags
from cfroute.tcp_router.members import Members
from cfroute.tcp_router.pages import Pages
from cfroute.tcp_router.parts import Parts, assemble

SIGNALS: Final = (signal.SIGUSR2,)
"""Those that end it, besides the usual ones."""


class Process:
    """A TCP router from its start to its end."""

    def __init__(self, flags: Flags, log: Lager, clock: Clock) -> None:
        self._flags = flags
        self._log = log
        self._clock = clock

    async def run(self, stop: daemon.Stop) -> int:
        """Route until asked to stop; the exit status."""
        self._log.info("starting")
        async with contextlib.AsyncExitStack() as stack:
            try:
                parts = await self._prepared(stack)
            except StartError as failure:
                return failure.report(self._log)
            if not await self._serve(parts, stop):
                self._log.error("exited-with-failure", error="a part of the router has ended")
                return 1
        self._log.info("exited")
        return 0

    async def _prepared(self, stack: contextlib.AsyncExitStack) -> Parts:
        """A router that is ready to start. Raises StartError."""
        flags, log = self._flags, self._log
        config = self._config()
        files = stack.enter_context(contextlib.ExitStack())
        try:
            chosen = engine(config, flags, files, log, self._clock)
        except EngineError as error:
            raise StartError("could not create tcp load balancer", error) from error
        try:
            command_line.check(flags)
        except FlagError as error:
            raise StartError(error.message, error, status=1) from error
        tokens = await start_up.tokens(config, flags, log, self._clock)
        stack.push_async_callback(tokens.aclose)
        api = start_up.routing_api(config, log, self._clock)
        stack.push_async_callback(api.aclose)
        await start_up.check_router_groups(config, flags, api, tokens, log)
        stack.push_async_callback(chosen.aclose)
        try:
            await chosen.start()
        except EngineError as error:
            raise StartError("could not create tcp load balancer", error) from error
        return assemble(config, flags, chosen, api, tokens, log, self._clock)

    def _config(self) -> Config:
        flags = self._flags
        if flags.tcp_load_balancer != LOAD_BALANCER:
            raise StartError("not-supported", f"unsupported tcp load balancer: {flags.tcp_load_balancer}")
        try:
            config = configuration.load(flags.config, pid_file_needed=flags.engine == HAPROXY and not flags.own_haproxy)
        except ConfigError as error:
            raise StartError("failed-to-unmarshal-config-file", error, status=1) from error
        if config.isolation_segments:
            self._log.info("retrieved-isolation-segments", isolation_segments=f"[{','.join(config.isolation_segments)}]")
        return config

    async def _serve(self, parts: Parts, stop: daemon.Stop) -> bool:
        """Work until asked to stop; whether that was why it ended."""
        drain = Drain(parts.updater, parts.applier, parts.config.drain_wait, self._log, self._clock)
        members = Members(parts)
        async with contextlib.AsyncExitStack() as stack:
            try:
                await self._listen(stack, parts.config, Pages(parts, drain))
            except ConfigurationError as error:
                self._log.error("failed-to-listen", error=error.message)
                return False
            members.start(stack)
            self._log.info("started")
            failed = daemon.spawn(members.failed(), name="failure")
            ending = daemon.spawn(self._until_over(stop, drain), name="end")
            await asyncio.wait({failed, ending}, return_when=asyncio.FIRST_COMPLETED)
            well = not failed.done()
            failed.cancel()
            ending.cancel()
        return well

    async def _listen(self, stack: contextlib.AsyncExitStack, config: Config, pages: Pages) -> None:
        """The debug server and the health port. Raises ConfigurationError."""
        await stack.enter_async_context(debugging(self._flags.debug_addr, self._log))
        extensions = config.cfroute
        if extensions.health_port:
            answering = health.responding(extensions.health_address, extensions.health_port, pages.answer)
            await stack.enter_async_context(answering)

    async def _until_over(self, stop: daemon.Stop, drain: Drain) -> None:
        await stop.wait()
        if stop.signal is signal.SIGUSR2:
            await drain.until_over(stop)
