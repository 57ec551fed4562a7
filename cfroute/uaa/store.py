"""The UAA's database: clients and users, their secrets hashed."""

import sqlite3
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from sqlalchemy import JSON, Column, Engine, MetaData, String, Table, create_engine, event, select

from cfroute.errors import ConfigurationError
from cfroute.uaa import passwords
from cfroute.uaa.config import Client, User
from cfroute.uaa.tokens import Account

_metadata = MetaData()
_clients = Table(
    "clients",
    _metadata,
    Column("name", String, primary_key=True),
    Column("secret", String, nullable=False),
    Column("authorities", JSON, nullable=False),
    Column("scope", JSON, nullable=False),
    Column("grants", JSON, nullable=False),
)
_users = Table(
    "users",
    _metadata,
    Column("guid", String, primary_key=True),
    Column("name", String(collation="NOCASE"), nullable=False, unique=True),
    Column("password", String, nullable=False),
    Column("groups", JSON, nullable=False),
)


class Credentials(msgspec.Struct, frozen=True):
    """A user and what the password must hash to."""

    account: Account
    password: str


class Store:
    """Clients and users in one SQLite file."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, path: str) -> "Store":
        """Open or create the database. Raises ConfigurationError when the file cannot be used."""
        engine = create_engine(f"sqlite:///{path}")
        event.listen(engine, "connect", _configure)
        try:
            _metadata.create_all(engine)
        except Exception as error:
            raise ConfigurationError(f"database {path}: {error.__cause__ or error}") from error
        return cls(engine)

    def seed(self, clients: dict[str, Client], users: Iterable[User], new_guid: Callable[[], str]) -> None:
        """Create whoever is not there yet, all at once. Hashing is slow, so who is there is left alone."""
        with self._engine.begin() as connection:
            known = set(connection.scalars(select(_clients.c.name)))
            for name, client in clients.items():
                if name not in known:
                    connection.execute(_clients.insert().values(name=name, **_stored(client)))
            people = set(connection.scalars(select(_users.c.name)))
            for user in users:
                if user.name not in people:
                    connection.execute(
                        _users.insert().values(
                            guid=new_guid(),
                            name=user.name,
                            password=passwords.hashed(user.password),
                            groups=user.groups,
                        )
                    )

    def client(self, name: str) -> Client | None:
        """The client of that name; `secret` is the hash."""
        with self._engine.connect() as connection:
            row = connection.execute(select(_clients).where(_clients.c.name == name)).one_or_none()
        if row is None:
            return None
        return Client(secret=row.secret, authorities=row.authorities, scope=row.scope, grants=row.grants)

    def user(self, *, name: str | None = None, guid: str | None = None) -> Credentials | None:
        """The user of that name (in any case) or guid."""
        wanted = _users.c.name == name if guid is None else _users.c.guid == guid
        with self._engine.connect() as connection:
            row = connection.execute(select(_users).where(wanted)).one_or_none()
        if row is None:
            return None
        return Credentials(Account(row.guid, row.name, row.groups), row.password)

    def close(self) -> None:
        self._engine.dispose()


def _stored(client: Client) -> dict[str, Any]:
    return {
        "secret": passwords.hashed(client.secret),
        "authorities": client.authorities,
        "scope": client.scope,
        "grants": client.grants,
    }


def _configure(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA busy_timeout = 5000")
