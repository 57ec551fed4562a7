"""Databases that older versions of cfroute have written are brought up to date, and keep everything.

`ccdb/N.sql` was dumped from a file that a cfroute of schema N had filled.
"""

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cfroute.cloud_controller.db import Database
from cfroute.cloud_controller.migrations import SCHEMA_VERSION, STEPS
from cfroute.cloud_controller.models import App, CredentialBinding, Process
from cfroute.testing import ManualClock

DUMPS = Path(__file__).parent / "ccdb"
OLDER = range(1, SCHEMA_VERSION)


def opened(path: Path) -> Database:
    numbers = itertools.count(1)
    return Database.open(str(path), ManualClock(), lambda: f"new-{next(numbers)}")


@pytest.fixture(params=OLDER, ids=[f"schema {version}" for version in OLDER])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "ccdb.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((DUMPS / f"{request.param}.sql").read_text())
    return path


@pytest.fixture
def database(old: Path) -> Iterator[Database]:
    database = opened(old)
    yield database
    database.close()


def shape(path: Path) -> dict[str, Any]:
    """What there is of each table, whatever the order of its columns: they are not all added where a new file has them."""
    with closing(sqlite3.connect(path)) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: _shape(connection, table) for table in tables}


def _shape(connection: sqlite3.Connection, table: str) -> list[Any]:
    columns = {(name, kind, required) for _, name, kind, required, *_ in connection.execute(f"PRAGMA table_info({table})")}
    indexes = connection.execute(f"PRAGMA index_list({table})").fetchall()
    covered = sorted(
        (unique, [row[2] for row in connection.execute(f'PRAGMA index_info("{name}")')]) for _, name, unique, *_ in indexes
    )
    named = {name for _, name, _, origin, _ in indexes if origin == "c"}
    foreign = {row[2:] for row in connection.execute(f"PRAGMA foreign_key_list({table})")}
    return [columns, covered, named, foreign]


def rows(path: Path) -> dict[str, list[dict[str, Any]]]:
    """All that is in the file, by table."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: [dict(row) for row in connection.execute(f"SELECT * FROM {table} ORDER BY rowid")] for table in tables}


def test_an_older_file_gets_the_shape_of_a_new_one(old: Path, tmp_path: Path) -> None:
    opened(old).close()
    opened(tmp_path / "new.sqlite").close()
    assert shape(old) == shape(tmp_path / "new.sqlite")
    with closing(sqlite3.connect(old)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_every_row_is_kept(old: Path) -> None:
    before = rows(old)
    opened(old).close()
    after = rows(old)
    for table, kept in before.items():
        assert [{name: row[name] for name in first} for first, row in zip(kept, after[table], strict=True)] == kept, table


def test_opening_it_again_changes_nothing(old: Path) -> None:
    opened(old).close()
    once = rows(old)
    opened(old).close()
    assert rows(old) == once


def test_what_is_new_has_its_default(database: Database) -> None:
    with database.reading() as session:
        assert {app.revisions_enabled for app in session.scalars(select(App))} == {True}
        assert {binding.given == {} for binding in session.scalars(select(CredentialBinding))} == {True}


def test_an_app_may_have_two_web_processes_and_the_older_one_comes_first(database: Database) -> None:
    with database.writing() as session:
        app = session.scalars(select(App).where(App.name == "music")).one()
        old = app.processes[0].guid
        session.add(Process(guid="another", app_guid=app.guid, type="web"))
        session.flush()
        session.expire(app)
        assert [(process.type, process.guid) for process in app.processes][:2] == [("web", old), ("web", "another")]
        assert app.processes[2].type == "worker"


def test_steps_are_in_order() -> None:
    versions = [step.version for step in STEPS]
    assert versions == sorted(set(versions))
