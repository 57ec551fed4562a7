"""SQLite as every component uses it: a file with a write-ahead log, which no crash of ours leaves half written.

A transaction takes the write lock when it begins (`BEGIN IMMEDIATE`), so it never has to give up half-way because somebody else
wrote; readers are never blocked, and see what was committed before they began.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PATIENCE = 5000  # ms that a writer waits for another one


def connect(path: str | Path, *tables: str, durable: bool = True) -> sqlite3.Connection:
    """A connection that any thread may use, one at a time; `tables` are the statements that create what is missing.

    Raises sqlite3.Error when the file cannot be opened or is none of SQLite's.
    """
    connection = sqlite3.connect(path, check_same_thread=False)
    try:
        configure(connection, durable=durable)
        for table in tables:
            connection.execute(table)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def configure(connection: sqlite3.Connection, *, durable: bool = True) -> None:
    """Set up a new connection. What is not `durable` outlives every end of the process, but maybe not a power cut."""
    # The driver's own idea of when to begin a transaction would begin one too late for BEGIN IMMEDIATE.
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout = {_PATIENCE}",
        "journal_mode = WAL",
        f"synchronous = {'FULL' if durable else 'NORMAL'}",
        "foreign_keys = ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All changes of the block, or none of them. Raises sqlite3.Error when they cannot be written."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk ends it by itself
            connection.execute("ROLLBACK")
        raise
