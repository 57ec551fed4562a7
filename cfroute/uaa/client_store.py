"""The clients in the UAA's database."""

from typing import Any

import msgspec

from cfroute.uaa import passwords
from cfroute.uaa.config import Client
from cfroute.uaa.database import Database

_COLUMNS = "secret, authorities, scope, grants, access_token_validity, refresh_token_validity"


class Clients:
    """Programs by name; the `secret` of those that are found is the hash."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, name: str) -> Client | None:
        row = self._database.row(f"SELECT {_COLUMNS} FROM clients WHERE name = ?", name)  # noqa: S608
        return row and _client(row)

    def all(self) -> dict[str, Client]:
        """By name, in the names' order."""
        found = self._database.rows(f"SELECT name, {_COLUMNS} FROM clients ORDER BY name")  # noqa: S608
        return {name: _client(row) for name, *row in found}

    def seed(self, clients: dict[str, Client]) -> None:
        """Create those that are not there yet, and make those with generated secrets what they are to be.

        Hashing what a person chose is slow, so who is there and has such a secret is left alone.
        """
        with self._database.writing():
            for name, client in clients.items():
                known = self.find(name)
                if known is None or (client.generated and not _same(known, client)):
                    self.save(name, client)

    def save(self, name: str, client: Client) -> None:
        """Create it, or replace it; its tokens go on."""
        self._write(name, client, passwords.hashed(client.secret, generated=client.generated))

    def change(self, name: str, client: Client) -> None:
        """Replace everything but the secret."""
        known = self.find(name)
        assert known is not None
        self._write(name, client, known.secret)

    def set_secret(self, name: str, secret: str) -> None:
        """Another secret; the tokens that can be taken back are."""
        with self._database.writing() as connection:
            connection.execute("UPDATE clients SET secret = ? WHERE name = ?", (passwords.hashed(secret), name))
            connection.execute("DELETE FROM tokens WHERE client = ?", (name,))

    def delete(self, name: str) -> None:
        with self._database.writing() as connection:
            connection.execute("DELETE FROM clients WHERE name = ?", (name,))

    def _write(self, name: str, client: Client, secret: str) -> None:
        lists = (_text(client.authorities), _text(client.scope), _text(client.grants))
        values = (secret, *lists, client.access_token_validity, client.refresh_token_validity)
        columns = _COLUMNS.split(", ")
        changes = ", ".join(f"{column} = excluded.{column}" for column in columns)
        with self._database.writing() as connection:
            connection.execute(
                f"INSERT INTO clients (name, {_COLUMNS}) VALUES (?{', ?' * len(columns)})"  # noqa: S608
                f" ON CONFLICT (name) DO UPDATE SET {changes}",
                (name, *values),
            )


def _same(known: Client, wanted: Client) -> bool:
    same = msgspec.structs.replace(known, secret=wanted.secret, generated=wanted.generated) == wanted
    return same and passwords.matches(wanted.secret, known.secret)


def _client(row: Any) -> Client:
    secret, *lists, access, refresh = row
    authorities, scope, grants = (msgspec.json.decode(text, type=list[str]) for text in lists)
    return Client(
        secret=secret,
        authorities=authorities,
        scope=scope,
        grants=grants,
        access_token_validity=access,
        refresh_token_validity=refresh,
    )


def _text(values: list[str]) -> str:
    return msgspec.json.encode(values).decode()
