"""The routing tables of the routers as rows, and how they change from one look to the next.

Plain data in, data out; `table` fetches and shows it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, Literal, NamedTuple

import msgspec

GONE_FOR = 3.0  # seconds that what has gone is still shown, and that marks stay

_GUID = 36  # characters: of those, the first eight are told

Key = tuple[str, str, str]
"""Router, route, address."""


class Row(msgspec.Struct, frozen=True):
    """One endpoint of one route in one router's table.

    Ages are in seconds; prune_in is None for an endpoint that is not pruned (TLS), failed_for for one that works; rate is in
    requests a second. app_name is "" where nobody knows the name; component is what a route without an app is tagged with: one of
    the system's own.

    A TCP route's requests are connections. Only it has errors (connections that its endpoint did not take) and bytes, from
    and to the clients.
    """

    router: str
    route: str
    address: str
    app: str
    app_name: str
    index: str
    instance_id: str
    protocol: str
    tls: bool
    age: float
    refreshed: float
    prune_in: float | None
    route_service_url: str
    availability_zone: str
    isolation_segment: str
    failed_for: float | None
    connections: int
    requests: int
    rate: float
    errors: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    component: str = ""

    @property
    def tcp(self) -> bool:
        return self.protocol == "tcp"

    @property
    def key(self) -> Key:
        return (self.router, self.route, self.address)

    @property
    def identity(self) -> tuple[Any, ...]:
        """What makes a row another one when it changes; ages and counters always do."""
        return (
            self.app, self.index, self.instance_id, self.protocol, self.tls, self.route_service_url,
            self.availability_zone, self.isolation_segment, self.failed_for is not None,
        )  # fmt: skip


def rows(table: Mapping[str, Any], names: Mapping[str, str]) -> list[Row]:
    """The rows of one Gorouter's answer; `names` gives app names by guid."""
    return [
        Row(
            router=table["router"],
            route=route["uri"],
            address=endpoint["address"],
            app=endpoint["app"],
            app_name=names.get(endpoint["app"], ""),
            index=endpoint["index"],
            instance_id=endpoint["instance_id"],
            protocol=endpoint["protocol"],
            tls=endpoint["tls"],
            age=endpoint["age"],
            refreshed=endpoint["refreshed"],
            prune_in=endpoint["expires_in"],
            route_service_url=route["route_service_url"],
            availability_zone=endpoint["availability_zone"],
            isolation_segment=endpoint["isolation_segment"],
            failed_for=endpoint["failed_for"],
            connections=endpoint["connections"],
            requests=endpoint["requests"],
            rate=endpoint["rate"],
            component="" if endpoint["app"] else (endpoint["tags"] or {}).get("component", ""),
        )
        for route in table["routes"]
        for endpoint in route["endpoints"]
    ]


def matching(found: Iterable[Row], pattern: str | None) -> list[Row]:
    """The rows whose route matches: a glob as a whole, anything else as a part of it."""
    wanted = (pattern or "").lower()
    if any(special in wanted for special in "*?["):
        chosen = [row for row in found if fnmatchcase(row.route.lower(), wanted)]
    else:
        chosen = [row for row in found if wanted in row.route.lower()]
    return sorted(chosen, key=lambda row: (row.route, row.app_name, row.app, row.index.zfill(6), row.router, row.address))


class Changes(NamedTuple):
    """What differs between two looks."""

    appeared: list[Row]
    changed: list[Row]
    gone: list[Row]


def changes(before: Iterable[Row], after: Iterable[Row]) -> Changes:
    """Compare two looks at the tables."""
    old, new = {row.key: row for row in before}, {row.key: row for row in after}
    return Changes(
        appeared=[row for key, row in new.items() if key not in old],
        changed=[row for key, row in new.items() if key in old and old[key].identity != row.identity],
        gone=[row for key, row in old.items() if key not in new],
    )


Mark = Literal["", "+", "~", "-"]


class Line(NamedTuple):
    """A row on the screen, its mark, and when the mark goes away (with a `-`, the row too)."""

    row: Row
    mark: Mark = ""
    until: float = 0.0


def first_view(found: Iterable[Row]) -> list[Line]:
    """The first look: nothing is marked."""
    return [Line(row) for row in found]


def next_view(view: list[Line], found: Iterable[Row], now: float) -> list[Line]:
    """The lines to show after the next look at time `now`."""
    present = list(found)
    shown = {line.row.key: line for line in view}
    difference = changes((line.row for line in view if line.mark != "-"), present)
    appeared = {row.key for row in difference.appeared}
    changed = {row.key for row in difference.changed}
    lines = []
    for row in present:
        if row.key in appeared or row.key in changed:
            lines.append(Line(row, "+" if row.key in appeared else "~", now + GONE_FOR))
        else:
            old = shown[row.key]
            lines.append(Line(row, old.mark, old.until) if old.until > now else Line(row))
    going = [Line(row, "-", now + GONE_FOR) for row in difference.gone]
    keys = {row.key for row in present}
    staying = [line for line in view if line.mark == "-" and line.until > now and line.row.key not in keys]
    order = {line.row.key: number for number, line in enumerate(view)}
    return _merge(lines, sorted([*going, *staying], key=lambda line: order[line.row.key]))


def _merge(lines: list[Line], leaving: list[Line]) -> list[Line]:
    """Leave what goes where it was, among its neighbours by route."""
    merged = list(lines)
    for line in leaving:
        place = next((n for n, each in enumerate(merged) if each.row.route > line.row.route), len(merged))
        merged.insert(place, line)
    return merged


def duration(seconds: float | None) -> str:
    """`12s`, `3m05s`, `1h02m`, `-` for never."""
    if seconds is None:
        return "-"
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def headers(found: Iterable[Row]) -> tuple[str, ...]:
    """The columns; the router is told only when there are several."""
    present = list(found)
    traffic = "connections" if present and all(row.tcp for row in present) else "req/s"
    columns = ("route", "endpoint", "app/instance", "protocol", "age", "prune in", "route service", traffic)
    return (*columns, "router") if _several_routers(present) else columns


def cells(row: Row, *, with_router: bool) -> tuple[str, ...]:
    """One row as text."""
    app = row.app_name or (row.app[:8] if len(row.app) == _GUID else row.app) or row.component or "-"
    state = f" (failed {duration(row.failed_for)} ago)" if row.failed_for is not None else ""
    told = (
        row.route,
        row.address + state,
        f"{app}/{row.index}" if row.index else app,
        f"{row.protocol}{' tls' if row.tls else ''}",
        duration(row.age),
        duration(row.prune_in),
        row.route_service_url,
        _traffic(row),
    )
    return (*told, row.router) if with_router else told


def _traffic(row: Row) -> str:
    if row.tcp:
        return f"{row.connections} open"
    return f"{row.rate:.1f}" if row.rate else "0"


def _several_routers(found: Iterable[Row]) -> bool:
    # A Gorouter and a TCP router have no routes in common: who has one of each need not be told which it is.
    return max(Counter(kind for kind, _ in {(row.tcp, row.router) for row in found}).values(), default=0) > 1
