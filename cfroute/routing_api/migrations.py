"""From an empty database, or from one that an older (or upstream's) Routing API has left, to the present tables.

What has been done is noted where upstream notes it, in `migration_data`, under its key and with its numbers: either program can
take over from the other. Alembic knows how to change tables in each of the databases; importing it takes 0.15 s, so that is left
until something has to be changed.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sqlalchemy import Boolean, Column, Connection, Engine, Integer, inspect, select, text

from cfroute.lager import Lager
from cfroute.routing_api.schema import MIGRATION_DATA, Moment, Text, Unsigned

if TYPE_CHECKING:
    from alembic.operations import Operations

KEY: Final = "routing-api-migration"
_NOTHING_YET: Final = -1

_TCP_KEY: Final = ["router_group_guid", "host_port", "host_ip", "external_port"]
# MySQL's keys have at most 3072 bytes, and a character may have four; group guids have 36 characters.
_MYSQL_LENGTH: Final = {"router_group_guid": 64}


def migrate(engine: Engine, log: Lager) -> None:
    """Bring the tables up to date. Raises sqlalchemy.exc.SQLAlchemyError."""
    log.info("starting-migration")
    with engine.begin() as connection:
        current = _current(connection, log)
    if current >= TARGET:
        log.debug("already-at-latest-version")
        return
    for version in sorted(_STEPS):
        if version > current:
            with engine.begin() as connection:
                _step(connection, version)
    log.info("finished-migration", **{"starting-version": current, "target-version": TARGET})


def _current(connection: Connection, log: Lager) -> int:
    MIGRATION_DATA.create(connection, checkfirst=True)
    found = select(MIGRATION_DATA.c.current_version).where(MIGRATION_DATA.c.migration_key == KEY)
    current = connection.execute(found).scalar_one_or_none()
    if current is None:
        log.info("creating-migration-version")
        values = {"migration_key": KEY, "current_version": _NOTHING_YET, "target_version": TARGET}
        connection.execute(MIGRATION_DATA.insert(), values)
        return _NOTHING_YET
    return int(current)


def _step(connection: Connection, version: int) -> None:
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext

    _STEPS[version](Operations(MigrationContext.configure(connection)))
    done = MIGRATION_DATA.update().where(MIGRATION_DATA.c.migration_key == KEY)
    connection.execute(done, {"current_version": version, "target_version": TARGET})


def _create(op: "Operations") -> None:
    """V0: the tables of the first schema, where they are not there. (Upstream has had some before it had migrations.)"""
    present = inspect(op.get_bind()).get_table_names()
    if "routes" not in present:
        _create_routes(op)
    if "tcp_routes" not in present:
        _create_tcp_routes(op)
    if "router_groups" not in present:
        texts = [Column(name, Text) for name in ("name", "type", "reservable_ports")]
        op.create_table("router_groups", *_stamps(), *texts)


def _stamps(*more: str) -> list[Column[object]]:
    moments: list[Column[object]] = [Column(name, Moment) for name in ("created_at", "updated_at", *more)]
    return [Column("guid", Text, primary_key=True), *moments]


def _create_routes(op: "Operations") -> None:
    op.create_table(
        "routes",
        *_stamps("expires_at"),
        Column("route", Text, nullable=False),
        Column("port", Unsigned, nullable=False),
        Column("ip", Text, nullable=False),
        Column("ttl", Integer),
        Column("log_guid", Text),
        Column("route_service_url", Text, nullable=False),
        Column("modification_guid", Text),
        Column("modification_index", Unsigned),
    )
    lengths = {"route": 255, "ip": 64, "route_service_url": 255}
    columns = ["route", "port", "ip", "route_service_url"]
    op.create_index("idx_route", "routes", columns, unique=True, mysql_length=lengths)


def _create_tcp_routes(op: "Operations") -> None:
    op.create_table(
        "tcp_routes",
        *_stamps("expires_at"),
        Column("router_group_guid", Text, nullable=False),
        Column("host_port", Integer, nullable=False),
        Column("host_ip", Text, nullable=False),
        Column("external_port", Integer, nullable=False),
        Column("modification_guid", Text),
        Column("modification_index", Unsigned),
        Column("ttl", Integer),
    )
    _index_tcp_routes(op)


def _index_tcp_routes(op: "Operations", *more: str) -> None:
    if "idx_tcp_route" in _indexes(op, "tcp_routes"):
        op.drop_index("idx_tcp_route", "tcp_routes")
    op.create_index("idx_tcp_route", "tcp_routes", [*_TCP_KEY, *more], unique=True, mysql_length=_MYSQL_LENGTH)


def _indexes(op: "Operations", table: str) -> set[str | None]:
    """The names of the indexes that are there: MySQL commits each statement, so a step may have been done by half."""
    return {index["name"] for index in inspect(op.get_bind()).get_indexes(table)}


def _name_groups_once(op: "Operations") -> None:
    """V2: no two router groups have the same name."""
    if "idx_rg_name" not in _indexes(op, "router_groups"):
        op.create_index("idx_rg_name", "router_groups", ["name"], unique=True)


def _isolate(op: "Operations") -> None:
    """V3: TCP routes belong to an isolation segment."""
    _add(op, Column("isolation_segment", Text))


def _expiry(op: "Operations") -> None:
    """V4: what has expired is found quickly."""
    for table in ("routes", "tcp_routes"):
        if f"idx_{table}_expires_at" not in _indexes(op, table):
            op.create_index(f"idx_{table}_expires_at", table, ["expires_at"])


def _sni(op: "Operations") -> None:
    """V5: TCP routes may have a host name for SNI."""
    _add(op, Column("sni_hostname", Text))
    _index_tcp_routes(op, "sni_hostname")


def _backend_tls(op: "Operations") -> None:
    """V6: backends may speak TLS, and say which instance they are."""
    _add(op, Column("host_tls_port", Integer), Column("instance_id", Text))
    _index_tcp_routes(op, "sni_hostname", "host_tls_port")


def _optional_instance(op: "Operations") -> None:
    """V7: not every backend is an instance."""
    with op.batch_alter_table("tcp_routes") as batch:
        batch.alter_column("instance_id", existing_type=Text, nullable=True)


def _no_tls_is_zero(op: "Operations") -> None:
    """V8: no TLS port is 0, and not NULL, which is not equal to itself."""
    op.execute(text("UPDATE tcp_routes SET host_tls_port = 0 WHERE host_tls_port IS NULL"))
    with op.batch_alter_table("tcp_routes") as batch:
        batch.alter_column("host_tls_port", existing_type=Integer(), server_default="0")


def _frontend_tls(op: "Operations") -> None:
    """V9: routers may end the clients' TLS."""
    _add(op, Column("terminate_frontend_tls", Boolean), Column("alpns", Text))


def _sni_rewrite(op: "Operations") -> None:
    """V10: routers may ask backends for another host name."""
    _add(op, Column("sni_rewrite_hostname", Text))


def _backend_mutual_tls(op: "Operations") -> None:
    """V11: routers may show backends a certificate."""
    _add(op, Column("enable_backend_m_tls", Boolean))
    _index_tcp_routes(op, "sni_hostname", "host_tls_port", "enable_backend_m_tls")


def _add(op: "Operations", *columns: Column[object]) -> None:
    """Add columns to the TCP routes, where they are not there."""
    present = {column["name"] for column in inspect(op.get_bind()).get_columns("tcp_routes")}
    for column in columns:
        if column.name not in present:
            op.add_column("tcp_routes", column)


_STEPS: Final[dict[int, Callable[["Operations"], None]]] = {
    0: _create,
    2: _name_groups_once,
    3: _isolate,
    4: _expiry,
    5: _sni,
    6: _backend_tls,
    7: _optional_instance,
    8: _no_tls_is_zero,
    9: _frontend_tls,
    10: _sni_rewrite,
    11: _backend_mutual_tls,
}
TARGET: Final = max(_STEPS)
