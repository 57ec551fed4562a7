"""The routing database: SQLite, MySQL (or MariaDB), PostgreSQL, as upstream's `sqldb` section names and secures it.

Whoever writes stands in one line (a single thread), and readers have threads of their own.
"""

import asyncio
import contextlib
import ssl
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.exc import SQLAlchemyError

from cfroute import sqlite
from cfroute.routing_api.config import SqlDB
from cfroute.routing_api.errors import ApiError, unavailable

T = TypeVar("T")

_READERS: Final = 4
_TIMEOUT: Final = 10  # s, to connect


class DatabaseError(Exception):
    """The database cannot be used."""


class Database:
    """Runs work on the database in threads, each piece in one transaction."""

    def __init__(self, engine: Engine, kept: contextlib.ExitStack | None = None) -> None:
        """`kept` is closed with the database."""
        self._kept = kept or contextlib.ExitStack()
        self._engine = engine
        self._write_engine = engine.execution_options(cfroute_begin="IMMEDIATE")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="routing-database-writer")
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="routing-database-reader")

    async def read(self, work: Callable[[Connection], T]) -> T:
        """What the work finds. Raises ApiError."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._reading, work)

    async def write(self, work: Callable[[Connection], T], done: Callable[[T], object] | None = None) -> T:
        """What the work gives, once it is committed; `done` is called with it in the event loop, in the order of the commits.

        A caller that is cancelled does not keep the work from being done. Raises ApiError.
        """
        loop = asyncio.get_running_loop()

        def whole() -> T:
            result = self._writing(work)
            if done is not None:
                loop.call_soon_threadsafe(done, result)
            return result

        return await loop.run_in_executor(self._writer, whole)

    async def run(self, work: Callable[[Engine], T]) -> T:
        """The same for work that makes its own transactions, whose exceptions are the database's."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, work, self._write_engine)

    def _reading(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._engine.connect() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            raise _unavailable(error) from error

    def _writing(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._write_engine.begin() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            raise _unavailable(error) from error

    def close(self) -> None:
        """Finish what was begun, and hang up."""
        self._writer.shutdown()
        self._readers.shutdown()
        self._engine.dispose()
        self._kept.close()


def _unavailable(error: SQLAlchemyError) -> ApiError:
    return unavailable(str(getattr(error, "orig", None) or error))


def open_database(config: SqlDB, *, skip_ssl_validation: bool) -> Database:
    """Connect. Raises DatabaseError."""
    with contextlib.ExitStack() as kept:
        try:
            engine = _engine(config, skip_ssl_validation, kept)
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except SQLAlchemyError as error:
            raise DatabaseError(str(getattr(error, "orig", None) or error)) from error
        return Database(engine, kept.pop_all())


def _engine(config: SqlDB, skip: bool, kept: contextlib.ExitStack) -> Engine:
    if config.type == "sqlite":
        return _sqlite(config.schema)
    if config.type not in ("mysql", "postgres"):
        raise DatabaseError(f"Unknown type {config.type}")
    driver, connect_args = _mysql(config, skip) if config.type == "mysql" else _postgres(config, skip, kept)
    url = URL.create(driver, config.username, config.password, config.host, config.port or None, config.schema)
    lifetime = config.connections_max_lifetime_seconds or -1
    return create_engine(
        url, connect_args=connect_args, pool_pre_ping=True, pool_recycle=lifetime, pool_size=_READERS + 1, max_overflow=0
    )


def _sqlite(path: str) -> Engine:
    if not path:
        raise DatabaseError("sqldb.schema does not say in which file the database is")
    engine = create_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", lambda connection, _record: sqlite.configure(connection))
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('cfroute_begin', 'DEFERRED')}")


def _mysql(config: SqlDB, skip: bool) -> tuple[str, dict[str, Any]]:
    arguments: dict[str, Any] = {"connect_timeout": _TIMEOUT}
    if skip or config.ca_cert:
        context = ssl.create_default_context() if skip else _trusting(config.ca_cert)
        context.check_hostname = not skip and not config.skip_hostname_validation
        context.verify_mode = ssl.CERT_NONE if skip else ssl.CERT_REQUIRED
        arguments["ssl"] = context
    return "mysql+pymysql", arguments


def _trusting(ca_cert: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cadata=ca_cert)
    except (ssl.SSLError, ValueError) as error:
        raise DatabaseError(f"failed to parse sql ca: {error}") from error


def _postgres(config: SqlDB, skip: bool, kept: contextlib.ExitStack) -> tuple[str, dict[str, Any]]:
    arguments: dict[str, Any] = {"connect_timeout": _TIMEOUT, "sslmode": "disable"}
    if config.ca_cert and skip:
        arguments["sslmode"] = "require"
    elif config.ca_cert:
        file = Path(kept.enter_context(tempfile.TemporaryDirectory(prefix="sql-ca-"))) / "ca.pem"
        file.write_text(config.ca_cert)  # libpq reads files only
        arguments |= {"sslmode": "verify-full", "sslrootcert": str(file)}
    return "postgresql+psycopg", arguments
