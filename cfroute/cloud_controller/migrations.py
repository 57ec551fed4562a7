"""What a ccdb of an older cfroute lacks. `PRAGMA user_version` says how far a file has come.

Tables that a version brought along are made by `create_all`. A step says what it changed of tables that were there before:
columns that they got, and tables that had to be made anew, because SQLite cannot take a constraint away.
"""

from typing import NamedTuple

from sqlalchemy import Connection, Table

from cfroute.cloud_controller.models import Base
from cfroute.cloud_controller.models.quotas import DEFAULT_QUOTA


class Step(NamedTuple):
    """What one version changed. added: (table, column as `ALTER TABLE` takes it); a column without NULLs needs a DEFAULT.

    remade: tables that no other table refers to.
    """

    version: int
    added: tuple[tuple[str, str], ...] = ()
    remade: tuple[str, ...] = ()


STEPS = (
    # A key has no app, and what a binding was given is kept.
    Step(4, added=(("credential_bindings", "given JSON DEFAULT '{}' NOT NULL"),), remade=("credential_bindings",)),
    # During a deployment an app has two processes of one type. There are quotas. An app may be bound to an instance twice.
    Step(
        5,
        added=(
            ("processes", "revision_guid VARCHAR"),
            ("apps", "revisions_enabled BOOLEAN DEFAULT 1 NOT NULL"),
            ("organizations", f"quota_guid VARCHAR DEFAULT '{DEFAULT_QUOTA}' NOT NULL"),
            ("spaces", "quota_guid VARCHAR REFERENCES space_quotas (guid) ON DELETE SET NULL"),
        ),
        remade=("processes", "credential_bindings"),
    ),
)
SCHEMA_VERSION = STEPS[-1].version


def migrate(connection: Connection, version: int) -> None:
    """Bring the tables of a file of that version (0: it has none) to the present one, and say so in it."""
    missed = [step for step in STEPS if 0 < version < step.version]
    there = {row[0] for row in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for table, column in (added for step in missed for added in step.added):
        if table in there and column.partition(" ")[0] not in _columns(connection, table):
            connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {column}")
    remade = {table for step in missed for table in step.remade} & there
    for table in remade:
        _set_aside(connection, table)
    Base.metadata.create_all(connection)
    for index in (index for table in Base.metadata.sorted_tables for index in table.indexes if version):
        index.create(connection, checkfirst=True)  # `create_all` looks at tables only
    for table in remade:
        _take_back(connection, Base.metadata.tables[table])
    connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _columns(connection: Connection, table: str) -> list[str]:
    return [row[1] for row in connection.exec_driver_sql(f"PRAGMA table_info({table})")]


def _set_aside(connection: Connection, table: str) -> None:
    """Rename the table; the names of its indexes are needed again."""
    own = "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL"
    for (index,) in connection.exec_driver_sql(own, (table,)).all():
        connection.exec_driver_sql(f'DROP INDEX "{index}"')
    connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO old_{table}")


def _take_back(connection: Connection, table: Table) -> None:
    """Copy what `_set_aside` has renamed, in the same order: lists go by it."""
    columns = ", ".join(column.name for column in table.columns)
    copy = f"INSERT INTO {table.name} ({columns}) SELECT {columns} FROM old_{table.name} ORDER BY rowid"  # noqa: S608 - our own names
    connection.exec_driver_sql(copy)
    connection.exec_driver_sql(f"DROP TABLE old_{table.name}")
