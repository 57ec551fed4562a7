"""What a list of upserts does to the routes that are there: which rows are new or change, and what is told of it."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic

from cfroute.routing_api.api import UPSERT, Event, ModificationTag, R

NewGuid = Callable[[], str]


@dataclass
class Row(Generic[R]):
    """A route and the guid of its row; `expires_at` is in seconds of the epoch."""

    guid: str
    route: R
    expires_at: float


@dataclass
class Changes(Generic[R]):
    """Rows to insert and to update, and the events: one an upsert, even of the same route."""

    inserts: list[Row[R]] = field(default_factory=list)
    updates: list[Row[R]] = field(default_factory=list)
    events: list[Event[R]] = field(default_factory=list)


def upserted(
    present: Mapping[Hashable, Row[R]], wanted: Iterable[R], now: float, new_guid: NewGuid, key: Callable[[R], Hashable]
) -> Changes[R]:
    """The changes that make the `present` rows (by `key`) what is `wanted`, one after the other."""
    rows, changes = dict(present), Changes[R]()
    touched: set[str] = set()
    for route in wanted:
        row = rows.get(key(route))
        expires_at = now + route.ttl
        if row is None:
            row = rows[key(route)] = Row(new_guid(), route.tagged(ModificationTag(new_guid(), 0)), expires_at)
            changes.inserts.append(row)
            touched.add(row.guid)
        else:
            row.route, row.expires_at = row.route.renewed(route), expires_at
            if row.guid not in touched:
                changes.updates.append(row)
                touched.add(row.guid)
        changes.events.append(Event(UPSERT, row.route))
    return changes
