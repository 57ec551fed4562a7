"""What the UAA's database has of tokens: those that may be taken back, and codes that are good for one."""

import hashlib

from cfroute.uaa.database import Database


class Tokens:
    """Refresh tokens, and access tokens that were asked for as revocable, by their ids. One that is not here is revoked."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, token_id: str, user_guid: str | None, client: str, expires: float, now: float) -> None:
        """Keep one until it expires; those that have are forgotten."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM tokens WHERE expires <= ?", (now,))
            connection.execute(
                "INSERT INTO tokens (id, user_guid, client, expires) VALUES (?, ?, ?, ?)", (token_id, user_guid, client, expires)
            )

    def known(self, token_id: str) -> bool:
        return self._database.row("SELECT 1 FROM tokens WHERE id = ?", token_id) is not None

    def owner(self, token_id: str) -> tuple[str | None, str] | None:
        """The guid of its user, if it has one, and its client's name; None for one that is not known."""
        row = self._database.row("SELECT user_guid, client FROM tokens WHERE id = ?", token_id)
        return row and (row[0], row[1])

    def revoke(self, token_id: str) -> bool:
        """Whether it was there."""
        with self._database.writing() as connection:
            return connection.execute("DELETE FROM tokens WHERE id = ?", (token_id,)).rowcount > 0

    def revoke_all(self, *, user_guid: str | None = None, client: str | None = None) -> None:
        """All of a user, of a client, or of a user by that client."""
        chosen = {"user_guid": user_guid, "client": client}
        wanted = {column: value for column, value in chosen.items() if value is not None}
        conditions = " AND ".join(f"{column} = ?" for column in wanted)
        with self._database.writing() as connection:
            connection.execute(f"DELETE FROM tokens WHERE {conditions}", tuple(wanted.values()))  # noqa: S608


class Passcodes:
    """Codes that stand for a password, once. Only their digests are kept."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, code: str, user_guid: str, expires: float, now: float) -> None:
        with self._database.writing() as connection:
            connection.execute("DELETE FROM passcodes WHERE expires <= ?", (now,))
            connection.execute(
                "INSERT INTO passcodes (digest, user_guid, expires) VALUES (?, ?, ?)", (_digest(code), user_guid, expires)
            )

    def take(self, code: str, now: float) -> str | None:
        """The guid of the user whose code it is, and which it is no more."""
        with self._database.writing() as connection:
            row = self._database.row("SELECT user_guid FROM passcodes WHERE digest = ? AND expires > ?", _digest(code), now)
            connection.execute("DELETE FROM passcodes WHERE digest = ?", (_digest(code),))
        return row and str(row[0])


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
