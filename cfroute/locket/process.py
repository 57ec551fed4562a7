"""The daemon: in which order it starts, and how it ends."""

import contextlib
import ssl
from collections.abc import AsyncIterator, Callable

from cfroute import daemon
from cfroute.clock import Clock
from cfroute.debug_server import debugging
from cfroute.errors import ConfigurationError
from cfroute.grpc import serving
from cfroute.lager import Lager
from cfroute.locket.config import DRIVERS, SQLITE, Config
from cfroute.locket.health_check import until_broken
from cfroute.locket.service import Service
from cfroute.locket.store import SqliteStore, Store, StoreError
from cfroute.start_error import StartError


class Process:
    """A Locket from its start to its end."""

    def __init__(self, config: Config, log: Lager, clock: Clock, new_guid: Callable[[], str]) -> None:
        self._config = config
        self._log = log
        self._clock = clock
        self._new_guid = new_guid

    async def run(self, stop: daemon.Stop) -> int:
        """Serve until asked to stop; the exit status."""
        try:
            store = self._store()
            host, port = self._listener()
            context = self._context()
        except StartError as failure:
            return failure.report(self._log)
        service = Service(store, self._clock, self._new_guid, self._log)
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(store.close)
            stack.callback(service.stop)
            try:
                await stack.enter_async_context(debugging(self._config.debug_address, self._log))
                await stack.enter_async_context(self._serving(service, host, port, context))
                await stack.enter_async_context(self._sweeping(service))
                self._log.info("started")
                await self._until_over(stop, store)
            except (ConfigurationError, StoreError) as error:
                self._log.error("exited-with-failure", error=error.message)
                return 1
        return 0

    async def _until_over(self, stop: daemon.Stop, store: Store) -> None:
        """Return when asked to stop. Raises StoreError when the database is gone for good, where that is looked at."""
        if not self._config.enable_db_health_check:
            await stop.wait()
            return
        checking = daemon.spawn(
            until_broken(store, self._clock, self._log.session("db-health-check-runner")), name="health check"
        )
        if await stop.wait_or(checking):
            raise checking.result()
        checking.cancel()

    def _store(self) -> Store:
        config = self._config
        driver, place = config.database_driver, config.database_connection_string
        try:
            if driver == SQLITE:
                return SqliteStore(place)
            if driver not in DRIVERS:
                raise StoreError(f'sql: unknown driver "{driver}"; there are {", ".join(DRIVERS)}')
            from cfroute.locket.sql_store import SqlStore  # 40 MB

            most, timeout = config.max_open_database_connections, config.operation_timeout
            return SqlStore(driver, place, ca_file=config.sql_ca_cert_file, most=most, timeout=timeout)
        except StoreError as error:
            raise StartError("sql-failed-to-connect", error) from error

    def _listener(self) -> tuple[str, int]:
        try:
            return self._config.listener
        except ConfigurationError as error:
            raise StartError("failed-invalid-listen-address", error) from error

    def _context(self) -> ssl.SSLContext:
        config = self._config
        try:
            return serving.tls_context(config.cert_file, config.key_file, config.ca_file)
        except ConfigurationError as error:
            raise StartError("invalid-tls-config", error) from error

    @contextlib.asynccontextmanager
    async def _serving(self, service: Service, host: str, port: int, context: ssl.SSLContext) -> AsyncIterator[None]:
        log = self._log.session("grpc-server")
        log.info("started")
        server = serving.Server(service.methods, self._clock, lambda peer, why: log.debug("refused", peer=peer, error=why))
        try:
            async with serving.serving(server, host, port, context):
                yield
        except ConfigurationError as error:
            log.error("failed-to-listen", error=error.message)
            raise
        finally:
            log.info("complete")

    @contextlib.asynccontextmanager
    async def _sweeping(self, service: Service) -> AsyncIterator[None]:
        log = self._log.session("burglar")
        log.info("started")
        await service.sweep()
        sweeping = daemon.spawn(service.sweep_for_ever(), name="sweep")
        try:
            yield
        finally:
            sweeping.cancel()
            log.info("complete")
