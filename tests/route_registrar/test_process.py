"""The registrar as a process, with a real NATS: how it starts, what it says, how it ends."""

import asyncio
import json
import re
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from cfroute import daemon
from cfroute.lager import Lager, Sink
from cfroute.nats.server import find_binary
from cfroute.route_registrar.process import Process
from cfroute.testing import ManualClock

from ..conformance.conftest import Nats
from ..ports import free_port
from ..routing_api.daemons import write_identities
from ..waiting import eventually
from .daemons import Registrar, http, server
from .examples import config

Start = Callable[..., Registrar]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a registrar that ends with the test."""
    started: list[Registrar] = []

    def begin(config: dict[str, Any] | str, *arguments: str) -> Registrar:
        started.append(Registrar(tmp_path, config, *arguments))
        return started[-1]

    yield begin
    for each in started:
        each.process.kill()
        each.process.wait()


@pytest.fixture
def nats() -> Iterator[Nats]:
    server = Nats()
    server.subscribe("router.*")
    yield server
    server.stop()


def heard(nats: Nats) -> tuple[str, list[str]]:
    """Verb and URIs of the next message."""
    subject, payload = nats.next()
    return subject.removeprefix("router."), json.loads(payload)["uris"]


@pytest.mark.statement("route registrar 3", "The lines of a start come in upstream's order")
def test_a_start(start: Start, nats: Nats, tmp_path: Path) -> None:
    pidfile = tmp_path / "pid"
    registrar = start({"message_bus_servers": [server(nats)], "routes": [http("a")]}, "-pidfile", str(pidfile))
    registrar.until_said("Registered routes successfully")
    assert registrar.messages()[:8] == [
        "Initializing",
        "creating nats connection",
        "Writing pid",
        "Running",
        "nats-connection-successful",
        "no healthchecker found for route",
        "Registering route",
        "Registered routes successfully",
    ]
    pid = str(registrar.process.pid)
    assert registrar.said("Writing pid") == [{"pid": pid, "file": str(pidfile)}]
    assert registrar.said("nats-connection-successful") == [{"nats-host": f"127.0.0.1:{nats.port}"}]
    assert pidfile.read_text() == pid
    assert {line["source"] for line in registrar.lines()} == {"Route Registrar"}


@pytest.mark.statement("route registrar 4", "Each process has one random `private_instance_id`")
@pytest.mark.statement("route registrar 5", "Without a health check a route is registered every interval")
def test_messages(start: Start, nats: Nats) -> None:
    start(
        {"message_bus_servers": [server(nats)], "availability_zone": "z1", "routes": [http("a"), http("b")]}, "--logLevel=debug"
    )
    told = [(subject, json.loads(payload)) for subject, payload in (nats.next() for _ in range(4))]
    assert {subject for subject, _ in told} == {"router.register"}
    assert sorted(message["uris"][0] for _, message in told) == ["a.test", "a.test", "b.test", "b.test"]
    [instance] = {message["private_instance_id"] for _, message in told}
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", instance)
    assert {message["availability_zone"] for _, message in told} == {"z1"}


@pytest.mark.statement("route registrar 8", "SIGINT, SIGTERM and SIGQUIT unregister all routes, and end it with 0")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGQUIT])
def test_a_signal_ends_it(start: Start, nats: Nats, number: signal.Signals) -> None:
    routes = [http("a", registration_interval="1h"), http("b", registration_interval="1h")]
    registrar = start({"message_bus_servers": [server(nats)], "routes": routes})
    assert [heard(nats), heard(nats)] == [("register", ["a.test"]), ("register", ["b.test"])]
    assert registrar.end(number) == 0
    assert [heard(nats), heard(nats)] == [("unregister", ["a.test"]), ("unregister", ["b.test"])]
    messages = registrar.messages()
    assert messages[messages.index("Caught signal") :] == [
        "Caught signal",
        "Received signal; shutting down",
        *["Unregistering route", "Unregistered routes successfully"] * 2,
        "nats-connection-closed",
        "Exiting without error",
    ]
    assert registrar.said("Caught signal") == [{"signal": int(number)}]


@pytest.mark.statement("route registrar 1", "NATS that is not there at the start is fatal: exit status 2")
def test_no_nats(start: Start) -> None:
    registrar = start({"message_bus_servers": [{"host": f"127.0.0.1:{free_port()}"}], "routes": [http("a")]})
    assert registrar.ended() == 2
    [failed] = registrar.said("nats-connection-failed")
    assert failed["nats-hosts"]
    assert registrar.said("Exiting with error") == [{"error": "nats: no servers available for connection"}]
    assert registrar.lines()[-1]["log_level"] == 3


@pytest.mark.statement("route registrar 1", "A file that cannot be read is fatal: exit status 2")
def test_no_json(start: Start) -> None:
    registrar = start("{")
    assert registrar.ended() == 2
    assert registrar.messages() == ["Initializing", "error parsing file: %s\n"]


@pytest.mark.statement("route registrar 1", "What makes no sense is told on stderr as Go's log package does: exit status 1")
def test_what_makes_no_sense(start: Start) -> None:
    registrar = start({"routes": [http("My route", registration_interval="asdf")]})
    assert registrar.ended() == 1
    text = registrar.errors.read_text()
    assert re.match(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d there were 2 errors with 'config':\n", text)
    assert "there was 1 error with 'route \"My route\"':\n        * invalid registration_interval: time: invalid" in text


@pytest.mark.statement("route registrar 1", "An unknown flag is answered with the usage: exit status 2")
def test_usage(start: Start) -> None:
    registrar = start({}, "-what")
    assert registrar.ended() == 2
    assert "flag provided but not defined: -what\nUsage of route-registrar:\n" in registrar.errors.read_text()
    assert (
        '-configPath string\n    \tPath to configuration file (default "registrar_settings.yml")' in registrar.errors.read_text()
    )


def test_a_pidfile_that_cannot_be_written(start: Start, nats: Nats) -> None:
    registrar = start({"message_bus_servers": [server(nats)]}, "-pidfile", "/no/such/folder/pid")
    assert registrar.ended() == 2
    assert registrar.said("Exiting with error") == [{"error": "open /no/such/folder/pid: no such file or directory"}]


@pytest.mark.statement("route registrar 4", "A connection that is lost is made again, and what is well is told then")
def test_nats_comes_back(start: Start, nats: Nats) -> None:
    registrar = start({"message_bus_servers": [server(nats)], "routes": [http("a", registration_interval="1h")]})
    assert heard(nats) == ("register", ["a.test"])
    nats.stop()
    registrar.until_said("nats-connection-disconnected")
    nats.start()
    nats.subscribe("router.*")
    registrar.until_said("nats-connection-reconnected")
    assert heard(nats) == ("register", ["a.test"])


@pytest.mark.statement("route registrar 4", "The first server that answers is taken, with the name and password that are its own")
def test_a_cluster(start: Start, nats: Nats) -> None:
    nowhere = {"host": f"127.0.0.1:{free_port()}", "user": "other", "password": "x"}
    start({"message_bus_servers": [nowhere, server(nats), nowhere], "routes": [http("a")]})
    assert heard(nats) == ("register", ["a.test"])


@pytest.mark.statement("route registrar 4", "With `nats_mtls_config` both sides show certificates")
def test_mutual_tls(start: Start, tmp_path: Path) -> None:
    write_identities(tmp_path)
    port = free_port()
    tls = [f"--tls{name}={tmp_path / file}" for name, file in (("cacert", "ca.pem"), ("cert", "id.pem"), ("key", "id.key"))]
    command = [find_binary(), "-a", "127.0.0.1", "-p", str(port), "--tlsverify", *tls]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        files = {"cert_path": "id.pem", "key_path": "id.key", "ca_path": "ca.pem"}
        mtls = {"enabled": True} | {key: str(tmp_path / file) for key, file in files.items()}
        settings = {"message_bus_servers": [{"host": f"127.0.0.1:{port}"}], "routes": [http("a")]}
        eventually(lambda: _listens(port), "nats-server")
        registrar = start(settings | {"nats_mtls_config": mtls})
        registrar.until_said("Registered routes successfully")
        assert registrar.end() == 0
        bad = start(settings | {"nats_mtls_config": mtls | {"ca_path": "/nothing"}})
        assert bad.ended() == 1
        assert "failed building NATS mTLS config: " in bad.errors.read_text()
    finally:
        process.kill()
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.statement("route registrar 5", "A route whose check fails is unregistered, at most as often as the limit says")
def test_a_health_check(start: Start, nats: Nats, tmp_path: Path) -> None:
    ill = tmp_path / "ill"
    check = {"name": "h", "script_path": f"test ! -f {ill}", "timeout": "100ms"}
    settings = {"message_bus_servers": [server(nats)], "unregistration_message_limit": 2}
    registrar = start(settings | {"routes": [http("a", health_check=check)]})
    assert heard(nats) == ("register", ["a.test"])
    ill.touch()
    eventually(lambda: heard(nats)[0] == "unregister", "an unregistration")
    assert heard(nats)[0] == "unregister"
    registrar.until_said("healthchecker returned unhealthy for route", 4)
    ill.unlink()
    assert heard(nats)[0] == "register"


@pytest.mark.statement(
    "route registrar 6", "A dynamic route is registered at the first look, and unregistered when its file has gone"
)
def test_dynamic_routes(nats: Nats, tmp_path: Path) -> None:
    clock, output, stop = ManualClock(), StringIO(), daemon.Stop()
    made = config(message_bus_servers=[server(nats)], routing_api={}, host="h", dynamic_config_globs=[f"{tmp_path}/*.yml"])
    log = Lager("Route Registrar", Sink(stream=output, clock=clock))
    process = Process(made, log, clock, Random(1), lambda: "guid", print)
    for name in "ab":
        (tmp_path / f"{name}.yml").write_text(
            f"routes: [{{name: {name}, port: 1, uris: [{name}.test], registration_interval: 1h}}]"
        )

    async def scene() -> None:
        running = asyncio.ensure_future(process.run(stop))
        while clock.waiting < 2:  # the look, and the ping to NATS
            await asyncio.sleep(0.005)
        clock.advance(10)
        first = [await asyncio.to_thread(heard, nats) for _ in range(2)]
        assert first == [("register", ["a.test"]), ("register", ["b.test"])]
        (tmp_path / "a.yml").unlink()
        clock.advance(10)
        assert await asyncio.to_thread(heard, nats) == ("unregister", ["a.test"])
        stop.ask(signal.SIGTERM)
        assert await running == 0
        assert heard(nats) == ("unregister", ["b.test"])

    asyncio.run(asyncio.wait_for(scene(), 30))
    assert output.getvalue().count('"Route Registrar.discovered route"') == 2
    assert output.getvalue().count('"Route Registrar.route removed"') == 1


@pytest.mark.statement("route registrar 11", "The BOSH job's arguments and file are taken, but for `tls_port` without a name")
def test_as_bosh_starts_it(start: Start, nats: Nats) -> None:
    route = http("a", port=None, tls_port=8443, server_cert_domain_san="a.test", tags=None, health_check=None)
    settings = {
        "message_bus_servers": [server(nats)],
        "nats_mtls_config": {"enabled": False},
        "host": "10.0.0.1",
        "routes": [route],
    }
    registrar = start(settings, "-timeFormat", "rfc3339", "-logLevel", "info")
    subject, payload = nats.next()
    assert (subject, json.loads(payload)["tls_port"]) == ("router.register", 8443)
    assert registrar.lines()[0]["level"] == "info"


def test_a_router_that_starts_is_told_at_once(start: Start, nats: Nats) -> None:
    routes = [http("a", registration_interval="1h")]
    address = f"127.0.0.1:{free_port()}"
    ours = {"answer_router_start": True, "health_address": address}
    registrar = start({"message_bus_servers": [server(nats)], "routes": routes, "cfroute": ours})
    assert heard(nats) == ("register", ["a.test"])
    eventually(lambda: _status(address) == 200, "health")
    nats.publish("router.start", b"{}")
    assert heard(nats) == ("register", ["a.test"])
    assert registrar.end() == 0


def _status(address: str) -> int:
    try:
        return httpx.get(f"http://{address}/", trust_env=False).status_code
    except httpx.TransportError:
        return 0


def test_an_address_for_its_health_that_is_taken(start: Start, nats: Nats) -> None:
    settings = {"message_bus_servers": [server(nats)], "cfroute": {"health_address": f"127.0.0.1:{nats.port}"}}
    registrar = start(settings)
    assert registrar.ended() == 1
    assert f"cannot listen on 127.0.0.1:{nats.port}" in registrar.output.read_text()
