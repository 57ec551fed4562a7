"""The tables of the UAA's database. Each migration brings one a version on; `PRAGMA user_version` says how far it has come."""

import sqlite3
from typing import Final

from cfroute import sqlite

# The first is older than the numbers, so it may be there already.
_MIGRATIONS: Final = (
    """
    CREATE TABLE IF NOT EXISTS clients (
        name TEXT PRIMARY KEY, secret TEXT NOT NULL, authorities TEXT NOT NULL, scope TEXT NOT NULL, grants TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS users (
        guid TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE, password TEXT NOT NULL, groups TEXT NOT NULL
    )
    """,
    """
    ALTER TABLE clients ADD COLUMN access_token_validity INTEGER;
    ALTER TABLE clients ADD COLUMN refresh_token_validity INTEGER;
    CREATE TABLE groups (
        guid TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, description TEXT NOT NULL DEFAULT '',
        created_at REAL NOT NULL DEFAULT 0
    );
    CREATE TABLE people (
        guid TEXT PRIMARY KEY, name TEXT NOT NULL COLLATE NOCASE, origin TEXT NOT NULL DEFAULT 'uaa',
        password TEXT NOT NULL, seeded TEXT NOT NULL DEFAULT '', email TEXT NOT NULL DEFAULT '',
        given_name TEXT NOT NULL DEFAULT '', family_name TEXT NOT NULL DEFAULT '', external_id TEXT NOT NULL DEFAULT '',
        active INTEGER NOT NULL DEFAULT 1, verified INTEGER NOT NULL DEFAULT 1,
        created_at REAL NOT NULL DEFAULT 0, updated_at REAL NOT NULL DEFAULT 0, version INTEGER NOT NULL DEFAULT 0,
        UNIQUE (name, origin)
    );
    INSERT INTO people (guid, name, password, email) SELECT guid, name, password, name FROM users;
    INSERT INTO groups (guid, name) SELECT DISTINCT 'group-' || value, value FROM users, json_each(users.groups);
    CREATE TABLE memberships (
        user_guid TEXT NOT NULL REFERENCES people (guid) ON DELETE CASCADE,
        group_guid TEXT NOT NULL REFERENCES groups (guid) ON DELETE CASCADE,
        PRIMARY KEY (user_guid, group_guid)
    ) WITHOUT ROWID;
    INSERT INTO memberships SELECT DISTINCT guid, 'group-' || value FROM users, json_each(users.groups);
    DROP TABLE users;
    CREATE TABLE tokens (
        id TEXT PRIMARY KEY, user_guid TEXT REFERENCES people (guid) ON DELETE CASCADE,
        client TEXT NOT NULL REFERENCES clients (name) ON DELETE CASCADE, expires REAL NOT NULL
    );
    CREATE INDEX tokens_by_user ON tokens (user_guid);
    CREATE INDEX tokens_by_client ON tokens (client);
    CREATE INDEX tokens_by_end ON tokens (expires);
    CREATE TABLE failures (user_guid TEXT NOT NULL REFERENCES people (guid) ON DELETE CASCADE, at REAL NOT NULL);
    CREATE INDEX failures_by_user ON failures (user_guid);
    CREATE TABLE passcodes (
        digest TEXT PRIMARY KEY, user_guid TEXT NOT NULL REFERENCES people (guid) ON DELETE CASCADE, expires REAL NOT NULL
    )
    """,
)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a database up to date, at once or not at all. Raises sqlite3.Error."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version >= len(_MIGRATIONS):
        return
    with sqlite.transaction(connection):
        for statement in ";".join(_MIGRATIONS[version:]).split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")
