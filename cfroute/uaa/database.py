"""The UAA's SQLite file, which nobody else may read. What was answered with success is in it."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cfroute import sqlite
from cfroute.errors import ConfigurationError
from cfroute.uaa import schema


class Database:
    """One connection. Any thread may ask, one after the other."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lock = threading.RLock()

    @classmethod
    def open(cls, path: str) -> "Database":
        """Open or create the file. Raises ConfigurationError when it cannot be used."""
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # SQLite gives its other files the same mode
            connection = sqlite.connect(path)
        except (OSError, sqlite3.Error) as error:
            raise ConfigurationError(f"database {path}: {error}") from error
        try:
            schema.migrate(connection)
        except sqlite3.Error as error:
            connection.close()
            raise ConfigurationError(f"database {path}: {error}") from error
        return cls(connection)

    def rows(self, query: str, *values: Any) -> list[Any]:
        """All rows that the query finds."""
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def row(self, query: str, *values: Any) -> Any:
        """The first row, or None."""
        with self._lock:
            return self._connection.execute(query, values).fetchone()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction, or the part of one. When the outermost block is left, it is on the disk."""
        with self._lock:
            if self._connection.in_transaction:
                yield self._connection
                return
            with sqlite.transaction(self._connection) as connection:
                yield connection

    def close(self) -> None:
        self._connection.close()
