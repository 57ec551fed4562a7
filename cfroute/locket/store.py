"""Locket's database: the table `locks` of the real one, in a file of SQLite.

Who works with rows does so in `Store.run`, in one transaction, which is on the disk when it returns.
"""

import sqlite3
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

from cfroute import sqlite
from cfroute.errors import CfrouteError
from cfroute.locket.locks import Row

COLUMNS: Final = ", ".join(Row._fields)
_LOCKS: Final = (
    "CREATE TABLE IF NOT EXISTS locks (path VARCHAR(255) PRIMARY KEY, owner VARCHAR(255), value VARCHAR(4096),"
    " type VARCHAR(255) DEFAULT '', modified_index BIGINT DEFAULT 0, modified_id VARCHAR(255) DEFAULT '', ttl BIGINT DEFAULT 0)"
)
SCHEMA: Final = (_LOCKS, "CREATE TABLE IF NOT EXISTS locket_health_check (id INT PRIMARY KEY, time BIGINT)")
CHECK_ID: Final = 1
"""Of the one row that health checks write."""

_T = TypeVar("_T")


class StoreError(CfrouteError):
    """The database cannot be opened, read or written."""


class Rows(Protocol):
    """The table, inside of a transaction."""

    def get(self, path: str) -> Row | None:
        """The row of a path."""

    def put(self, row: Row) -> None:
        """Write a row, in place of that of the same path; `get` has looked at it before."""

    def delete(self, path: str) -> None:
        """Delete a row."""

    def all(self) -> list[Row]:
        """All rows, by path."""

    def touch(self, now_ns: int) -> None:
        """Write something beside the table, to see whether that can be done."""


class Store(Protocol):
    """An open database."""

    async def run(self, work: Callable[[Rows], _T]) -> _T:
        """What `work` returns, once all that it has changed is committed. Raises StoreError, and what `work` raises."""

    async def close(self) -> None:
        """Close it."""


class SqliteRows:
    """The table in SQLite."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, path: str) -> Row | None:
        row = self._connection.execute(f"SELECT {COLUMNS} FROM locks WHERE path = ?", (path,)).fetchone()  # noqa: S608
        return Row(*row) if row else None

    def put(self, row: Row) -> None:
        self._connection.execute(f"INSERT OR REPLACE INTO locks ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", row)  # noqa: S608

    def delete(self, path: str) -> None:
        self._connection.execute("DELETE FROM locks WHERE path = ?", (path,))

    def all(self) -> list[Row]:
        return [Row(*row) for row in self._connection.execute(f"SELECT {COLUMNS} FROM locks ORDER BY path")]  # noqa: S608

    def touch(self, now_ns: int) -> None:
        self._connection.execute("INSERT OR REPLACE INTO locket_health_check (id, time) VALUES (?, ?)", (CHECK_ID, now_ns))


class SqliteStore:
    """A file. A transaction takes some milliseconds at most, in which nothing else can be done anyway: it needs no thread."""

    def __init__(self, path: str) -> None:
        """Raises StoreError."""
        try:
            self._connection = sqlite.connect(path, *SCHEMA)
        except sqlite3.Error as error:
            raise StoreError(f"{path}: {error}") from error
        self._rows = SqliteRows(self._connection)

    async def run(self, work: Callable[[Rows], _T]) -> _T:
        """One transaction. Raises StoreError."""
        try:
            with sqlite.transaction(self._connection):
                return work(self._rows)
        except sqlite3.Error as error:
            raise StoreError(str(error)) from error

    async def close(self) -> None:
        """Close the file."""
        self._connection.close()
