"""HAProxy as the engine: reloaded by a script, as upstream, or started and reloaded by the router."""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cfroute.dropsonde import fields

from ..ports import free_port
from ..waiting import eventually
from .daemons import DEADLINE, Backend, ScriptedApi, TcpRouter, ask, connected, line, need
from .examples import delete, route, upsert

Start = Callable[..., TcpRouter]
OURS = "RUN_BY_CFROUTE_TESTS="
"""A variable of the environment that the router has."""

SCRIPT = """#!/bin/sh
echo "arguments: $#"; env > {folder}/environment; cp {folder}/haproxy.cfg {folder}/seen.cfg
echo run >> {folder}/runs; exit $(cat {folder}/status)
"""


class Scripted:
    """The files of a router with a script, and a process that is its HAProxy as far as it can tell."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "haproxy.cfg"
        (folder / "base.cfg").write_text("global\n  maxconn 4096\n")
        self.config.write_text("old")
        self.script = folder / "reload"
        self.script.write_text(SCRIPT.format(folder=folder))
        self.script.chmod(0o755)
        self.fail(0)
        self.process = subprocess.Popen(["sleep", "1000"])
        self.pid_file = folder / "haproxy.pid"
        self.pid_file.write_text(f"{self.process.pid}\n")
        self.flags = (
            *("-engine", "haproxy", "-haproxyReloader", str(self.script)),
            *("-tcpLoadBalancerBaseConfig", str(folder / "base.cfg"), "-tcpLoadBalancerConfig", str(self.config)),
            *("-tcpLoadBalancerStatsUnixSocket", str(folder / "stats.sock")),
        )

    def fail(self, status: int) -> None:
        (self.folder / "status").write_text(str(status))

    @property
    def runs(self) -> int:
        file = self.folder / "runs"
        return len(file.read_text().split()) if file.exists() else 0

    @property
    def environment(self) -> str:
        return (self.folder / "environment").read_text()


@pytest.fixture
def scripted(tmp_path: Path) -> Iterator[Scripted]:
    one = Scripted(tmp_path)
    yield one
    one.process.kill()
    one.process.wait()


def begun(start: Start, scripted: Scripted, *flags: str, **settings: object) -> TcpRouter:
    return start(*scripted.flags, *flags, haproxy_pid_file=str(scripted.pid_file), **settings)


@pytest.mark.statement("TCP router 9", "the file is written beside a backup and put in place at once, then the script is run")
def test_a_change(start: Start, api: ScriptedApi, scripted: Scripted) -> None:
    router = begun(start, scripted).until_healthy()
    api.until_listened_to().send(upsert(5222, "some-ip-1", 61000))
    eventually(lambda: scripted.runs == 1, "a reload")
    written = (scripted.folder / "seen.cfg").read_text()
    assert OURS in scripted.environment
    assert written.startswith("global\n  maxconn 4096\n\nfrontend frontend_5222\n  mode tcp\n  bind :5222\n")
    assert "server server_some-ip-1_61000 some-ip-1:61000" in written
    assert (scripted.folder / "haproxy.cfg.bak").read_text() == "old"
    assert not (scripted.folder / "haproxy.cfg.tmp").exists()
    assert router.until_said("running-script") == [
        {"command": str(scripted.script), "output": "arguments: 0\n", "error": None},
    ]
    lines = [message for message in router.messages() if message in ("writing-config", "reloading-haproxy", "running-script")]
    assert lines == ["writing-config", "reloading-haproxy", "running-script"]
    assert router.said("writing-config") == [{"num-bytes": len(written)}]


@pytest.mark.statement("TCP router 6", "a sync that changes nothing does not write the file")
def test_no_change(start: Start, api: ScriptedApi, scripted: Scripted) -> None:
    api.routes = [route()]
    router = begun(start, scripted, "-syncInterval", "100ms")
    router.until_said("bulk-sync.completed", 4)
    assert scripted.runs == 1


@pytest.mark.statement("TCP router 10", "a script that fails is logged, and events are handled as before")
def test_a_script_that_fails(start: Start, api: ScriptedApi, scripted: Scripted) -> None:
    scripted.fail(3)
    router = begun(start, scripted).until_healthy()
    api.until_listened_to().send(upsert(5001))
    assert router.until_said("failed-to-reload-haproxy") == [{"error": "exit status 3"}]
    scripted.fail(0)
    api.send(upsert(5002))
    eventually(lambda: "frontend_5002" in scripted.config.read_text(), "the next change")
    router.until_said("running-script", 2)
    assert router.process.poll() is None


@pytest.mark.statement("TCP router 3", "the files of HAProxy's configuration have to be there")
def test_missing_files(start: Start, scripted: Scripted) -> None:
    scripted.config.unlink()
    router = begun(start, scripted)
    assert router.exit_status() == 2
    (told,) = router.said("could not create tcp load balancer")
    assert told["error"] == f"Configuration file not found: [{scripted.config}]"


@pytest.mark.statement("TCP router 11", "when HAProxy is gone, the router ends with 1, and says how it knows")
@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "Cannot read file {file}"), ("x", "Cannot convert file {file} to integer"), ("{pid}", "PID {pid} not found")],
)
def test_haproxy_is_gone(start: Start, scripted: Scripted, content: str | None, why: str) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    router = begun(start, scripted).until_healthy()
    assert router.said("monitor.started")
    if content is None:
        scripted.pid_file.unlink()
    else:
        scripted.pid_file.write_text(content.format(pid=gone.pid))
    assert router.exit_status() == 1
    assert router.said("monitor.exiting")[0]["error"] == why.format(file=scripted.pid_file, pid=gone.pid)
    ending = ["watcher.stopping", "monitor.stopping", "metrics-reporter.stopping", "syncer.stopping", "exited-with-failure"]
    assert router.messages()[-5:] == ending


@pytest.mark.statement(
    "TCP router 12", "drain: the script is run in an environment that says only that, events go on, then it ends with 0"
)
def test_drain(start: Start, api: ScriptedApi, scripted: Scripted) -> None:
    router = begun(start, scripted, drain_wait="3s").until_healthy()
    router.send_signal(signal.SIGUSR2)
    (wait,) = router.until_said("starting-drain-wait")
    assert wait == {"drain-wait-period": 3_000_000_000}
    assert "IS_DRAINING=true" in scripted.environment
    assert OURS not in scripted.environment
    assert router.health() == 503
    before = scripted.runs
    api.until_listened_to().send(upsert(5001))
    eventually(lambda: scripted.runs > before, "a change while draining")
    assert "IS_DRAINING=true" in scripted.environment
    assert not [message for message in router.messages() if message.endswith(".stopping")]
    assert router.exit_status() == 0
    messages = router.messages()
    order = ["drain-started", "starting-drain-wait", "finished-drain-wait", "watcher.stopping", "exited"]
    assert [message for message in messages if message in order] == order


@pytest.mark.statement("TCP router 14", "the health check fails while the router drains; connections are served as before")
@pytest.mark.parametrize("engine", ["embedded", "haproxy"])
def test_health(start: Start, api: ScriptedApi, backend: Backend, engine: str) -> None:
    need(engine)
    port = free_port()
    api.routes = [route(port, "127.0.0.1", backend.port)]
    router = start("-engine", engine, drain_wait="2s")
    eventually(lambda: router.health() == 200, "health")
    with connected(port) as connection:
        assert line(connection) == "backend"
        router.send_signal(signal.SIGUSR2)
        router.until_said("starting-drain-wait")
        assert router.health() == 503
        assert router.table()["draining"]
        assert ask(port) == "backend"
        connection.sendall(b"still here\n")
        assert line(connection) == "still here"
    assert router.exit_status() == 0


@pytest.mark.statement("TCP router 12", "a second drain request ends it at once")
def test_a_second_request(start: Start, scripted: Scripted) -> None:
    router = begun(start, scripted, drain_wait="1h").until_healthy()
    router.send_signal(signal.SIGUSR2)
    router.until_said("starting-drain-wait")
    router.send_signal(signal.SIGUSR2)
    assert router.exit_status() == 0
    assert router.said("drain-already-in-progress")
    assert not router.said("finished-drain-wait")


@pytest.mark.statement("TCP router 12", "a drain whose script fails ends at once")
def test_a_drain_that_fails(start: Start, scripted: Scripted) -> None:
    router = begun(start, scripted, drain_wait="1h").until_healthy()
    scripted.fail(1)
    router.send_signal(signal.SIGUSR2)
    assert router.exit_status() == 0
    assert router.said("watcher.failed-draining")


@pytest.mark.statement("TCP router 12", "a drain waits for the sync that is under way")
def test_a_drain_while_syncing(start: Start, api: ScriptedApi, scripted: Scripted) -> None:
    api.gate.clear()
    router = begun(start, scripted, drain_wait="1ms")
    router.until_said("bulk-sync.starting")
    router.send_signal(signal.SIGUSR2)
    router.until_said("waiting-for-sync-to-finish-before-starting-drain", 2)
    assert not router.said("drain-started")
    api.gate.set()
    assert router.exit_status() == 0
    assert router.said("finished-drain-wait")


@pytest.mark.statement(
    "TCP router 13", "statistics come from HAProxy's socket and go to metron; without the socket that is logged"
)
def test_metrics(start: Start, scripted: Scripted) -> None:
    metron = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    metron.bind(("127.0.0.1", 0))
    metron.settimeout(DEADLINE)
    port = str(metron.getsockname()[1])
    router = begun(start, scripted, "-statsCollectionInterval", "50ms", "-dropsondePort", port)
    assert "stats.sock" in router.until_said("get-stats.error-connecting-to-haproxy-stats")[0]["error"]
    threading.Thread(target=_tell_statistics, args=(str(scripted.folder / "stats.sock"),), daemon=True).start()
    metric = dict(fields(metron.recv(65536)))[9]
    assert isinstance(metric, bytes)
    assert dict(fields(metric))[1] == b"TotalCurrentQueuedRequests"
    metron.close()


def _tell_statistics(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        connection, _ = listener.accept()
        with connection:
            assert connection.recv(100) == b"show stat\n"
            connection.sendall(b"# pxname\n" + b"listen_cfg_1,BACKEND," + b"," * 80 + b"\n")


# An HAProxy that is ours


@pytest.fixture
def own(start: Start, api: ScriptedApi) -> TcpRouter:
    need("haproxy")
    return start("-engine", "haproxy").until_healthy()


def test_our_own_haproxy(own: TcpRouter, api: ScriptedApi, backend: Backend) -> None:
    port, other = free_port(), free_port()
    api.until_listened_to().send(upsert(port, "127.0.0.1", backend.port))
    with connected(port) as connection:
        assert line(connection) == "backend"
        connection.sendall(b"one\n")
        assert line(connection) == "one"
        api.send(upsert(other, "127.0.0.1", backend.port))  # another process, while the connection stays with the old one
        assert ask(other) == "backend"
        connection.sendall(b"two\n")
        assert line(connection) == "two"
        assert ask(port) == "backend"
    eventually(lambda: {route["port"]: route["total"] for route in own.table()["routes"]} == {port: 1, other: 1}, "figures")
    api.send(delete(port, "127.0.0.1", backend.port))
    eventually(lambda: list(own.routes()) == [(other, "")], "the end of the route")
    assert own.end() == 0


def test_no_connection_is_lost_while_it_is_reloaded(own: TcpRouter, api: ScriptedApi, backend: Backend) -> None:
    port = free_port()
    api.until_listened_to().send(upsert(port, "127.0.0.1", backend.port))
    assert ask(port) == "backend"
    names: list[str] = []
    for number in range(5):
        api.send(upsert(free_port(), "127.0.0.1", backend.port))
        while len(own.said("haproxy-reloaded")) < number + 3:
            with socket.create_connection(("127.0.0.1", port), DEADLINE) as connection:
                names.append(line(connection))
    assert set(names) == {"backend"}


def test_a_backend_that_refuses_costs_no_connection(own: TcpRouter, api: ScriptedApi, backend: Backend) -> None:
    port, closed = free_port(), free_port()
    api.until_listened_to().send(upsert(port, "127.0.0.1", backend.port))
    assert ask(port) == "backend"
    reloads = len(own.said("haproxy-reloaded"))
    api.send(upsert(port, "127.0.0.1", closed))
    eventually(lambda: len(own.routes()[port, ""]) == 2, "both backends")
    own.until_said("haproxy-reloaded", reloads + 1)

    def four_calls() -> float:
        began = time.monotonic()
        assert {ask(port) for _ in range(4)} == {"backend"}
        return time.monotonic() - began

    assert any(four_calls() < 1 for _ in range(10)), "HAProxy waits a second before it tries the same backend again"


def test_our_own_haproxy_ends_with_us(own: TcpRouter) -> None:
    pid = own.until_said("haproxy-reloaded")[0]["pid"]
    own.process.kill()
    eventually(lambda: _is_gone(pid), "the end of HAProxy")


def test_our_own_haproxy_is_killed(own: TcpRouter) -> None:
    pid = own.until_said("haproxy-reloaded")[0]["pid"]
    os.kill(pid, signal.SIGKILL)
    assert own.exit_status() == 1
    assert own.said("monitor.exiting")[0]["error"] == f"PID {pid} not found"


def test_a_program_that_is_not_there(start: Start) -> None:
    router = start("-engine", "haproxy", cfroute={"haproxy": "/nowhere/haproxy"})
    assert router.exit_status() == 2
    assert "no such file" in router.said("could not create tcp load balancer")[0]["error"].lower()


def test_a_port_that_haproxy_cannot_have(own: TcpRouter, api: ScriptedApi, backend: Backend) -> None:
    holder, good = Backend("holder"), free_port()
    api.until_listened_to().send(upsert(good, "127.0.0.1", backend.port))
    assert ask(good) == "backend"
    api.send(upsert(holder.port, "127.0.0.1", backend.port))
    assert "cannot bind" in own.until_said("failed-to-reload-haproxy")[0]["error"].lower()
    assert ask(good) == "backend"
    holder.close()
    api.send(upsert(free_port(), "127.0.0.1", backend.port))
    eventually(lambda: ask(holder.port) == "backend", "the port")


def _is_gone(pid: int) -> bool:
    """Nobody may be there to see it end: then it is a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
