"""Locket's table in MySQL or PostgreSQL, named as upstream names them. SQLAlchemy is imported by who uses this module only.

Several Lockets may work on one database: a row that is looked at is locked until the end of the transaction.
"""

import asyncio
import re
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, OperationalError, SQLAlchemyError

from cfroute.locket.locks import Row
from cfroute.locket.store import CHECK_ID, COLUMNS, SCHEMA, Rows, StoreError

_T = TypeVar("_T")

_CONNECT: Final = 10  # seconds to connect
_MOST_THREADS: Final = 8  # each with a connection of its own
_ATTEMPTS: Final = 3  # of a transaction that another one got in the way of
# user:password@tcp(host:port)/name?options, as Go's driver reads it: the last slash and the last @ before it count.
_DSN: Final = re.compile(
    r"(?:(?P<user>[^:]*)(?::(?P<password>.*))?@)?(?:tcp(?:\((?P<address>[^()]*)\))?)?/(?P<name>[^/?]*)(?:\?.*)?", re.DOTALL
)
_VALUES: Final = ", ".join(f":{name}" for name in Row._fields)
_SET: Final = ", ".join(f"{name} = :{name}" for name in Row._fields[1:])


class SqlRows:
    """The table, inside of a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._there: set[str] = set()  # paths that had a row when they were looked at, and still have it: it is locked

    def get(self, path: str) -> Row | None:
        found = self._execute(f"SELECT {COLUMNS} FROM locks WHERE path = :path FOR UPDATE", path=path).first()  # noqa: S608
        if found:
            self._there.add(path)
        return Row(*found) if found else None

    def put(self, row: Row) -> None:
        """One that another transaction has inserted since we looked is an error of the database: then we look again."""
        if row.path in self._there:
            self._execute(f"UPDATE locks SET {_SET} WHERE path = :path", **row._asdict())  # noqa: S608
        else:
            self._execute(f"INSERT INTO locks ({COLUMNS}) VALUES ({_VALUES})", **row._asdict())  # noqa: S608

    def delete(self, path: str) -> None:
        self._execute("DELETE FROM locks WHERE path = :path", path=path)

    def all(self) -> list[Row]:
        return [Row(*row) for row in self._execute(f"SELECT {COLUMNS} FROM locks ORDER BY path")]  # noqa: S608

    def touch(self, now_ns: int) -> None:
        self._execute("DELETE FROM locket_health_check WHERE id = :id", id=CHECK_ID)
        self._execute("INSERT INTO locket_health_check (id, time) VALUES (:id, :time)", id=CHECK_ID, time=now_ns)

    def _execute(self, statement: str, **values: Any) -> Any:
        return self._connection.execute(text(statement), values)


class SqlStore:
    """Runs transactions in threads; `timeout` is how many seconds a caller waits for one."""

    def __init__(self, driver: str, connection_string: str, *, ca_file: str, most: int, timeout: float) -> None:
        """Connects, and makes the table. Raises StoreError."""
        threads = max(1, min(most, _MOST_THREADS)) if most else _MOST_THREADS
        try:
            self._engine = _engine(driver, connection_string, ca_file, threads, max(1, round(timeout)))
            with self._engine.begin() as connection:
                for statement in SCHEMA:
                    connection.execute(text(statement))
        except (SQLAlchemyError, OSError) as error:
            raise StoreError(_said(error)) from error
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="locket-database")
        self._timeout = timeout

    async def run(self, work: Callable[[Rows], _T]) -> _T:
        """One transaction. Raises StoreError; one that took too long may be committed later."""
        try:
            async with asyncio.timeout(self._timeout):
                return await asyncio.get_running_loop().run_in_executor(self._threads, self._transact, work)
        except TimeoutError as error:
            raise StoreError("context deadline exceeded") from error

    def _transact(self, work: Callable[[Rows], _T]) -> _T:
        for left in reversed(range(_ATTEMPTS)):
            try:
                with self._engine.begin() as connection:
                    return work(SqlRows(connection))
            except (IntegrityError, OperationalError) as error:  # another one was first, or each waited for the other
                if not left or error.connection_invalidated:
                    raise StoreError(_said(error)) from error
            except SQLAlchemyError as error:
                raise StoreError(_said(error)) from error
        raise AssertionError("the last attempt raises")

    async def close(self) -> None:
        """Hang up, without waiting for what takes too long."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._engine.dispose()


def _engine(driver: str, connection_string: str, ca_file: str, threads: int, timeout: int) -> Engine:
    """timeout is how many seconds a server may be silent. Raises StoreError, SQLAlchemyError and OSError (of `ssl`)."""
    arguments: dict[str, Any] = {"connect_timeout": _CONNECT}
    if driver == "mysql":
        url = mysql_url(connection_string)
        arguments |= {"read_timeout": timeout, "write_timeout": timeout}
        if ca_file:
            arguments["ssl"] = ssl.create_default_context(cafile=ca_file)
    else:
        url = postgres_url(connection_string)
        arguments["tcp_user_timeout"] = timeout * 1000
        arguments |= {"sslmode": "verify-ca", "sslrootcert": ca_file} if ca_file else {"sslmode": "disable"}
    return create_engine(
        url, connect_args=arguments, isolation_level="READ COMMITTED", pool_pre_ping=True, pool_size=threads, max_overflow=0
    )


def mysql_url(connection_string: str) -> URL:
    """What a data source name of Go's driver means; its options are left out. Raises StoreError."""
    match = _DSN.fullmatch(connection_string)
    host, _, port = (match["address"] or "127.0.0.1:3306").rpartition(":") if match else ("", "", "")
    if match is None or not host or not port.isdecimal():
        raise StoreError("invalid DSN: it is USER:PASSWORD@tcp(HOST:PORT)/NAME")
    return URL.create("mysql+pymysql", match["user"], match["password"], host.strip("[]"), int(port), match["name"])


def postgres_url(connection_string: str) -> URL:
    """What a URL means; its options are left out. Raises StoreError."""
    try:
        url = make_url(connection_string)
    except (ArgumentError, ValueError) as error:
        raise StoreError("invalid connection string: it is postgres://USER:PASSWORD@HOST:PORT/NAME") from error
    if url.drivername not in ("postgres", "postgresql"):
        raise StoreError(f"invalid connection protocol: {url.drivername}")
    return url.set(drivername="postgresql+psycopg", query={})


def _said(error: Exception) -> str:
    """What the database says, without the statement."""
    return str(error.orig) if isinstance(error, DBAPIError) else str(error)
