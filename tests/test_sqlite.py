"""Connections that are safe whatever happens: to a transaction, to the process, to the disk."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from cfroute import sqlite

TABLE = "CREATE TABLE IF NOT EXISTS numbers (number INTEGER PRIMARY KEY, half INTEGER REFERENCES numbers)"
WRITE_FOR_EVER = """
import itertools, sys
from cfroute import sqlite
connection = sqlite.connect(sys.argv[1], sys.argv[2])
for number in itertools.count(0, 2):
    with sqlite.transaction(connection):
        connection.execute("INSERT INTO numbers (number) VALUES (?)", (number,))
        connection.execute("INSERT INTO numbers (number, half) VALUES (?, ?)", (number + 1, number))
    print(number, flush=True)
"""


def count(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM numbers").fetchone()[0])


@pytest.mark.parametrize(("durable", "synchronous"), [(True, 2), (False, 1)])
def test_every_connection_is_set_up_for_safety(tmp_path: Path, durable: bool, synchronous: int) -> None:
    connection = sqlite.connect(tmp_path / "x.sqlite", TABLE, durable=durable)
    for pragma, value in (("journal_mode", "wal"), ("synchronous", synchronous), ("foreign_keys", 1)):
        assert connection.execute(f"PRAGMA {pragma}").fetchone() == (value,)
    connection.close()


def test_a_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    connection = sqlite.connect(tmp_path / "x.sqlite", TABLE)

    def fail() -> None:
        with sqlite.transaction(connection):
            connection.execute("INSERT INTO numbers (number) VALUES (1)")
            connection.execute("INSERT INTO numbers (number, half) VALUES (2, 7)")

    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        fail()
    assert count(connection) == 0
    with sqlite.transaction(connection):
        connection.execute("INSERT INTO numbers (number) VALUES (1)")
    assert count(connection) == 1
    connection.close()


def test_a_full_disk_is_told_and_undone(tmp_path: Path) -> None:
    connection = sqlite.connect(tmp_path / "x.sqlite", "CREATE TABLE IF NOT EXISTS numbers (number)")
    connection.execute("PRAGMA max_page_count = 4")

    def fill() -> None:
        with sqlite.transaction(connection):
            connection.execute("INSERT INTO numbers VALUES (1)")
            connection.execute("INSERT INTO numbers VALUES (zeroblob(100000))")

    with pytest.raises(sqlite3.OperationalError, match="full"):
        fill()
    assert count(connection) == 0
    connection.close()


def test_readers_see_one_state_while_somebody_writes(tmp_path: Path) -> None:
    writer, reader = (sqlite.connect(tmp_path / "x.sqlite", TABLE) for _ in range(2))
    with sqlite.transaction(writer):
        writer.execute("INSERT INTO numbers (number) VALUES (1)")
        assert count(reader) == 0
    assert count(reader) == 1
    writer.close()
    reader.close()


def test_what_was_committed_outlives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    words = [sys.executable, "-c", WRITE_FOR_EVER, str(path), TABLE]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        said = [int(writer.stdout.readline()) for _ in range(20)]
        os.kill(writer.pid, signal.SIGKILL)
        said += map(int, writer.stdout)
    connection = sqlite.connect(path, TABLE)
    assert count(connection) % 2 == 0
    assert count(connection) >= said[-1] + 2
    connection.close()


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    garbage = tmp_path / "garbage.sqlite"
    garbage.write_bytes(b"this is no database, not at all, and long enough to be taken for one" * 20)
    for path in (garbage, tmp_path, tmp_path / "none" / "x.sqlite"):
        with pytest.raises(sqlite3.Error):
            sqlite.connect(path, TABLE)
