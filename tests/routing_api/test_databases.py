"""The Routing API on real MariaDB and PostgreSQL servers."""

import signal
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import inspect

from cfroute.routing_api.config import SqlDB
from cfroute.routing_api.database import DatabaseError, open_database

from . import servers
from .daemons import Process
from .servers import MariaDB, PostgreSQL
from .test_api import http, tcp

Launch = Callable[..., Process]


@pytest.fixture(scope="module", params=list(servers.SERVERS))
def server(request: pytest.FixtureRequest) -> Iterator[MariaDB | PostgreSQL]:
    with servers.running(request.param) as server:
        yield server


@pytest.mark.statement("Routing API 12", "MariaDB and PostgreSQL hold routes and groups, and have them after a kill -9")
def test_routes_and_groups(server: MariaDB | PostgreSQL, launch: Launch) -> None:
    process = launch("-devMode", sqldb=server.sqldb(connections_max_lifetime_seconds=60)).started()
    assert process.said("database") == [{"host": "127.0.0.1", "port": server.port}]
    with process.client() as api, process.events() as events:
        (group,) = api.get("/router_groups").json()
        wanted = [tcp(group["guid"], 1024 + n % 100, backend_port=1 + n // 100) for n in range(1000)]
        wanted += [tcp(group["guid"], 1024, backend_sni_hostname=""), tcp(group["guid"], 1024, backend_sni_hostname="a.test")]
        for _ in range(2):
            assert api.post("/tcp_routes/create", json=wanted).status_code == 201
        told = [events.next()[2]["modification_tag"]["index"] for _ in range(2 * len(wanted))]
        assert told == [0] * len(wanted) + [1] * len(wanted)
        assert len(api.get("/tcp_routes").json()) == len(wanted)
        assert api.post("/tcp_routes/delete", json=wanted[1:]).status_code == 204
        (left,) = api.get("/tcp_routes").json()
        assert (left["backend_port"], left["backend_tls_port"], left["ttl"]) == (1, 0, 60)

        long = "a" * 200 + ".test/" + "b" * 49
        assert api.post("/routes", json=[http(long, log_guid="ö"), http("x.test")]).status_code == 201
        assert {each["route"] for each in api.get("/routes").json()} == {long, "x.test", "api.sys.test/routing"}

        again = api.post("/router_groups", json={"name": "default-tcp", "type": "other"})
        assert (again.status_code, again.json()["name"]) == (503, "DBCommunicationError")
        assert api.put(f"/router_groups/{group['guid']}", json={"reservable_ports": "4000"}).json()["reservable_ports"] == "4000"
    process.end(signal.SIGKILL)
    process = launch("-devMode", "-logLevel", "debug", config=process.config).started()
    with process.client() as api:
        assert api.get("/tcp_routes").json() == [left]
        assert api.post("/tcp_routes/delete", json=[left]).status_code == 204
        gone = [http(long), http("x.test")]
        assert api.request("DELETE", "/routes", json=gone).status_code == 204
        assert api.delete(f"/router_groups/{group['guid']}").status_code == 204
    assert process.said("migration.already-at-latest-version")
    assert process.end() == 0
    assert "Traceback" not in process.output.read_text()


@pytest.mark.statement("Routing API 17", "HTTP routes are the same in any case on MySQL, and not on PostgreSQL")
def test_names_in_another_case(server: MariaDB | PostgreSQL, launch: Launch) -> None:
    """MySQL's comparison does not see the case, and its unique index does not either."""
    process = launch("-devMode", sqldb=server.sqldb()).started()
    with process.client() as api:
        for name in ("Case.test", "case.test"):
            assert api.post("/routes", json=[http(name)]).status_code == 201
        found = [each for each in api.get("/routes").json() if each["route"].lower() == "case.test"]
        assert [each["modification_tag"]["index"] for each in found] == ([1] if server.type == "mysql" else [0, 0])
        assert api.request("DELETE", "/routes", json=[http("Case.test"), http("case.test")]).status_code == 204
    assert process.end() == 0


def connected(server: MariaDB | PostgreSQL, *, skip: bool = False, **more: Any) -> None:
    open_database(SqlDB(**server.sqldb(**more)), skip_ssl_validation=skip).close()


@pytest.mark.statement("Routing API 12", "`ca_cert` and `skip_ssl_validation` decide how the database is trusted")
def test_tls(server: MariaDB | PostgreSQL, identities: Any) -> None:
    own, other = (folder.joinpath("ca.pem").read_text() for folder in (server.folder, identities))
    connected(server, ca_cert=own)
    connected(server, ca_cert=other, skip=True)
    with pytest.raises(DatabaseError, match="certificate verify failed"):
        connected(server, ca_cert=other)


def test_who_is_not_let_in(server: MariaDB | PostgreSQL) -> None:
    for wrong in ({"password": "wrong"}, {"schema": "nothing"}, {"port": 1}):
        with pytest.raises(DatabaseError):
            connected(server, **wrong)


@pytest.mark.statement("Routing API 12", "the unique indexes of upstream's tables")
def test_the_tables(server: MariaDB | PostgreSQL) -> None:
    database = open_database(SqlDB(**server.sqldb()), skip_ssl_validation=False)
    with database._engine.connect() as connection:
        found = inspect(connection)
        indexes = {index["name"]: index["unique"] for table in found.get_table_names() for index in found.get_indexes(table)}
    database.close()
    assert all(indexes[name] for name in ("idx_route", "idx_tcp_route", "idx_rg_name"))


@pytest.mark.statement(
    "Routing API 5", "while the database is away, answers are 503 `DBCommunicationError`; what was acknowledged is there later"
)
@pytest.mark.parametrize("name", list(servers.SERVERS))
def test_a_server_that_crashes_and_comes_back(launch: Launch, name: str) -> None:
    """What was acknowledged is there, and what was not is a 503 and a line in the log."""
    acknowledged, refused = set(), list[httpx.Response]()
    with servers.running(name) as server:
        process = launch("-devMode", sqldb=server.sqldb()).started()
        with process.client() as api:
            for number in range(60):
                if number == 20:
                    server.crash()
                elif number == 40:
                    server.restart()
                answer = api.post("/routes", json=[http(f"{number}.test")])
                if answer.status_code == 201:
                    acknowledged.add(f"{number}.test")
                else:
                    refused.append(answer)
            found = {each["route"] for each in api.get("/routes").json()}
        assert found == {*acknowledged, "api.sys.test/routing"}
        assert len(acknowledged) == 40
        assert {(answer.status_code, answer.json()["name"]) for answer in refused} == {(503, "DBCommunicationError")}
        assert len(process.said("api-http-server.request.error")) == len(refused)
        assert process.end() == 0
