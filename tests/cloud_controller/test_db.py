"""The database: durable, one writer at a time, readers never in the way."""

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from cfroute.cloud_controller import seed
from cfroute.cloud_controller.config import Config
from cfroute.cloud_controller.db import Database
from cfroute.cloud_controller.models import Domain, Organization, Space
from cfroute.errors import ConfigurationError
from cfroute.testing import ManualClock


def open_again(config: Config) -> Database:
    numbers = iter(range(1000))
    return Database.open(config.database, ManualClock(), lambda: f"again-{next(numbers)}")


def test_every_connection_is_set_up_for_safety(config: Config) -> None:
    database = open_again(config)
    with database.reading() as session:
        for pragma, value in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)):
            assert session.execute(text(f"PRAGMA {pragma}")).scalar_one() == value
    database.close()


def test_what_fails_leaves_nothing_behind(cc: Any) -> None:
    def fail() -> None:
        with cc.platform.database.writing() as session:
            session.add(Organization(name="half"))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with cc.platform.database.reading() as session:
        assert session.scalars(select(Organization.name)).all() == ["local"]


def test_readers_see_one_state_while_somebody_writes(cc: Any) -> None:
    database: Database = cc.platform.database
    with database.reading() as before:
        assert len(before.scalars(select(Organization)).all()) == 1
        with database.writing() as writer:
            writer.add(Organization(name="new"))
            writer.flush()
            with database.reading() as meanwhile:
                assert len(meanwhile.scalars(select(Organization)).all()) == 1
        assert len(before.scalars(select(Organization)).all()) == 1
    with database.reading() as after:
        assert len(after.scalars(select(Organization)).all()) == 2


def test_writers_queue_and_none_is_turned_away(cc: Any) -> None:
    database: Database = cc.platform.database

    def write(number: int) -> None:
        with database.writing() as session:
            known = len(session.scalars(select(Organization)).all())
            session.add(Organization(name=f"{number}-{known}"))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as session:
        counts = sorted(int(name.partition("-")[2]) for name in session.scalars(select(Organization.name)) if "-" in name)
    assert counts == list(range(1, 31))


def test_seeding_again_adds_only_what_is_missing(cc: Any, config: Config) -> None:
    cc.platform.database.close()
    other = open_again(config)
    import msgspec

    seed.seed(other, config)
    seed.seed(other, msgspec.structs.replace(config, domain="New.test"))
    with other.reading() as session:
        names = list(session.scalars(select(Domain.name).order_by(Domain.created_at)))
        assert names == ["cf.localhost", "apps.internal", "tcp.cf.localhost", "new.test"]
        assert session.scalars(select(Space.name)).all() == ["dev"]
    other.close()


def test_a_database_of_a_newer_version_is_left_alone(config: Config) -> None:
    with sqlite3.connect(config.database) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(ConfigurationError, match="newer cfroute"):
        open_again(config)


def test_unusable_files_are_named(tmp_path: Path, config: Config) -> None:
    import msgspec

    with pytest.raises(ConfigurationError, match=r"nowhere/cc.sqlite"):
        open_again(msgspec.structs.replace(config, database=str(tmp_path / "nowhere" / "cc.sqlite")))
    Path(config.database).write_bytes(b"not a database at all, but long enough to look at" * 50)
    with pytest.raises(ConfigurationError, match=r"ccdb.sqlite"):
        open_again(config)
