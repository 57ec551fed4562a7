"""The tables of the routing database, as the migrations leave them: upstream's, name by name."""

from sqlalchemy import Boolean, Column, DateTime, Integer, MetaData, String, Table
from sqlalchemy.dialects.mysql import INTEGER

METADATA = MetaData()
Text = String(255)
Moment = DateTime(timezone=True)
Unsigned = Integer().with_variant(INTEGER(unsigned=True), "mysql", "mariadb")

ROUTES = Table(
    "routes",
    METADATA,
    Column("guid", Text, primary_key=True),
    Column("created_at", Moment),
    Column("updated_at", Moment),
    Column("expires_at", Moment),
    Column("route", Text, nullable=False),
    Column("port", Unsigned, nullable=False),
    Column("ip", Text, nullable=False),
    Column("ttl", Integer),
    Column("log_guid", Text),
    Column("route_service_url", Text, nullable=False),
    Column("modification_guid", Text),
    Column("modification_index", Unsigned),
)
TCP_ROUTES = Table(
    "tcp_routes",
    METADATA,
    Column("guid", Text, primary_key=True),
    Column("created_at", Moment),
    Column("updated_at", Moment),
    Column("expires_at", Moment),
    Column("router_group_guid", Text, nullable=False),
    Column("host_port", Integer, nullable=False),
    Column("host_tls_port", Integer),
    Column("host_ip", Text, nullable=False),
    Column("sni_hostname", Text),
    Column("sni_rewrite_hostname", Text),
    Column("instance_id", Text),
    Column("external_port", Integer, nullable=False),
    Column("modification_guid", Text),
    Column("modification_index", Unsigned),
    Column("ttl", Integer),
    Column("isolation_segment", Text),
    Column("terminate_frontend_tls", Boolean),
    Column("alpns", Text),
    Column("enable_backend_m_tls", Boolean),
)
ROUTER_GROUPS = Table(
    "router_groups",
    METADATA,
    Column("guid", Text, primary_key=True),
    Column("created_at", Moment),
    Column("updated_at", Moment),
    Column("name", Text),
    Column("type", Text),
    Column("reservable_ports", Text),
)
MIGRATION_DATA = Table(
    "migration_data",
    METADATA,
    Column("migration_key", Text, primary_key=True),
    Column("current_version", Integer),
    Column("target_version", Integer),
)
