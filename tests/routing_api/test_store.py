"""What time does to routes, and what older schemas have left, in a real SQLite file."""

import asyncio
import itertools
import sqlite3
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

from cfroute.lager import Lager, Sink
from cfroute.routing_api import migrations
from cfroute.routing_api.api import RouterGroup
from cfroute.routing_api.config import Config, SqlDB
from cfroute.routing_api.database import Database, open_database
from cfroute.routing_api.errors import ApiError
from cfroute.routing_api.metrics import Metrics
from cfroute.routing_api.service import Service
from cfroute.routing_api.statsd import Statsd
from cfroute.routing_api.store import Store
from cfroute.testing import ManualClock

from .examples import http, tcp
from .in_process import Lines


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def log(lines: Lines) -> Lager:
    return Lager("x", Sink(0, stream=lines))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(SqlDB(schema=str(tmp_path / "routing.sqlite")), skip_ssl_validation=False)
    yield opened
    opened.close()


@pytest.fixture
def service(database: Database, clock: ManualClock) -> Service:
    numbers = itertools.count()
    return Service(Config(), database, Store(clock, lambda: f"guid-{next(numbers)}"), Metrics(Statsd("")))


def run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(work())


@pytest.mark.statement("Routing API 6", "expired routes are hidden at once, pruned a second later, and told as deleted")
def test_routes_expire_and_are_pruned(service: Service, clock: ManualClock, log: Lager, lines: Lines) -> None:
    async def scenario() -> None:
        await service.prepare(log)
        group, _ = await service.create_group(RouterGroup(name="g", type="tcp", reservable_ports="1024"))
        events = service.tcp_events.listen()
        await service.upsert_tcp_routes([tcp(router_group_guid=group.guid, ttl=10), tcp(router_group_guid=group.guid, port=2)])
        await service.upsert_routes([http(ttl=10)])
        assert await anext(events)
        clock.advance(10)
        assert (len(await service.tcp_routes()), await service.routes()) == (1, [])
        await service.prune(log)
        assert lines.said["successfully-finished-pruning-tcp-routes"]["rowsAffected"] == 0
        clock.advance(1.01)
        await service.prune(log)
        assert lines.said["successfully-finished-pruning-tcp-routes"]["rowsAffected"] == 1
        assert lines.said["successfully-finished-pruning-http-routes"]["rowsAffected"] == 1
        told = await anext(events)
        assert told.startswith(b"id: 2\nevent: Delete\n")
        assert told.count(b"event: ") == 1

    run(scenario)


def test_a_route_that_has_expired_goes_on_when_it_comes_back_in_time(service: Service, clock: ManualClock, log: Lager) -> None:
    async def scenario() -> None:
        await service.prepare(log)
        await service.upsert_routes([http(ttl=10)])
        (before,) = await service.routes()
        clock.advance(10.5)
        await service.upsert_routes([http(ttl=10)])
        (after,) = await service.routes()
        assert after.modification_tag == before.modification_tag.next()

    run(scenario)


def test_a_database_that_fails(service: Service, database: Database, log: Lager) -> None:
    async def scenario() -> None:
        await service.prepare(log)
        with database._write_engine.begin() as connection:
            connection.execute(text("DROP TABLE routes"))
        for work in (service.routes(), service.upsert_routes([http()]), service.prune(log)):
            with pytest.raises(ApiError) as failed:
                await work
            assert (failed.value.status, failed.value.name) == (503, "DBCommunicationError")

    run(scenario)


UPSTREAM = """
CREATE TABLE routes (guid text PRIMARY KEY, created_at datetime, updated_at datetime, expires_at datetime,
  route text, port integer, ip text, ttl integer,
  log_guid text, route_service_url text, modification_guid text, modification_index integer);
CREATE TABLE tcp_routes (guid text PRIMARY KEY, created_at datetime, updated_at datetime, expires_at datetime,
  router_group_guid text, host_port integer,
  host_tls_port integer, host_ip text, sni_hostname text, instance_id text, external_port integer, modification_guid text,
  modification_index integer, ttl integer, isolation_segment text);
CREATE UNIQUE INDEX idx_tcp_route ON tcp_routes (router_group_guid,host_port,host_ip,external_port,sni_hostname,host_tls_port);
CREATE TABLE router_groups (guid text PRIMARY KEY, created_at datetime, updated_at datetime, name text, type text,
  reservable_ports text);
CREATE TABLE migration_data (migration_key text PRIMARY KEY, current_version integer, target_version integer);
INSERT INTO migration_data VALUES ('routing-api-migration', 7, 7);
INSERT INTO router_groups VALUES ('group', NULL, NULL, 'g', 'tcp', '1024-1030');
INSERT INTO tcp_routes VALUES ('row', NULL, NULL, '2100-01-01 00:00:00.000000', 'group', 60000, NULL, '10.0.0.1', NULL, NULL,
  1024, 'tag', 3, 60, '');
"""


@pytest.mark.statement("Routing API 12", "a database that upstream's release has made is taken over, migrated")
def test_what_upstream_has_left(tmp_path: Path, service: Service, log: Lager) -> None:
    with sqlite3.connect(tmp_path / "routing.sqlite") as connection:
        connection.executescript(UPSTREAM)

    async def scenario() -> None:
        await service.prepare(log)
        await service.upsert_tcp_routes([tcp()])  # one that has no TLS port is the one with none
        (route,) = await service.tcp_routes()
        assert (route.modification_tag.guid, route.modification_tag.index, route.terminate_frontend_tls) == ("tag", 4, False)

    run(scenario)


def test_tables_are_made_once(database: Database, log: Lager, lines: Lines) -> None:
    engine = database._write_engine
    migrations.migrate(engine, log)
    assert lines.said["finished-migration"] == {"starting-version": -1, "target-version": migrations.TARGET}
    migrations.migrate(engine, log)
    assert "already-at-latest-version" in lines.said
    with engine.connect() as connection:
        found = inspect(connection)
        unique = {index["name"]: index["column_names"] for index in found.get_indexes("tcp_routes") if index["unique"]}
        columns = {column["name"] for column in found.get_columns("tcp_routes")}
    assert unique["idx_tcp_route"][-3:] == ["sni_hostname", "host_tls_port", "enable_backend_m_tls"]
    assert {"instance_id", "alpns", "sni_rewrite_hostname"} <= columns
