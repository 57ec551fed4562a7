"""How routes stand in their tables: which column has which field, and how rows are found again."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Generic

from sqlalchemy import Column, Table

from cfroute.routing_api import schema
from cfroute.routing_api.api import ModificationTag, R, Route, TcpRoute

_FOLDED: Final = ("mysql", "mariadb")


@dataclass(frozen=True)
class Mapped(Generic[R]):
    """One kind of route and its table. `columns` is column by field; `common` is the field that rows are looked for with."""

    kind: type[R]
    table: Table
    columns: Mapping[str, str]
    common: str
    name: str  # in log lines

    def selected(self) -> list[Column[Any]]:
        """The columns to select for `route`."""
        names = [*self.columns.values(), "modification_guid", "modification_index"]
        return [self.table.c[name] for name in names]

    def route(self, row: Sequence[Any]) -> R:
        """The route of a row that begins with `selected`. NULL, from an older schema, is the default of the field."""
        values = dict(zip(self.columns, row, strict=False))
        for field in _OLDER.get(self.kind, ()):
            if values[field] is None:
                values[field] = _DEFAULTS[field]
        tag = ModificationTag(row[len(self.columns)] or "", row[len(self.columns) + 1] or 0)
        return self.kind(**values, modification_tag=tag)

    def values(self, route: R) -> dict[str, Any]:
        """What to write for a route."""
        tag = route.modification_tag
        written = {column: getattr(route, field) for field, column in self.columns.items()}
        return {**written, "modification_guid": tag.guid, "modification_index": tag.index}


_OLDER: Final[Mapping[type, tuple[str, ...]]] = {
    Route: ("ttl", "log_guid"),
    TcpRoute: (
        "backend_tls_port",
        "instance_id",
        "ttl",
        "isolation_segment",
        "terminate_frontend_tls",
        "alpns",
        "enable_backend_mtls",
    ),
}
_DEFAULTS: Final[Mapping[str, Any]] = {
    "ttl": 0,
    "log_guid": "",
    "backend_tls_port": 0,
    "instance_id": "",
    "isolation_segment": "",
    "terminate_frontend_tls": False,
    "alpns": "",
    "enable_backend_mtls": False,
}

HTTP: Final = Mapped(
    Route,
    schema.ROUTES,
    {name: name for name in ("route", "port", "ip", "ttl", "log_guid", "route_service_url")},
    "route",
    "http",
)
TCP: Final = Mapped(
    TcpRoute,
    schema.TCP_ROUTES,
    {
        "router_group_guid": "router_group_guid",
        "backend_port": "host_port",
        "backend_tls_port": "host_tls_port",
        "backend_ip": "host_ip",
        "backend_sni_hostname": "sni_hostname",
        "instance_id": "instance_id",
        "port": "external_port",
        "ttl": "ttl",
        "isolation_segment": "isolation_segment",
        "sni_rewrite_hostname": "sni_rewrite_hostname",
        "terminate_frontend_tls": "terminate_frontend_tls",
        "alpns": "alpns",
        "enable_backend_mtls": "enable_backend_m_tls",
    },
    "port",
    "tcp",
)


def identity(dialect: str) -> Callable[[R], Hashable]:
    """What makes two routes the same in this database: MySQL's texts are equal in any case, as its unique index knows."""
    if dialect not in _FOLDED:
        return _key
    return lambda route: tuple(part.lower() if isinstance(part, str) else part for part in route.key)


def _key(route: Route | TcpRoute) -> Hashable:
    return route.key


def moment(seconds: float) -> datetime:
    """Seconds of the epoch as the databases take them: always UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def seconds(stored: datetime | None) -> float:
    """The other way round. (SQLite and MySQL give back no time zone.)"""
    if stored is None:
        return 0.0
    return (stored if stored.tzinfo else stored.replace(tzinfo=UTC)).timestamp()
