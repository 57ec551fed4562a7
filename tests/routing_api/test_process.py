"""How the process starts, goes on, and ends."""

import asyncio
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from cfroute.lager import Lager, Sink
from cfroute.routing_api.config import SqlDB
from cfroute.routing_api.database import open_database
from cfroute.routing_api.main import main
from cfroute.routing_api.migrations import migrate

from ..conformance.conftest import Nats
from ..ports import free_port
from ..waiting import eventually
from .daemons import Process
from .in_process import InProcess, Lines
from .test_api import tcp

Launch = Callable[..., Process]


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


@pytest.mark.statement("Routing API 1", "without `-config` or `-ip` it ends with 1")
@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        ([], 1, '"message":"routing-api.failed-check-flags","log_level":2,"data":{"error":"No configuration file provided"}'),
        (
            ["-config", "x"],
            1,
            '"message":"routing-api.failed-check-flags","log_level":2,"data":{"error":"No ip address provided"}',
        ),
        (["-config", "/nowhere", "-ip", "x"], 1, '"data":{"error":"open /nowhere: no such file or directory"}'),
        (["-timeFormat=rfc3339"], 1, '"level":"error","source":"routing-api","message":"routing-api.failed-check-flags"'),
        (["-logLevel=fatal"], 1, ""),
    ],
)
def test_what_is_missing(capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, told: str) -> None:
    assert main(arguments) == status
    assert told in said(capsys)


@pytest.mark.statement("Routing API 1", "a wrong flag is answered with the usage, and ends with 2")
@pytest.mark.parametrize(("arguments", "status"), [(["-x"], 2), (["-redactSecrets", "-redactPatterns=("], 2), (["-h"], 0)])
def test_usage(capsys: pytest.CaptureFixture[str], arguments: list[str], status: int) -> None:
    assert main(arguments) == status
    assert "Usage of routing-api:" in capsys.readouterr().err


@pytest.mark.statement("Routing API 1", "what keeps it from starting, each with upstream's message and exit status")
@pytest.mark.parametrize(
    ("wrong", "status", "message", "error"),
    [
        ({"sqldb": {"type": "foo", "host": "h", "port": 1}}, 1, "failed-initialize-sql-connection", "Unknown type foo"),
        ({"sqldb": {}}, 1, "failed-initialize-sql-connection", "sqldb.schema does not say in which file the database is"),
        ({"sqldb": {"schema": "/nowhere/x"}}, 1, "failed-initialize-sql-connection", "unable to open database file"),
        ({"sqldb": {"type": "mysql", "ca_cert": "x"}}, 1, "failed-initialize-sql-connection", "failed to parse sql ca: "),
        ({"statsd_endpoint": "nobody"}, 1, "failed-to-create-statsd-client", "address nobody: missing port in address"),
        ({"api": {"mtls_client_ca_file": "/nowhere"}}, 2, "mtls-mis-configured", "[Errno 2] No such file or directory"),
        ({"locket": {"locket_address": "127.0.0.1:8891"}}, 2, "failed-to-create-locket-client", "cannot be used"),
        (
            {"router_groups": [{"name": "x", "type": "y"}] * 2},
            1,
            "shutdown-error",
            "UNIQUE constraint failed",
        ),
    ],
)
def test_what_it_does_not_start_with(tmp_path: Path, wrong: dict[str, Any], status: int, message: str, error: str) -> None:
    one = InProcess(tmp_path, **wrong)
    assert one.run() == status
    assert error in one.lines.said[message]["error"]
    assert "started" not in one.lines.said


@pytest.mark.statement("Routing API 1", "without a UAA it does not start, unless in `-devMode`")
def test_a_uaa_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    place = {"token_endpoint": "127.0.0.1", "port": free_port(), "ca_certs": str(tmp_path / "ca.pem")}
    one = InProcess(tmp_path, dev_mode=False, oauth=place)
    assert one.run() == 1
    url = f"https://127.0.0.1:{place['port']}/.well-known/openid-configuration"
    assert url in one.lines.said["creating-uaa-client"]["error"]
    assert "Failed to get issuer configuration from UAA" in one.lines.said
    one = InProcess(tmp_path / "other", dev_mode=False, oauth={**place, "ca_certs": "/nowhere/ca.pem"})
    assert one.run() == 1
    assert "Failed to create UAA client" in one.lines.said


@pytest.mark.statement("Routing API 1", "a debug address that cannot be bound is logged only; a port of the API's ends it with 1")
def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        one = InProcess(tmp_path, api={"mtls_listen_port": taken.getsockname()[1]}, debug_address="1.2.3.4:1234")
        assert one.run() == 1
    assert "address already in use" in one.lines.said["shutdown-error"]["error"]
    assert one.lines.said["failed-debug-server"]["debug_address"] == "1.2.3.4:1234"
    assert own_routes(tmp_path) == []  # what was begun is undone


def own_routes(folder: Path) -> list[Any]:
    with sqlite3.connect(folder / "routing.sqlite") as connection:
        return connection.execute("SELECT route, port, ip, ttl, log_guid, modification_index FROM routes").fetchall()


@pytest.mark.statement(
    "Routing API 3",
    "its own route is upserted at the start and within its ttl, and deleted in the end",
)
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_its_own_route_and_its_end(launch: Launch, tmp_path: Path, how: signal.Signals) -> None:
    process = launch("-devMode", max_ttl="2s").started()
    assert own_routes(tmp_path)[0][:5] == ("api.sys.test/routing", process.port, "127.0.0.1", 2, "routing_api")
    with process.events("/events") as events:
        number, name, route = events.next()
        assert (number, name, route["route"]) == (0, "Upsert", "api.sys.test/routing")
        assert route["modification_tag"]["index"] >= 1
        os.kill(process.process.pid, how)
        rest = events.response.read()  # a proper end of the body: read raises IncompleteRead otherwise
    assert b"Delete" not in rest
    assert process.end() == 0
    assert own_routes(tmp_path) == []
    assert [process.said(line)[0]["signal"] for line in ("seeding.received-signal", "migration.received signal")] == [how, how]
    assert process.said("route-register.starting-registration-loop")
    assert (
        process.output.read_text().rstrip().splitlines()[-1].endswith('"message":"routing-api.exited","log_level":1,"data":{}}')
    )


@pytest.mark.statement("Routing API 3", "without `api.http_enabled` there is neither the plain listener nor the own route")
def test_without_http(tmp_path: Path) -> None:
    one = InProcess(tmp_path, api={"http_enabled": False})

    async def scenario() -> int:
        running = await one.until_started()
        assert not one.listens()
        one.stop.ask()
        return await running

    assert asyncio.run(scenario()) == 0
    assert own_routes(tmp_path) == []


def test_what_is_acknowledged_survives_being_killed(launch: Launch) -> None:
    process = launch("-devMode").started()
    with process.client() as api:
        (group,) = api.get("/router_groups").json()
        assert api.post("/tcp_routes/create", json=[tcp(group["guid"], 1024)]).status_code == 201
        before = api.get("/tcp_routes").json()
    process.end(signal.SIGKILL)
    changed = {**process.config, "router_groups": [{"name": "another", "type": "tcp", "reservable_ports": "2000"}]}
    process = launch("-devMode", "-logLevel", "debug", config=changed).started()
    with process.client() as api:
        assert api.get("/router_groups").json() == [group]
        assert api.get("/tcp_routes").json() == before
    assert process.said("migration.already-at-latest-version")
    assert not process.said("seeding.seeding")
    assert process.end() == 0


@pytest.mark.statement("Routing API 13", "`/log-level` of the debug server changes the level")
def test_the_level_of_the_log_can_be_changed(tmp_path: Path) -> None:
    port = free_port()
    one = InProcess(tmp_path, debug_address=f"127.0.0.1:{port}")

    async def scenario() -> int:
        running = await one.until_started()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            assert (await client.put("/log-level", content="error")).status_code == 200
            assert (await client.post("/log-level", content="nonsense")).status_code == 200
        one.stop.ask()
        return await running

    assert asyncio.run(scenario()) == 0
    assert "exited" not in one.lines.said


class Packets:
    """What a statsd server is sent."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(30)
        self.lines: list[str] = []

    def until(self, line: str) -> list[str]:
        """The lines up to that one; they are not seen again."""
        while line not in self.lines:
            packet = self.socket.recv(1 << 16)
            assert len(packet) <= 512
            assert packet.endswith(b"\n")
            self.lines += packet.decode().splitlines()
        end = self.lines.index(line) + 1
        found, self.lines = self.lines[:end], self.lines[end:]
        return found


@pytest.mark.statement(
    "Routing API 11", "gauges over statsd: at the start, at each change, and every interval, each line with its end"
)
def test_metrics(launch: Launch) -> None:
    packets = Packets()
    process = launch("-devMode", statsd_endpoint=f"127.0.0.1:{packets.socket.getsockname()[1]}").started()
    first = packets.until("routing_api.key_refresh_events:0|g")
    assert first == [
        "routing_api.total_http_routes:+1|g",
        "routing_api.total_http_subscriptions:0|g",
        "routing_api.total_tcp_subscriptions:0|g",
        "routing_api.total_http_routes:1|g",
        "routing_api.total_http_subscriptions:+0|g",
        "routing_api.total_tcp_routes:0|g",
        "routing_api.total_tcp_subscriptions:+0|g",
        "routing_api.total_token_errors:0|g",
        "routing_api.key_refresh_events:0|g",
    ]
    with process.client() as api, process.events():
        (group,) = api.get("/router_groups").json()
        packets.until("routing_api.total_tcp_subscriptions:+1|g")
        for change in ("+1", "+0"):
            api.post("/tcp_routes/create", json=[tcp(group["guid"], 1024)])
            packets.until(f"routing_api.total_tcp_routes:{change}|g")
        packets.until("routing_api.total_tcp_routes:1|g")
        api.post("/tcp_routes/delete", json=[tcp(group["guid"], 1024)])
        packets.until("routing_api.total_tcp_routes:-1|g")
    packets.until("routing_api.total_tcp_subscriptions:-1|g")
    assert process.end() == 0
    packets.socket.close()


def test_its_own_route_over_nats(launch: Launch) -> None:
    nats = Nats()
    try:
        nats.subscribe("router.*")
        told = {"servers": [f"nats://127.0.0.1:{nats.port}"], "user": "nats", "password": "pw"}
        process = launch("-devMode", cfroute={"nats": told}).started()
        subject, message = nats.next()
        assert subject == "router.register"
        assert message == (
            b'{"host":"127.0.0.1","port":%d,"uris":["api.sys.test/routing"],"tags":{"component":"routing-api"}}' % process.port
        )
        nats.publish("router.start", b"{}")
        assert nats.next() == ("router.register", message)
        assert process.end() == 0
        assert nats.next() == ("router.unregister", message)
    finally:
        nats.stop()


def test_a_nats_that_is_not_there_holds_nothing_up(launch: Launch) -> None:
    process = launch("-devMode", cfroute={"nats": {"servers": [f"nats://127.0.0.1:{free_port()}"]}}).started()
    with process.client() as api:
        assert api.get("/routes").status_code == 200
    eventually(lambda: process.said("route-register.nats.nats-error"), "a line about NATS")
    assert process.end() == 0


def test_a_start_without_changes_imports_no_alembic(tmp_path: Path) -> None:
    database = open_database(SqlDB(schema=str(tmp_path / "x.sqlite")), skip_ssl_validation=False)
    asyncio.run(database.run(lambda engine: migrate(engine, Lager("x", Sink(stream=Lines())))))
    database.close()
    code = """
import sys
from cfroute.lager import Lager, Sink
from cfroute.routing_api import config, database, migrations, process
opened = database.open_database(config.SqlDB(schema=sys.argv[1]), skip_ssl_validation=False)
migrations.migrate(opened._write_engine, Lager("x", Sink()))
assert "alembic" not in sys.modules
assert "nats" not in sys.modules
opened.close()
"""
    subprocess.run([sys.executable, "-c", code, tmp_path / "x.sqlite"], check=True)
