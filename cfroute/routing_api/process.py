"""The process: what is checked before it starts, in which order, and how it ends."""

import contextlib
import ssl
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from cfroute import daemon
from cfroute.clock import Clock
from cfroute.debug_server import debugging
from cfroute.errors import CfrouteError, ConfigurationError
from cfroute.lager import Lager
from cfroute.routing_api.config import NO_LOCK, Config
from cfroute.routing_api.database import Database, DatabaseError, open_database
from cfroute.routing_api.errors import ApiError
from cfroute.routing_api.flags import Flags
from cfroute.routing_api.lock import Alone, Lock, LocketUnreachable, LockLost, of_locket
from cfroute.routing_api.members import Members
from cfroute.routing_api.statsd import Statsd, StatsdError
from cfroute.routing_api.uaa import Everybody, Guard, Uaa
from cfroute.routing_api.upserts import NewGuid
from cfroute.start_error import StartError
from cfroute.uaa.client import UaaError

_TAKE_OVER: Final = 5.0  # s, besides retry_interval, in which another one can take over


class Process:
    """A Routing API from its start to its end."""

    def __init__(self, config: Config, flags: Flags, log: Lager, clock: Clock, new_guid: NewGuid) -> None:
        self._config = config
        self._flags = flags
        self._log = log
        self._clock = clock
        self._new_guid = new_guid

    async def run(self, stop: daemon.Stop) -> int:
        """Serve until asked to stop; the exit status."""
        async with contextlib.AsyncExitStack() as stack:
            try:
                await self._debug_server(stack)
                database, statsd = self._database(stack), self._statsd(stack)
                lock = await self._lock(stack)
                guard = await self._guard(stack)
                self._check_certificates()
            except StartError as failure:
                return failure.report(self._log)
            members = Members(self._config, self._flags.ip, database, statsd, guard, self._log, self._clock, self._new_guid)
            return await self._serve(stop, members, lock)

    # Before the lock

    async def _debug_server(self, stack: contextlib.AsyncExitStack) -> None:
        address = self._config.debug_address
        try:
            await stack.enter_async_context(debugging(address, self._log))
        except ConfigurationError as error:
            self._log.error("failed-debug-server", debug_address=address, error=str(error))  # and goes on without

    def _database(self, stack: contextlib.AsyncExitStack) -> Database:
        place = {"host": self._config.sqldb.host, "port": self._config.sqldb.port}
        self._log.info("database", **place)
        try:
            database = open_database(self._config.sqldb, skip_ssl_validation=self._config.skip_ssl_validation)
        except DatabaseError as error:
            raise StartError("failed-initialize-sql-connection", error, status=1, data=place) from error
        stack.callback(database.close)
        return database

    def _statsd(self, stack: contextlib.AsyncExitStack) -> Statsd:
        try:
            statsd = Statsd(self._config.statsd_endpoint)
        except StatsdError as error:
            raise StartError("failed-to-create-statsd-client", error, status=1) from error
        stack.callback(statsd.close)
        return statsd

    async def _lock(self, stack: contextlib.AsyncExitStack) -> Lock:
        if self._config.locket.locket_address in NO_LOCK:
            return Alone()
        try:
            return await stack.enter_async_context(of_locket(self._config, self._log, self._clock, self._new_guid))
        except (ConfigurationError, LocketUnreachable) as error:
            # To run without the lock that was asked for would let two of them write.
            raise StartError("failed-to-create-locket-client", error) from error

    async def _guard(self, stack: contextlib.AsyncExitStack) -> Guard:
        if self._flags.dev_mode:
            return Everybody()
        try:
            uaa = Uaa(self._config, self._clock, self._log)
            await uaa.start()
        except UaaError as error:
            raise StartError("creating-uaa-client", error, status=1) from error
        stack.push_async_callback(uaa.close)
        return uaa

    def _check_certificates(self) -> None:
        api = self._config.api
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(api.mtls_server_cert_file, api.mtls_server_key_file)
            context.load_verify_locations(api.mtls_client_ca_file)
        except OSError as error:  # SSLError is one
            raise StartError("mtls-mis-configured", error) from error

    # With the lock

    async def _serve(self, stop: daemon.Stop, members: Members, lock: Lock) -> int:
        acquiring = daemon.spawn(lock.acquire(), name="lock")
        try:
            if await stop.wait_or(acquiring):
                async with members.running():
                    self._log.info("started", port=self._config.api.listen_port)
                    await self._until_over(stop, lock)
                if self._config.cfroute.leave_at_once:
                    await lock.release()
                if stop.signal is not None:
                    # Upstream's members that are long done wait for their end, too.
                    self._log.session("seeding").info("received-signal", signal=stop.signal)
                    self._log.session("migration").info("received signal", signal=stop.signal)
            else:
                acquiring.cancel()
                await lock.release()
        except (CfrouteError, ApiError, SQLAlchemyError, LockLost) as error:
            self._log.error("shutdown-error", error=str(getattr(error, "orig", None) or error))
            if not isinstance(error, LockLost):
                await lock.release()
            return 1
        finally:
            acquiring.cancel()
        self._log.info("exited")
        return 0

    async def _until_over(self, stop: daemon.Stop, lock: Lock) -> None:
        """Return when asked to stop and whoever waited for the lock had time to take over. Raises LockLost."""
        lost = daemon.spawn(lock.lost(), name="lock lost")
        failed = await stop.wait_or(lost)
        lost.cancel()
        if not self._config.cfroute.leave_at_once:
            if not failed:
                await lock.release()
            if lock.contended:
                await self._clock.sleep(self._config.retry_interval + _TAKE_OVER)
        if failed:
            raise LockLost("lost the lock")
