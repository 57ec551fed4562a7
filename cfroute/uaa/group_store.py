"""The groups in the UAA's database. A group's name is the scope that its members may have."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from cfroute.uaa.database import Database


class Group(msgspec.Struct, frozen=True):
    """Its time of creation is in seconds of the epoch."""

    guid: str
    name: str
    description: str = ""
    created_at: float = 0.0


class Groups:
    """Groups, and who is in them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, guid: str) -> Group | None:
        return _group(self._database.row("SELECT guid, name, description, created_at FROM groups WHERE guid = ?", guid))

    def named(self, name: str) -> Group | None:
        return _group(self._database.row("SELECT guid, name, description, created_at FROM groups WHERE name = ?", name))

    def all(self) -> list[Group]:
        rows = self._database.rows("SELECT guid, name, description, created_at FROM groups ORDER BY name")
        return [Group(*row) for row in rows]

    def create(self, group: Group) -> None:
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO groups (guid, name, description, created_at) VALUES (?, ?, ?, ?)",
                (group.guid, group.name, group.description, group.created_at),
            )

    def ensure(self, names: Iterable[str], new_guid: Callable[[], str]) -> None:
        """Create those that there are not."""
        with self._database.writing() as connection:
            known = {group.name for group in self.all()}
            new = [(new_guid(), name) for name in dict.fromkeys(names) if name not in known]
            connection.executemany("INSERT INTO groups (guid, name) VALUES (?, ?)", new)

    def delete(self, guid: str) -> None:
        with self._database.writing() as connection:
            connection.execute("DELETE FROM groups WHERE guid = ?", (guid,))

    def members(self, guid: str) -> list[str]:
        """The guids of its users."""
        found = self._database.rows("SELECT user_guid FROM memberships WHERE group_guid = ? ORDER BY user_guid", guid)
        return [row[0] for row in found]

    def add(self, user_guid: str, names: Iterable[str]) -> None:
        """Make a user a member of groups that there are; of those where he is one already, he stays one."""
        with self._database.writing() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO memberships SELECT ?, guid FROM groups WHERE name = ?",
                [(user_guid, name) for name in names],
            )

    def remove(self, user_guid: str, guid: str) -> None:
        with self._database.writing() as connection:
            connection.execute("DELETE FROM memberships WHERE user_guid = ? AND group_guid = ?", (user_guid, guid))


def _group(row: Any) -> Group | None:
    return row and Group(*row)
