"""`cfroute up` and its friends with all real components, as a person types them."""

import json
import os
import signal
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cfroute.foundation import locks
from cfroute.foundation.processes import recorded
from cfroute.home import Home

from ..ports import free_port
from ..waiting import eventually
from .toys import is_gone

pytestmark = pytest.mark.e2e

ANY_PORTS = ("--http-port", "0", "--https-port", "0", "--api-port", "0")
NO_TCP = ("--tcp-routers", "0")
KILLED = (
    "nats",
    "gorouter/0",
    "cloud_controller",
    "uaa",
    "route_registrar",
    "locket",
    "routing_api",
    "tcp_router",
    "tcp_emitter",
)


class Typed:
    """The command line on one state folder."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._words = [sys.executable, "-m", "cfroute.cli.main"]
        self._environment = {**os.environ, "CFROUTE_HOME": str(home.root)}

    def __call__(self, *arguments: str, status: int = 0) -> str:
        """Run a command to its end; what it printed to stdout and stderr."""
        done = self._run(arguments)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    def json(self, *arguments: str) -> Any:
        """The data that a command prints."""
        done = self._run((*arguments, "--json"))
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def _run(self, arguments: tuple[str, ...]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*self._words, *arguments], env=self._environment, capture_output=True, text=True, timeout=60, check=False
        )

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start a command that goes on in the foreground."""
        return subprocess.Popen(
            [*self._words, *arguments],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def states(self) -> dict[str, str]:
        return {component["name"]: component["state"] for component in self.json("status")}

    def processes(self) -> list[int]:
        return [locks.holder(self.home), *(process.pid for process in recorded(self.home))]


@pytest.fixture
def cfroute(tmp_path: Path) -> Iterator[Typed]:
    typed = Typed(Home(tmp_path / "state"))
    yield typed
    left = typed.processes() if locks.is_held(typed.home) else []
    for pid in left[:1]:
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: all(is_gone(pid) for pid in left))


def fetch(url: str, host: str, ca: Path | None = None) -> tuple[int, str]:
    """Status and X-Cf-RouterError of a request for an unknown route."""
    context = ssl.create_default_context(cafile=str(ca)) if ca else None
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    try:
        with opener.open(urllib.request.Request(url, headers={"Host": host}), timeout=30) as response:
            return response.status, response.headers.get("X-Cf-RouterError", "")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers.get("X-Cf-RouterError", "")


@pytest.mark.parametrize("addresses", ["--own-addresses", "--single-address"])
def test_up_routes_survives_kills_and_goes_down_without_a_trace(cfroute: Typed, addresses: str) -> None:
    info = cfroute.json("up", "--detach", addresses, "--gorouters", "2", "--tcp-ports", "0", *ANY_PORTS)
    assert info["running"] is True
    assert len(info["gorouter_status"]) == 2
    assert set(cfroute.states().values()) == {"running"}
    assert fetch(info["http"], "nobody.cf.localhost") == (404, "unknown_route")
    https = info["https"].replace("127.0.0.1", "localhost")
    assert fetch(https, "nobody.cf.localhost", Path(info["ca"])) == (404, "unknown_route")
    for name in KILLED:
        cfroute("kill", name)
    eventually(lambda: set(cfroute.states().values()) == {"running"}, "all of it")
    assert {one["name"]: one["restarts"] for one in cfroute.json("status")}["nats"] == 1
    assert "gorouter/1 is running" in cfroute("restart", "gorouter/1")
    everything = cfroute.processes()
    assert len(everything) == 16
    cfroute("down")
    eventually(lambda: all(is_gone(pid) for pid in everything), "their end")
    cfroute("status", status=3)


def test_a_killed_supervisor_leaves_nothing_in_the_way_of_the_next_up(cfroute: Typed) -> None:
    cfroute("up", "--detach", *NO_TCP, *ANY_PORTS)
    before = cfroute.json("info")
    everything = cfroute.processes()
    os.kill(everything[0], signal.SIGKILL)
    after = cfroute.json("up", "--detach")
    assert all(is_gone(pid) for pid in everything)
    assert {key: after[key] for key in after if key != "pid"} == {key: before[key] for key in before if key != "pid"}
    assert set(cfroute.states().values()) == {"running"}
    assert "already (pid " in cfroute("up", "--detach", status=6)
    cfroute("down")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_in_the_foreground_it_tells_what_happens_and_ends_with_a_signal(cfroute: Typed, number: signal.Signals) -> None:
    up = cfroute.start("up", *NO_TCP, *ANY_PORTS)
    assert up.stdout is not None
    told = []
    for line in up.stdout:
        told.append(line)
        if "TIP" in line:
            break
    text = "".join(told)
    assert "gorouter/0" in text
    assert "Ready in" in text
    assert f"http://*.cf.localhost:{cfroute.json('info')['http'].rpartition(':')[2]}" in text
    up.send_signal(number)
    assert "Stopping the foundation" in up.stdout.read()
    assert up.wait(20) == 0


def test_what_is_impossible_is_refused_and_nothing_is_left(cfroute: Typed, tmp_path: Path) -> None:
    refused = cfroute("up", "--http-port", "70000", status=2)
    assert "--http-port: 70000 is no port" in refused
    assert "Starting" not in refused
    assert "is no domain name" in cfroute("up", "--detach", "--domain", "x", status=2)
    (tmp_path / "file").write_text("")
    refused = cfroute("up", "--detach", "--state-dir", str(tmp_path / "file"), status=1)
    assert f"the state folder {tmp_path / 'file'} cannot be used" in refused
    assert not locks.is_held(cfroute.home)


def test_a_start_that_takes_too_long_is_taken_back(cfroute: Typed) -> None:
    said = cfroute("up", "--detach", "--nats", "nats://127.0.0.1:9", "--timeout", "1.5", *NO_TCP, *ANY_PORTS, status=5)
    assert "not ready after 1.5 s" in said or "does not start" in said
    assert not locks.is_held(cfroute.home)


def test_an_existing_nats_is_shown_as_external(cfroute: Typed, nats_url: Callable[[], str]) -> None:
    cfroute("up", "--detach", "--nats", nats_url(), *NO_TCP, *ANY_PORTS)
    external = cfroute.json("status")[0]
    assert (external["name"], external["state"]) == ("nats", "external")
    assert "hush" not in json.dumps(cfroute.json("info")) + cfroute("status")
    assert "is not run by this foundation" in cfroute("kill", "nats", status=1)
    assert fetch(cfroute.json("info")["http"], "nobody.cf.localhost") == (404, "unknown_route")
    cfroute("down")


@pytest.fixture
def nats_url(tmp_path: Path) -> Iterator[Callable[[], str]]:
    from cfroute.foundation.machine import LocalMachine
    from cfroute.nats import server

    started: list[subprocess.Popen[bytes]] = []

    def start() -> str:
        port = free_port()
        config = tmp_path / "external.conf"
        config.write_text(server.render("external", "127.0.0.1", port, "me", "hush"))
        started.append(subprocess.Popen([server.find_binary(), "-c", config], stderr=subprocess.DEVNULL))
        eventually(lambda: not LocalMachine().is_free("127.0.0.1", port))
        return f"nats://me:hush@127.0.0.1:{port}"

    yield start
    for process in started:
        process.terminate()
        process.wait()
