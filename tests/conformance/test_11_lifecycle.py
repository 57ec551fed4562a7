"""Start, signals and drain: what a router says, in which order, and how it ends (11)."""

import contextlib
import json
import signal
import socket
import threading
import time

import pytest

from ..ports import free_port
from ..waiting import eventually
from .conftest import DEADLINE, Router
from .identities import Authority

STOPPED = ["gorouter.stopping", "gorouter.stopped", "gorouter.exited", "exited", "exited", "exited"]


def lines(router):
    """Message, component and data of each line of the log."""
    told = [json.loads(line) for line in router.output.read_text().splitlines() if line.startswith("{")]
    return [(line["message"], line["source"].removeprefix("gorouter.stdout").removeprefix("."), line["data"]) for line in told]


def ends(router):
    """The lines from the first that is about the end."""
    told = lines(router)
    first = next(i for i, (message, _, _) in enumerate(told) if message in ("gorouter-draining", "gorouter.stopping"))
    return told[first:]


class Answering:
    """A backend whose answers wait until they are let go."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.go = threading.Event()

    def __call__(self, connection):
        while connection.recv(65536):
            self.asked.set()
            self.go.wait(DEADLINE)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


class Watched(Router):
    """Looks around as soon as its health listener answers."""

    before = None

    def health(self):
        status = super().health()
        if status == 503 and self.before is None:
            with contextlib.closing(socket.socket()) as probe:
                refused = probe.connect_ex(("127.0.0.1", self.port)) != 0
            eventually(self._registers, "a route")
            body = self.fetch(b"GET /health HTTP/1.0\r\n\r\n", self.status_port).body
            self.before = (body, refused)
        return status

    def _registers(self):
        """Said again and again, as emitters do: health is told before NATS is listened to."""
        self.nats.publish("router.register", {"host": "h", "port": 1, "uris": ["early.test"]})
        return "early.test" in self.routes()


@pytest.mark.statement("11.1", "The messages of a start come in upstream's order, each from its component")
@pytest.mark.statement("11.1", "During the delay /health answers 503, /routes and NATS work, and the main port refuses")
@pytest.mark.statement("11.1", "/health turns 200 once the router has started")
@pytest.mark.statement("11.3", "TERM: stopping, stopped, exited, and the goodbyes of NATSMonitor, subscriber and FileDescriptor")
@pytest.mark.statement("E", "31: TERM: exit 0 at once")
@pytest.mark.statement("11.2", "TERM ends the router at once, with exit status 0")
def test_from_start_to_end(shared_nats, tmp_path):
    settings = {
        "zone": "z7",
        "cfroute": {"start_delay": "2s"},
        "isolation_segments": ["is1"],
        "routing_table_sharding_mode": "shared-and-segments",
        "drain_wait": "1h",
    }
    router = Watched(tmp_path, shared_nats, settings)
    assert router.before == (b"", True)
    where = f"127.0.0.1:{shared_nats.port}"
    sharding = {"isolation_segments": ["is1"], "routing_table_sharding_mode": "shared-and-segments"}
    sleeping = "Sleeping before returning success on /health endpoint to preload routing table"
    expected = [
        ("starting", "", {}),
        ("local-az-set", "", {"AvailabilityZone": "z7"}),
        ("retrieved-isolation-segments", "", sharding),
        ("setting-up-nats-connection", "", {}),
        ("Successfully-connected-to-nats", "nats", {"host": where, "addr": where}),
        ("subscriber-starting", "subscriber", {}),
        ("subscriber-started", "subscriber", {}),
        (sleeping, "router", {"sleep_time_seconds": 2}),
        ("tcp-listener-started", "router", {"address": {"IP": "127.0.0.1", "Port": router.port, "Zone": ""}}),
        ("tls-listener-not-enabled", "router", {}),
        ("gorouter.started", "router", {}),
    ]
    wanted = {message for message, _, _ in expected}
    assert [line for line in lines(router) if line[0] in wanted] == expected

    assert router.stop() == 0
    told = ends(router)
    assert [message for message, _, _ in told] == STOPPED
    assert [component for _, component, _ in told] == ["router"] * 3 + ["NATSMonitor", "subscriber", "FileDescriptor"]
    assert 0 <= told[1][2]["took"] < 1e9


@pytest.mark.statement("11.1", "tcp-listener-disabled where disable_http is set; tls-listener-started with the address")
def test_a_start_with_tls_alone(start):
    port = free_port()
    tls = {"enable_ssl": True, "ssl_port": port, "tls_pem": [Authority().issue("x").pair], "client_cert_validation": "none"}
    router = start(disable_http=True, cipher_suites="ECDHE-ECDSA-AES128-GCM-SHA256", **tls)
    told = [(message, data) for message, component, data in lines(router) if component == "router"]
    assert told[-3:] == [
        ("tcp-listener-disabled", {}),
        ("tls-listener-started", {"address": {"IP": "127.0.0.1", "Port": port, "Zone": ""}}),
        ("gorouter.started", {}),
    ]
    with pytest.raises(ConnectionRefusedError):
        router.connect()


@pytest.mark.statement("11.2", "INT ends the router at once: all connections are closed, and the exit status is 0")
def test_an_interrupt(start, backend):
    answering = Answering()
    router = start(drain_wait="1h")
    router.register("int.test", backend(answering))
    with router.connect() as client, router.connect() as idle:
        client.sendall(b"GET / HTTP/1.1\r\nHost: int.test\r\n\r\n")
        assert answering.asked.wait(DEADLINE)
        router.process.send_signal(signal.SIGINT)
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(65536) == b""
        with contextlib.suppress(ConnectionResetError):
            assert idle.recv(65536) == b""
        assert router.process.wait(DEADLINE) == 0
    answering.go.set()


@pytest.mark.statement("11.2", "HUP kills the router")
def test_a_hangup(start):
    router = start()
    router.process.send_signal(signal.SIGHUP)
    assert router.process.wait(DEADLINE) == -signal.SIGHUP


@pytest.mark.statement("E", "30: USR1: health is 503 at once, traffic is served for drain_wait, then exit 0")
@pytest.mark.statement("11.3", "USR1: /health and the health check by User-Agent are 503 at once, traffic goes on for drain_wait")
@pytest.mark.statement("11.3", "Then the listeners close, idle connections are closed, and active requests are waited for")
@pytest.mark.statement("11.3", "A connection is closed after its last answer, and no header announces that")
@pytest.mark.statement("11.3", "A client that has said nothing or half a head, or has upgraded, is not waited for")
@pytest.mark.statement("11.3", "The messages of a drain, with a line for each listener that is closed a second time")
@pytest.mark.statement("11.2", "Further signals while draining are ignored, and told")
def test_a_drain(start, backend):
    answering = Answering()
    router = start(drain_wait="2s", drain_timeout="30s")
    router.register("drain.test", backend(answering))
    router.register("quick.test", backend())
    silent, half, idle, active = (router.connect() for _ in range(4))
    half.sendall(b"GET / HTTP/1.1\r\nHo")
    idle.sendall(b"GET / HTTP/1.1\r\nHost: quick.test\r\n\r\n")
    assert idle.recv(65536).endswith(b"ok")

    router.process.send_signal(signal.SIGUSR1)
    eventually(lambda: router.health() == 503, "the drain")
    assert router.get("quick.test").status == 200
    check = router.fetch(b"GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: HTTP-Monitor/1.1\r\nConnection: close\r\n\r\n")
    assert (check.status, check.body) == (503, b"")
    router.process.send_signal(signal.SIGTERM)
    router.process.send_signal(signal.SIGUSR1)
    active.sendall(b"GET / HTTP/1.1\r\nHost: drain.test\r\n\r\n")
    assert answering.asked.wait(DEADLINE)
    eventually(lambda: router.log("Draining with 1 outstanding active connections"), "the second part of the drain")
    with contextlib.closing(socket.socket()) as probe:
        assert probe.connect_ex(("127.0.0.1", router.port)) != 0
    for connection in (silent, half, idle):
        assert connection.recv(65536) == b""
    answering.go.set()
    answer = active.recv(65536)
    assert answer.endswith(b"ok")
    assert b"Connection" not in answer
    assert active.recv(65536) == b""
    assert router.process.wait(DEADLINE) == 0
    for connection in (silent, half, idle, active):
        connection.close()

    told = ends(router)
    assert told[0] == ("gorouter-draining", "router", {"wait_seconds": 2, "timeout_seconds": 30})
    ignored = [data["signal"] for message, _, data in told if message == "gorouter.signal.ignored"]
    assert ignored == ["terminated", "user defined signal 1"]
    names = [message for message, component, _ in told if component == "router" and message != "gorouter.signal.ignored"]
    assert names[1] == "Draining with 1 outstanding active connections"
    assert names[2].startswith("Draining with ")
    assert names[2].endswith(" outstanding idle connections")
    again = "error-stopping-route-services-server"
    assert names[3:] == ["gorouter.stopping", again, again, "gorouter.stopped", "gorouter.exited"]
    errors = [data["error"] for message, _, data in told if message == again]
    assert errors[0] == f"close tcp 127.0.0.1:{router.port}: use of closed network connection"
    assert errors[1].startswith("close tcp 127.0.0.1:")


@pytest.mark.statement("11.3", "After drain_timeout the drain is given up: router.drain.timed-out, and gorouter-draining-error")
@pytest.mark.statement("12", "drain_wait and drain_timeout end a drain")
def test_a_drain_that_takes_too_long(start, backend):
    answering = Answering()
    router = start(drain_wait="0s", drain_timeout="300ms")
    router.register("long.test", backend(answering))
    with router.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: long.test\r\n\r\n")
        assert answering.asked.wait(DEADLINE)
        router.process.send_signal(signal.SIGUSR1)
        assert router.process.wait(DEADLINE) == 0
    answering.go.set()
    told = [(message, data) for message, _, data in ends(router)]
    assert ("router.drain.timed-out", {}) in told
    assert ("gorouter-draining-error", {"error": "router: Drain timeout"}) in told


@pytest.mark.statement("1.2", "logging.syslog names the root of the log, and rfc3339 its times")
def test_the_form_of_the_log(start):
    router = start(logging={"level": "info", "syslog": "vcap.gorouter", "format": {"timestamp": "rfc3339"}})
    first, *rest = [json.loads(line) for line in router.output.read_text().splitlines() if line.startswith("{")]
    assert list(first) == ["log_level", "timestamp", "message", "source", "data"]
    assert (first["log_level"], first["source"], first["data"]) == (1, "vcap.gorouter", {})
    assert time.strptime(first["timestamp"][:19], "%Y-%m-%dT%H:%M:%S")
    assert len(first["timestamp"]) == 30
    assert {line["log_level"] for line in rest} >= {1}
    assert 0 not in {line["log_level"] for line in rest}
