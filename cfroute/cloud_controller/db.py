"""The ccdb: one SQLite file that loses no acknowledged change.

A commit is on the disk before it is answered. There is one writer at a time: a lock in this process, and SQLite's own against
other processes (see `cfroute.sqlite`).
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, UOWTransaction
from sqlalchemy.pool import QueuePool

from cfroute import sqlite
from cfroute.clock import Clock
from cfroute.cloud_controller.migrations import SCHEMA_VERSION, migrate
from cfroute.cloud_controller.models import Resource
from cfroute.errors import ConfigurationError

# More than there are threads that may ask at once: nobody waits for one.
_CONNECTIONS = 40


class Database:
    """Hands out sessions, each of them one transaction."""

    def __init__(self, engine: Engine, clock: Clock, new_guid: Callable[[], str]) -> None:
        self._engine = engine
        self._writer = engine.execution_options(cfroute_immediate=True)
        self._writing = threading.Lock()
        self._clock = clock
        self._new_guid = new_guid

    @classmethod
    def open(cls, path: str, clock: Clock, new_guid: Callable[[], str]) -> "Database":
        """Open the file, with its tables. Raises ConfigurationError when it cannot be used or is from a newer cfroute."""
        engine = create_engine(
            f"sqlite:///{path}",
            poolclass=QueuePool,
            pool_size=4,
            max_overflow=_CONNECTIONS - 4,
            json_serializer=lambda value: msgspec.json.encode(value).decode(),
            json_deserializer=msgspec.json.decode,
        )
        event.listen(engine, "connect", lambda connection, _record: sqlite.configure(connection))
        event.listen(engine, "begin", _begin)
        try:
            _create_tables(engine)
        except DBAPIError as error:
            raise ConfigurationError(f"database {path}: {error.orig}") from error
        return cls(engine, clock, new_guid)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session on one consistent state of the database."""
        with Session(self._engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session whose changes are committed, durably, when the block ends without an exception."""
        stamps = {"stamp": self._stamp}
        with self._writing, _Writing(self._writer, info=stamps, expire_on_commit=False) as session, session.begin():
            yield session

    def _stamp(self, session: Session) -> None:
        now = self._clock.now()
        for thing in session.new:
            if isinstance(thing, Resource):
                thing.guid = thing.guid or self._new_guid()
                thing.created_at = thing.updated_at = now
        for thing in session.dirty:
            if isinstance(thing, Resource) and session.is_modified(thing, include_collections=False):
                thing.updated_at = now

    def close(self) -> None:
        self._engine.dispose()


class _Writing(Session):
    """A session that gives what it saves its guid and times."""


def stamp(session: Session) -> None:
    """Give what is new in a session that writes its guid and times now, and not only when it is inserted."""
    session.info["stamp"](session)


@event.listens_for(_Writing, "before_flush")
def _stamp(session: Session, _context: UOWTransaction, _instances: object) -> None:
    stamp(session)


def _create_tables(engine: Engine) -> None:
    with engine.execution_options(cfroute_immediate=True).begin() as connection:
        version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
        if version > SCHEMA_VERSION:
            path = engine.url.database
            raise ConfigurationError(
                f"database {path} was written by a newer cfroute (schema {version}, this one knows {SCHEMA_VERSION})",
                "upgrade cfroute, or choose another state folder with --state-dir",
            )
        if version < SCHEMA_VERSION:
            migrate(connection, version)


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get("cfroute_immediate"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return
    driver: Any = connection.connection.driver_connection
    driver.execute("BEGIN")  # takes no lock and so cannot fail: there is no error for SQLAlchemy to translate
