"""The UAA's database: clients and users, their secrets hashed."""

import sqlite3
import threading
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from cfroute import sqlite
from cfroute.errors import ConfigurationError
from cfroute.uaa import passwords
from cfroute.uaa.config import Client, User
from cfroute.uaa.tokens import Account

_CLIENTS = """
CREATE TABLE IF NOT EXISTS clients
(name TEXT PRIMARY KEY, secret TEXT NOT NULL, authorities TEXT NOT NULL, scope TEXT NOT NULL, grants TEXT NOT NULL)
"""
_USERS = """
CREATE TABLE IF NOT EXISTS users
(guid TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE, password TEXT NOT NULL, groups TEXT NOT NULL)
"""


class Credentials(msgspec.Struct, frozen=True):
    """A user and what the password must hash to."""

    account: Account
    password: str


class Store:
    """Clients and users in one SQLite file; any thread may ask."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: str) -> "Store":
        """Open or create the database. Raises ConfigurationError when the file cannot be used."""
        try:
            return cls(sqlite.connect(path, _CLIENTS, _USERS))
        except sqlite3.Error as error:
            raise ConfigurationError(f"database {path}: {error}") from error

    def seed(self, clients: dict[str, Client], users: Iterable[User], new_guid: Callable[[], str]) -> None:
        """Create whoever is not there yet, and make those with generated secrets what they are to be; all at once.

        Hashing what a person chose is slow, so who is there and has such a password is left alone.
        """
        with self._lock, sqlite.transaction(self._connection):
            for name, client in clients.items():
                known = self._find_client(name)
                if known is None or (client.generated and not _same_client(known, client)):
                    self._save_client(name, client)
            for user in users:
                found = self._find_user("name", user.name)
                if found is None or (user.generated and not _same_user(found, user)):
                    self._save_user(found.account.guid if found else new_guid(), user)

    def client(self, name: str) -> Client | None:
        """The client of that name; `secret` is the hash."""
        with self._lock:
            return self._find_client(name)

    def user(self, *, name: str | None = None, guid: str | None = None) -> Credentials | None:
        """The user of that name (in any case) or guid."""
        with self._lock:
            return self._find_user("name", name) if guid is None else self._find_user("guid", guid)

    def close(self) -> None:
        self._connection.close()

    def _find_client(self, name: str) -> Client | None:
        row = self._one("SELECT secret, authorities, scope, grants FROM clients WHERE name = ?", name)
        if row is None:
            return None
        secret, *lists = row
        authorities, scope, grants = map(_list, lists)
        return Client(secret=secret, authorities=authorities, scope=scope, grants=grants)

    def _find_user(self, column: str, value: str | None) -> Credentials | None:
        row = self._one(f"SELECT guid, name, groups, password FROM users WHERE {column} = ?", value)  # noqa: S608
        return row and Credentials(Account(row[0], row[1], _list(row[2])), row[3])

    def _one(self, query: str, value: str | None) -> Any:
        return self._connection.execute(query, (value,)).fetchone()

    def _save_client(self, name: str, client: Client) -> None:
        secret = passwords.hashed(client.secret, generated=client.generated)
        values = (name, secret, _text(client.authorities), _text(client.scope), _text(client.grants))
        self._connection.execute(
            "INSERT OR REPLACE INTO clients (name, secret, authorities, scope, grants) VALUES (?, ?, ?, ?, ?)", values
        )

    def _save_user(self, guid: str, user: User) -> None:
        values = (guid, user.name, passwords.hashed(user.password, generated=user.generated), _text(user.groups))
        self._connection.execute("INSERT OR REPLACE INTO users (guid, name, password, groups) VALUES (?, ?, ?, ?)", values)


def _same_client(known: Client, wanted: Client) -> bool:
    same = (known.authorities, known.scope, known.grants) == (wanted.authorities, wanted.scope, wanted.grants)
    return same and passwords.matches(wanted.secret, known.secret)


def _same_user(known: Credentials, wanted: User) -> bool:
    return known.account.groups == wanted.groups and passwords.matches(wanted.password, known.password)


def _list(text: str) -> list[str]:
    return msgspec.json.decode(text, type=list[str])


def _text(values: list[str]) -> str:
    return msgspec.json.encode(values).decode()
