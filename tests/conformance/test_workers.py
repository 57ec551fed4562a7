"""A router with two workers is one router: what clients, operators and backends see of it, and what the loss of a process costs.

A request gets to either worker by chance. So what has to hold at both is asked for on so many connections that one of them would
be left out once in a hundred thousand runs.
"""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
import zlib
from collections import Counter
from pathlib import Path

import pytest

from ..ports import free_port
from ..prometheus_text import parse
from ..waiting import eventually
from .conftest import DEADLINE, OK, Nats, Router, read_request
from .routing import named, register, tell, unregister
from .test_03_08_connection_limit import Held
from .test_06_route_services import test_hairpinning  # noqa: F401
from .test_e_checklist import (  # noqa: F401
    test_1_unknown_host,
    test_3_case_and_port_do_not_count,
    test_5_wildcard_takes_what_the_exact_host_has_no_path_for,
    test_6_headers_at_the_backend,
    test_11_lengths,
    test_17_connection_limit,
    test_18_sticky_cookie,
    test_19_stale_sticky_cookie,
    test_21_health_check_by_user_agent,
    test_33_routes_need_a_password,
)

BOTH = 17  # requests after which each of two workers has had one
ASK = b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n"


@pytest.fixture(scope="module")
def metrics_port():
    return free_port()


@pytest.fixture(scope="module")
def shared_router(shared_nats, tmp_path_factory, metrics_port):
    settings = {
        "backends": {"max_attempts": 2},
        "cfroute": {"start_delay": "0s", "workers": 2},
        "prometheus": {"enabled": True, "port": metrics_port},
    }
    router = Router(tmp_path_factory.mktemp("workers"), shared_nats, settings)
    yield router
    assert router.stop() == 0


@pytest.fixture
def start(start):
    """Starts routers with two workers."""

    def begin(nats=None, **settings):
        return start(nats, **{**settings, "cfroute": {"start_delay": "0s", "workers": 2, **settings.get("cfroute", {})}})

    return begin


def workers(router):
    """The processes of the workers."""
    found = subprocess.run(["pgrep", "-P", str(router.process.pid)], capture_output=True, text=True, check=False)
    return {int(pid) for pid in found.stdout.split()}


def is_gone(pid):
    """Whether a process does nothing any more."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return not state or state.startswith("Z")


def kill(pid):
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: is_gone(pid), "the end of a process")


def statuses(router, host, count=BOTH):
    """What so many requests, each on a connection of its own, are answered with."""
    return Counter(router.get(host).status for _ in range(count))


def table(router):
    """`/cfroute/table`, by route."""
    answer = router.fetch(b"GET /cfroute/table HTTP/1.0\r\nAuthorization: Basic dTpw\r\n\r\n", router.routes_port)
    return {route["uri"]: route for route in json.loads(answer.body)["routes"]}


@contextlib.contextmanager
def kept(router, host, count):
    """So many connections that have had a request each."""
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(router.connect()) for _ in range(count)]
        for connection in connections:
            assert answers(connection, host)
        yield connections


def answers(connection, host):
    """Whether one more request is answered there."""
    with contextlib.suppress(OSError):
        connection.sendall(ASK % host.encode())
        return b" 200 OK" in connection.recv(65536)
    return False


def test_one_start_of_two_workers(shared_router):
    assert len(workers(shared_router)) == 2
    for message in ("starting", "tcp-listener-started", "subscriber-started", "gorouter.started"):
        assert len(shared_router.log(message)) == 1


def test_what_is_counted_is_that_of_all(shared_router, metrics_port, backend):
    def scrape():
        return parse(shared_router.fetch(b"GET /metrics HTTP/1.0\r\n\r\n", metrics_port).body.decode())

    app = backend()
    shared_router.register("counted.test", app, tags={"component": "counted"}, app="guid")
    before = scrape()
    assert statuses(shared_router, "counted.test", 40) == {200: 40}
    eventually(lambda: scrape().value("latency_count", component="counted") == 40, "all requests")
    after = scrape()
    assert after.value("total_requests", component="counted") == 40
    for name in ("gorouter_time_count", "route_lookup_time_count"):
        assert after.value(name) - before.value(name) == 40
    assert after.value("registry_message", action="added", component="counted") == 1
    assert after.value("process_open_fds") > 60
    shown = eventually(lambda: (r := table(shared_router)["counted.test"])["requests"] == 40 and r, "the table")
    assert shown["endpoints"][0]["requests"] == 40
    assert eventually(lambda: table(shared_router)["counted.test"]["rate"] > 0, "a rate")


def test_requests_under_way_are_shown(shared_router, backend):
    held = Held(backend)
    shared_router.register("held.test", held.app)

    def shown():
        return table(shared_router)["held.test"]["endpoints"][0]["connections"]

    with held.busy(shared_router, "held.test"), held.busy(shared_router, "held.test"):
        eventually(lambda: shown() == 2, "two requests under way")
    eventually(lambda: shown() == 0, "the end of both")


def test_routes_come_and_go_at_both(shared_router, backend):
    app = backend()
    for _ in range(3):
        register(shared_router, app, "comes.test", "comes.test/too")
        assert statuses(shared_router, "comes.test") == {200: BOTH}
        unregister(shared_router, app, "comes.test", "comes.test/too")
        assert statuses(shared_router, "comes.test") == {404: BOTH}


def test_an_endpoint_that_failed_for_good_is_out_everywhere(shared_router):
    register_dead = {"tls_port": free_port(), "server_cert_domain_san": "x"}
    tell(shared_router, "router.register", 1, "pruned.test", **register_dead)
    assert shared_router.get("pruned.test").status == 502
    eventually(lambda: not shared_router.routes().get("pruned.test"), "an empty route")
    assert statuses(shared_router, "pruned.test") == {404: BOTH}
    pruned = [data for data in shared_router.log("prune-failed-endpoint") if str(register_dead["tls_port"]) in str(data)]
    assert len(pruned) == 1
    tell(shared_router, "router.register", 1, "pruned.test", **register_dead)
    assert shared_router.get("pruned.test").status == 502  # it is tried again once it is registered again


def test_a_failure_is_known_to_both(shared_router, backend):
    dead, alive = free_port(), backend()
    tell(shared_router, "router.register", dead, "marked.test")
    register(shared_router, alive, "marked.test")

    def failures():
        return len([data for data in shared_router.log("backend-endpoint-failed") if f":{dead}" in str(data)])

    eventually(lambda: shared_router.get("marked.test").status == 200 and failures(), "a failure")
    eventually(lambda: any(e["failed_for"] is not None for e in table(shared_router)["marked.test"]["endpoints"]), "a mark")
    before = failures()
    assert statuses(shared_router, "marked.test") == {200: BOTH}
    assert failures() == before


@pytest.mark.parametrize("algorithm", ["round-robin", "least-connection"])
def test_the_connection_limit_is_that_of_all(start, backend, algorithm):
    router = start(backends={"max_conns": 3}, balancing_algorithm=algorithm)
    held, (other,) = Held(backend), named(backend, "other")
    router.register("limited.test", held.app)
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(held.busy(router, "limited.test"))
        assert statuses(router, "limited.test", 10) == {503: 10}
        register(router, other, "limited.test")
        assert statuses(router, "limited.test", 10) == {200: 10}


def test_who_ends_has_nothing_under_way(start, backend):
    router = start(backends={"max_conns": 1})
    held = Held(backend)
    router.register("freed.test", held.app)
    with held.busy(router, "freed.test"):
        assert router.get("freed.test").status == 503
        for pid in workers(router):
            kill(pid)
        held.released.set()
        eventually(lambda: router.get("freed.test").status == 200, "room")
        eventually(lambda: len(router.log("worker-exited")) == 2, "both ends")
        assert statuses(router, "freed.test") == {200: BOTH}


def test_a_worker_that_is_killed_takes_nothing_but_its_own_with_it(start, backend):
    router = start()
    router.register("lasting.test", backend(slowly))
    load = Load(router, "lasting.test")
    with kept(router, "lasting.test", 30) as connections, load:
        before = workers(router)
        victim = before.copy().pop()
        kill(victim)
        killed_at = time.monotonic()
        eventually(lambda: len(workers(router) - {victim}) == 2, "another worker")
        eventually(lambda: load.since(killed_at) > 100, "requests after that")
        survivors = sum(answers(connection, "lasting.test") for connection in connections)
    assert 3 <= survivors <= 27  # those of the other worker
    assert load.failed_since(killed_at) == []
    assert workers(router) & before == before - {victim}
    [data] = router.log("worker-exited")
    assert (data["pid"], data["status"], data["next_in_seconds"]) == (victim, -signal.SIGKILL, 0)
    assert statuses(router, "lasting.test") == {200: BOTH}
    assert router.health() == 200


def slowly(connection):
    """A backend that takes a moment for each request."""
    while read_request(connection):
        time.sleep(0.001)  # so that requests are under way at any time
        connection.sendall(OK)


class Load:
    """Clients that open a connection for each request, one after the other, as fast as they can."""

    def __init__(self, router, host):
        self._router = router
        self._host = host
        self._stop = threading.Event()
        self._done = []
        self._threads = [threading.Thread(target=self._run) for _ in range(4)]

    def _run(self):
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                outcome = self._router.get(self._host).status
            except (OSError, ValueError) as error:
                outcome = repr(error)
            self._done.append((began, outcome))

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        eventually(lambda: len(self._done) > 50, "load")

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(DEADLINE)

    def since(self, when):
        """How many requests have been answered whose connections were opened after that."""
        return sum(began > when for began, _ in self._done)

    def failed_since(self, when):
        """What else than 200 came of connections that were opened after that."""
        return [outcome for began, outcome in self._done if began > when and outcome != 200]


def test_a_worker_that_ends_over_and_over_gets_pauses(start):
    router = start()
    for count in range(1, 4):
        kill(max(workers(router)))
        eventually(lambda count=count: len(router.log("worker-exited")) == count, "the end")
        eventually(lambda: len(workers(router)) == 2, "another one")
    by_worker = {}
    for data in router.log("worker-exited"):
        by_worker.setdefault(data["worker"], []).append(data["next_in_seconds"])
    assert all(pauses == [0, 0.1, 0.2][: len(pauses)] for pauses in by_worker.values())


def test_nothing_is_left_when_the_parent_is_killed(start, backend):
    router = start()
    router.register("orphan.test", backend())
    with kept(router, "orphan.test", 4):
        left = workers(router)
        router.process.kill()
        router.process.wait()
        eventually(lambda: all(map(is_gone, left)), "the end of the workers")
    with contextlib.closing(socket.socket()) as probe:
        assert probe.connect_ex(("127.0.0.1", router.port)) != 0


def test_signals_are_for_the_parent(start, backend):
    router = start()
    router.register("signals.test", backend())
    before = workers(router)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        for pid in before:
            os.kill(pid, number)
    assert statuses(router, "signals.test") == {200: BOTH}
    assert workers(router) == before
    assert router.stop() == 0
    assert all(map(is_gone, before))


def test_all_workers_drain(start, backend):
    router = start(drain_wait="2s", drain_timeout="30s")
    held = Held(backend)
    router.register("drain.test", held.app)
    with kept_idle(router, 3), held.busy(router, "drain.test"), held.busy(router, "drain.test"):
        router.process.send_signal(signal.SIGUSR1)
        eventually(lambda: router.log("gorouter-draining"), "draining")
        eventually(lambda: router.health() == 503, "ill health")
        assert router.get("x", "/", "User-Agent: HTTP-Monitor/1.1").status == 503
        eventually(lambda: "Draining with 2 outstanding active connections" in router.output.read_text(), "two requests")
        assert "Draining with 3 outstanding idle connections" in router.output.read_text()
        with contextlib.closing(socket.socket()) as probe:
            eventually(lambda: probe.connect_ex(("127.0.0.1", router.port)) != 0, "a closed port")
        assert router.process.poll() is None
        held.released.set()
    assert router.process.wait(DEADLINE) == 0
    messages = [json.loads(line)["message"] for line in router.output.read_text().splitlines() if line.startswith("{")]
    ours = ["gorouter-draining", "gorouter.stopping", "gorouter.stopped", "gorouter.exited", "exited", "exited", "exited"]
    assert [message for message in messages if message in ours] == ours
    assert not [message for message in messages if "error" in message and "stopping" not in message]


@contextlib.contextmanager
def kept_idle(router, count):
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(router.connect()) for _ in range(count)]
        for connection in connections:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: nowhere.test\r\n\r\n")
            assert b" 404 " in connection.recv(65536)
        yield


def test_a_drain_that_takes_too_long(start, backend):
    router = start(drain_timeout="300ms")
    held = Held(backend)
    router.register("late.test", held.app)
    with held.busy(router, "late.test"):
        assert router.stop(signal.SIGUSR1) == 0
        assert [data["error"] for data in router.log("gorouter-draining-error")] == ["router: Drain timeout"]


def test_nats_goes_and_comes_back(start, backend):
    nats = Nats()
    router = start(nats)
    app = backend()
    router.register("before.test", app)
    nats.stop()
    assert statuses(router, "before.test") == {200: BOTH}
    nats.start()
    eventually(lambda: router.log("nats-connection-reconnected"), "NATS")

    def registered() -> bool:
        """Said again and again, as emitters do: the server may hear of it before it hears of the router's subscriptions."""
        nats.publish("router.register", {"host": "127.0.0.1", "port": app.port, "uris": ["after.test"]})
        return "after.test" in router.routes()

    eventually(registered, "the route")
    assert statuses(router, "after.test") == {200: BOTH}
    nats.stop()


def test_lines_of_all_workers_are_whole(start, backend):
    router = start()
    app = backend()
    router.register("lines.test", app)
    padding = "x" * 3000
    threads = [threading.Thread(target=lambda: [router.get("lines.test", f"/{padding}") for _ in range(25)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    lines = router.access_lines(100)
    assert len(lines) == 100
    assert all(re.fullmatch(r'lines\.test - \[.*\] "GET /x{3000} HTTP/1\.1" 200 .* x_cf_routererror:"-"', line) for line in lines)


def test_the_deprecated_page_adds_up(start, backend):
    router = start(status={"enable_deprecated_varz_healthz_endpoints": True, "host": "127.0.0.1"})
    router.register("varz.test", backend(), app="guid", tags={"component": "varz"})
    assert statuses(router, "varz.test") == {200: BOTH}

    def page():
        return json.loads(router.fetch(b"GET /varz HTTP/1.0\r\nAuthorization: Basic dTpw\r\n\r\n", router.status_port).body)

    shown = eventually(lambda: (p := page())["responses_2xx"] == BOTH and p, "all requests")
    assert (shown["requests"], shown["tags"]["component"]["varz"]["requests"]) == (BOTH, BOTH)
    assert shown["top10_app_requests"] == [{"application_id": "guid", "rpm": BOTH, "rps": 0}]
    assert shown["latency"]["50"] > 0


def test_active_apps_are_those_of_all(start, backend):
    nats = Nats()
    router = start(nats, publish_active_apps_interval="1s")
    router.register("active.test", backend(), app="guid")
    nats.subscribe("router.active_apps")
    assert statuses(router, "active.test") == {200: BOTH}
    eventually(lambda: zlib.decompress(nats.next()[1]) == b'["guid"]', "the app")
    nats.stop()


def test_a_port_that_is_taken(tmp_path, shared_nats):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AssertionError, match=f"listen tcp 127.0.0.1:{port}: bind: address already in use"):
            Router(tmp_path, shared_nats, {"port": port, "cfroute": {"start_delay": "0s", "workers": 2}})
    assert "worker-exited" not in Path(tmp_path, "gorouter.log").read_text()


def test_as_many_workers_as_go_would_have_threads(start):
    router = start(cfroute={"workers": -1}, go_max_procs=3)
    assert len(workers(router)) == 3
