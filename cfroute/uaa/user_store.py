"""The users in the UAA's database."""

import sqlite3
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from cfroute.uaa import passwords
from cfroute.uaa.accounts import UAA, Account, Profile
from cfroute.uaa.config import User
from cfroute.uaa.database import Database
from cfroute.uaa.group_store import Groups

_FIELDS = (
    "guid",
    "name",
    "origin",
    "email",
    "given_name",
    "family_name",
    "external_id",
    "active",
    "verified",
    "created_at",
    "updated_at",
    "version",
)
_GROUPS = (
    "SELECT json_group_object(name, groups.guid) FROM memberships JOIN groups ON groups.guid = group_guid"
    " WHERE user_guid = people.guid"
)
_SELECT = f"SELECT password, ({_GROUPS}), {', '.join(_FIELDS)} FROM people"  # noqa: S608


class Taken(Exception):
    """There is a user of that name."""


class Credentials(msgspec.Struct, frozen=True):
    """A user and what the password must hash to; empty when there is none."""

    account: Account
    password: str


class Users:
    """People by guid, or by name (in any case) and origin."""

    def __init__(self, database: Database, groups: Groups) -> None:
        self._database = database
        self._groups = groups

    def find(self, guid: str) -> Credentials | None:
        return _credentials(self._database.row(f"{_SELECT} WHERE guid = ?", guid))

    def named(self, name: str, origin: str = UAA) -> Credentials | None:
        return _credentials(self._database.row(f"{_SELECT} WHERE name = ? AND origin = ?", name, origin))

    def all(self, name: str | None = None) -> list[Account]:
        """Everybody, the oldest first; those of that name only, if there is one."""
        if name is None:
            rows = self._database.rows(f"{_SELECT} ORDER BY created_at, rowid")
        else:
            rows = self._database.rows(f"{_SELECT} WHERE name = ? ORDER BY created_at, rowid", name)
        return [_known(row).account for row in rows]

    def seed(self, users: Iterable[User], default_groups: Iterable[str], new_guid: Callable[[], str], now: float) -> None:
        """Create whoever is not there yet, add memberships, and set passwords that are generated and have changed since."""
        default_groups = list(default_groups)
        with self._database.writing() as connection:
            for user in users:
                row = self._database.row("SELECT guid, seeded FROM people WHERE name = ? AND origin = ?", user.name, UAA)
                guid, seeded = row or (new_guid(), None)
                if seeded is None:
                    profile = Profile(name=user.name, email=user.name, given_name=user.name, family_name=user.name)
                    self._insert(guid, profile, now)
                if seeded is None or (user.generated and not (seeded and passwords.matches(user.password, seeded))):
                    password = passwords.hashed(user.password, generated=user.generated)
                    connection.execute("UPDATE people SET password = ?, seeded = ? WHERE guid = ?", (password, password, guid))
                self._groups.add(guid, [*default_groups, *user.groups])

    def create(self, guid: str, profile: Profile, groups: Iterable[str], now: float) -> None:
        """Raises Taken."""
        password = passwords.hashed(profile.password) if profile.origin == UAA else ""
        with self._database.writing():
            try:
                self._insert(guid, profile, now, password)
            except sqlite3.IntegrityError as error:
                raise Taken from error
            self._groups.add(guid, groups)

    def change(self, guid: str, profile: Profile, now: float) -> None:
        """Everything but the password. Raises Taken."""
        with self._database.writing() as connection:
            changes = ", ".join(f"{name} = ?" for name in _values(profile))
            try:
                connection.execute(
                    f"UPDATE people SET {changes}, updated_at = ?, version = version + 1 WHERE guid = ?",  # noqa: S608
                    (*_values(profile).values(), now, guid),
                )
            except sqlite3.IntegrityError as error:
                raise Taken from error

    def set_password(self, guid: str, password: str, now: float) -> None:
        """Another password: nobody goes on with a refresh token that was got by the old one."""
        hashed = passwords.hashed(password)
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE people SET password = ?, updated_at = ?, version = version + 1 WHERE guid = ?", (hashed, now, guid)
            )
            connection.execute("DELETE FROM tokens WHERE user_guid = ?", (guid,))
            self.forget_failures(guid)

    def delete(self, guid: str) -> None:
        """With memberships, tokens and codes."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM people WHERE guid = ?", (guid,))

    def failures(self, guid: str) -> list[float]:
        """When wrong passwords were given since the last right one."""
        return [row[0] for row in self._database.rows("SELECT at FROM failures WHERE user_guid = ?", guid)]

    def add_failure(self, guid: str, now: float, forget_before: float) -> None:
        """Note a wrong password; what was before `forget_before` is of no interest any more."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM failures WHERE user_guid = ? AND at < ?", (guid, forget_before))
            connection.execute("INSERT INTO failures (user_guid, at) VALUES (?, ?)", (guid, now))

    def forget_failures(self, guid: str) -> None:
        with self._database.writing() as connection:
            connection.execute("DELETE FROM failures WHERE user_guid = ?", (guid,))

    def _insert(self, guid: str, profile: Profile, now: float, password: str = "") -> None:
        values = {"guid": guid, "password": password, "created_at": now, "updated_at": now, **_values(profile)}
        with self._database.writing() as connection:
            connection.execute(
                f"INSERT INTO people ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})",  # noqa: S608
                tuple(values.values()),
            )


def _values(profile: Profile) -> dict[str, Any]:
    return {name: value for name, value in msgspec.structs.asdict(profile).items() if name != "password"}


def _credentials(row: Any) -> Credentials | None:
    return row and _known(row)


def _known(row: Any) -> Credentials:
    password, groups, *values = row
    fields = dict(zip(_FIELDS, values, strict=True))
    fields |= {"active": bool(fields["active"]), "verified": bool(fields["verified"])}
    return Credentials(Account(groups=msgspec.json.decode(groups, type=dict[str, str]), **fields), password)
