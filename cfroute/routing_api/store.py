"""The routing database's contents: everything that is read from it or written to it, each call within one transaction.

Only one Routing API works on a database (see `lock`), and only one of its threads writes: what is read before a change is still
so when it is written.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from cfroute.clock import Clock
from cfroute.routing_api.api import DELETE, Event, R, RouterGroup
from cfroute.routing_api.schema import ROUTER_GROUPS
from cfroute.routing_api.tables import Mapped, identity, moment, seconds
from cfroute.routing_api.upserts import NewGuid, Row, upserted

_AT_ONCE: Final = 500  # values in one statement
_GRACE: Final = 1.0  # s: MySQL keeps whole seconds
_GROUP: Final = [ROUTER_GROUPS.c[name] for name in ("guid", "name", "type", "reservable_ports")]

T = TypeVar("T")
Check = Callable[[Sequence[R]], None]


class Store:
    """Reads and writes routes and router groups over a connection that somebody else commits."""

    def __init__(self, clock: Clock, new_guid: NewGuid) -> None:
        self._clock = clock
        self._new_guid = new_guid

    # Routes

    def routes(self, connection: Connection, mapped: Mapped[R]) -> list[R]:
        """All routes that have not expired."""
        table = mapped.table
        alive = select(*mapped.selected()).where(table.c.expires_at > moment(self._clock.now()))
        return [mapped.route(row) for row in connection.execute(alive)]

    def count(self, connection: Connection, mapped: Mapped[R]) -> int:
        """How many routes have not expired."""
        alive = select(func.count()).where(mapped.table.c.expires_at > moment(self._clock.now()))
        return int(connection.execute(alive).scalar_one())

    def upsert(
        self, connection: Connection, mapped: Mapped[R], wanted: Sequence[R], check: Check[R] | None = None
    ) -> list[Event[R]]:
        """Make the routes, or renew them. `check` may refuse, once it sees the living routes with the same port or host."""
        now = self._clock.now()
        same = identity(connection.dialect.name)
        near = list(self._near(connection, mapped, wanted))
        if check is not None:
            check([row.route for row in near if row.expires_at > now])
        present: dict[Hashable, Row[R]] = {same(row.route): row for row in near}
        changes = upserted(present, wanted, now, self._new_guid, same)
        stamp = {"updated_at": moment(now)}
        if changes.inserts:
            new = [{"guid": row.guid, "created_at": moment(now), **stamp, **_values(mapped, row)} for row in changes.inserts]
            connection.execute(insert(mapped.table), new)
        if changes.updates:
            renewed = [{"which": row.guid, **stamp, **_values(mapped, row)} for row in changes.updates]
            connection.execute(update(mapped.table).where(mapped.table.c.guid == bindparam("which")), renewed)
        return changes.events

    def delete(self, connection: Connection, mapped: Mapped[R], unwanted: Sequence[R]) -> list[Event[R]]:
        """Delete the routes that are there; the events have them as they were."""
        same = identity(connection.dialect.name)
        present = {same(row.route): row for row in self._near(connection, mapped, unwanted)}
        gone = [row for route in unwanted if (row := present.pop(same(route), None)) is not None]
        return self._remove(connection, mapped, gone)

    def prune(self, connection: Connection, mapped: Mapped[R]) -> list[Event[R]]:
        """Delete the routes that expired more than a second ago."""
        past = moment(self._clock.now() - _GRACE)
        return self._remove(connection, mapped, list(_rows(connection, mapped, mapped.table.c.expires_at < past)))

    def _near(self, connection: Connection, mapped: Mapped[R], routes: Iterable[R]) -> Iterator[Row[R]]:
        """The rows that have the port, or the host and path, in common with one of the routes."""
        column = mapped.table.c[mapped.columns[mapped.common]]
        for values in _batches({getattr(route, mapped.common) for route in routes}):
            yield from _rows(connection, mapped, column.in_(values))

    def _remove(self, connection: Connection, mapped: Mapped[R], rows: Sequence[Row[R]]) -> list[Event[R]]:
        for guids in _batches(row.guid for row in rows):
            connection.execute(delete(mapped.table).where(mapped.table.c.guid.in_(guids)))
        return [Event(DELETE, row.route) for row in rows]

    # Router groups

    def groups(self, connection: Connection, name: str = "") -> list[RouterGroup]:
        """The groups, or the one of that name, the oldest first."""
        wanted = select(*_GROUP).order_by(ROUTER_GROUPS.c.created_at, ROUTER_GROUPS.c.name)
        found = connection.execute(wanted.where(ROUTER_GROUPS.c.name == name) if name else wanted)
        return [_group(row) for row in found]

    def group(self, connection: Connection, guid: str) -> RouterGroup | None:
        """The group with that guid."""
        row = connection.execute(select(*_GROUP).where(ROUTER_GROUPS.c.guid == guid)).one_or_none()
        return None if row is None else _group(row)

    def add_group(self, connection: Connection, group: RouterGroup) -> RouterGroup:
        """Insert a group, which gets a new guid. Raises IntegrityError when its name is taken."""
        made = RouterGroup(self._new_guid(), group.name, group.type, group.reservable_ports)
        now = moment(self._clock.now())
        stamps = {"created_at": now, "updated_at": now}
        connection.execute(insert(ROUTER_GROUPS), {**_group_values(made), "guid": made.guid, **stamps})
        return made

    def save_group(self, connection: Connection, group: RouterGroup) -> None:
        """Write what has changed of a group."""
        values = {**_group_values(group), "updated_at": moment(self._clock.now())}
        connection.execute(update(ROUTER_GROUPS).where(ROUTER_GROUPS.c.guid == group.guid), values)

    def delete_group(self, connection: Connection, guid: str) -> bool:
        """Delete a group; whether it was there. Its routes stay."""
        return connection.execute(delete(ROUTER_GROUPS).where(ROUTER_GROUPS.c.guid == guid)).rowcount > 0


def _rows(connection: Connection, mapped: Mapped[R], condition: Any) -> Iterator[Row[R]]:
    table = mapped.table
    for row in connection.execute(select(*mapped.selected(), table.c.guid, table.c.expires_at).where(condition)):
        yield Row(row.guid, mapped.route(row), seconds(row.expires_at))


def _values(mapped: Mapped[R], row: Row[R]) -> dict[str, Any]:
    return {**mapped.values(row.route), "expires_at": moment(row.expires_at)}


def _group(row: Any) -> RouterGroup:
    return RouterGroup(row.guid, row.name or "", row.type or "", row.reservable_ports or "")


def _group_values(group: RouterGroup) -> dict[str, str]:
    return {"name": group.name, "type": group.type, "reservable_ports": group.reservable_ports}


def _batches(values: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(values)
    while batch := list(islice(rest, _AT_ONCE)):
        yield batch
