"""The BBS's database: SQLite, one row a thing, its body as JSON.

The state lives in memory; the database is what it is loaded from at start, and each change is written (and, by the
write-ahead log, safe from a kill -9) before anybody hears of it.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from cfroute import sqlite
from cfroute.diego.api import ActualLRP, DesiredLRP, Task
from cfroute.diego.bbs.state import Change, Thing
from cfroute.errors import ConfigurationError

TABLES: dict[type[Thing], str] = {DesiredLRP: "desired_lrps", ActualLRP: "actual_lrps", Task: "tasks"}
SCHEMA = tuple(
    f"CREATE TABLE IF NOT EXISTS {table} (key TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID" for table in TABLES.values()
)


class StoreError(Exception):
    """The database did not take the change: the disk is full, or worse."""


class Store:
    """An open database. `fresh` tells that nothing was in it: it is new, or the old one could not be read."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        try:
            self._connection = self._open()
        except sqlite3.OperationalError as error:
            raise ConfigurationError(f"the database {path} cannot be opened: {error}") from error
        except sqlite3.DatabaseError:
            # What is desired can be had from the Cloud Controller again, so a broken file must not stop us.
            self._path.replace(self._path.with_name(f"{self._path.name}.broken"))
            self._connection = self._open()
        self.fresh = not any(True for _ in self.things())

    def _open(self) -> sqlite3.Connection:
        # After a power cut nothing runs any more, and what is desired comes from the Cloud Controller again.
        return sqlite.connect(self._path, *SCHEMA, durable=False)

    def things(self) -> Iterator[Thing]:
        """Everything that was stored."""
        for type_, table in TABLES.items():
            for (body,) in self._connection.execute(f"SELECT body FROM {table} ORDER BY key"):  # noqa: S608
                yield msgspec.json.decode(body, type=type_)

    def save(self, changes: Iterable[Change]) -> None:
        """Write all changes or none. Raises StoreError."""
        try:
            with sqlite.transaction(self._connection):
                for change in changes:
                    self._connection.execute(*_statement(change))
        except sqlite3.Error as error:
            raise StoreError(str(error)) from error

    def close(self) -> None:
        """Close the database."""
        self._connection.close()


def _statement(change: Change) -> tuple[str, tuple[Any, ...]]:
    thing = change.after or change.before
    assert thing is not None
    table = TABLES[type(thing)]
    if change.after is None:
        return f"DELETE FROM {table} WHERE key = ?", (_key(thing),)  # noqa: S608
    body = msgspec.json.encode(change.after).decode()
    return f"INSERT OR REPLACE INTO {table} (key, body) VALUES (?, ?)", (_key(thing), body)  # noqa: S608


def _key(thing: Thing) -> str:
    match thing:
        case DesiredLRP(process_guid=guid):
            return guid
        case ActualLRP(process_guid=guid, index=index):
            return f"{guid}/{index}"
        case Task(task_guid=guid):
            return guid
