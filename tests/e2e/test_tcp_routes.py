"""TCP routes in whole foundations: from the load balancer through a TCP router to an instance, whatever is lost meanwhile."""

import contextlib
import json
import os
import shutil
import signal
import socket
import threading
import time
import urllib.request
from collections import Counter

import pytest

from ..ports import free_port

pytestmark = pytest.mark.e2e

PATIENCE = 30.0
A_GLANCE = 2.0


class Talk:
    """A connection to an echo."""

    def __init__(self, port, host="127.0.0.1", patience=PATIENCE):
        self._socket = socket.create_connection((host, port), patience)
        self._socket.settimeout(patience)

    def says(self, text):
        """Whether the echo answers with the same."""
        self._socket.sendall(text)
        heard = b""
        while len(heard) < len(text) and (piece := self._socket.recv(len(text) - len(heard))):
            heard += piece
        return heard == text

    def close(self):
        self._socket.close()


def echoes(port, host="127.0.0.1"):
    """Whether a new connection works."""
    with contextlib.suppress(OSError), contextlib.closing(Talk(port, host, A_GLANCE)) as talk:
        return talk.says(b"hello")
    return False


class Callers:
    """Clients that connect, say something and hang up, again and again; counts what came of it."""

    def __init__(self, port, count=3):
        self.results = Counter()
        self._port = port
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(count)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def more(self, until, count=50):
        """Wait until so many further calls were made."""
        goal = sum(self.results.values()) + count
        until(lambda: sum(self.results.values()) >= goal, f"{count} further calls")

    def _run(self):
        while not self._stopped.is_set():
            try:
                with contextlib.closing(Talk(self._port)) as talk:
                    self.results["echo" if talk.says(b"x" * 100) else "cut short"] += 1
            except OSError as error:
                self.results[repr(error)] += 1
                time.sleep(0.01)


def push_echo(foundation, name="tcp", port=None):
    """The sample behind a TCP route; its port."""
    domain = foundation.info["tcp_domain"]
    port = port or int(foundation.info["tcp_ports"].partition("-")[0])
    foundation.ok("push", name, "--sample", "tcp-echo", "--no-route")
    foundation.ok("map-route", name, domain, "--port", str(port))
    return port


def tables(foundation):
    """How many backends each TCP router that is there has, by port."""
    found = {}
    for url in foundation.info["tcp_router_status"]:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/cfroute/table", timeout=PATIENCE) as answer:
            found[url] = {route["port"]: len(route["backends"]) for route in json.load(answer)["routes"]}
    return found


def backends(foundation, port):
    return [table.get(port, 0) for table in tables(foundation).values()]


@pytest.fixture(scope="module")
def routed(new_shared):
    """A foundation with two TCP routers, and the port of the app `tcp`."""
    foundation = new_shared()
    foundation.up("--tcp-ports", "0", "--tcp-routers", "2")
    foundation.port_of_tcp = push_echo(foundation)
    return foundation


@pytest.fixture
def port(routed, until):
    """The port of the app, with all components well."""
    until(lambda: all(row["state"] == "running" for row in routed.components().values()), "all components")
    until(lambda: backends(routed, routed.port_of_tcp) == [1, 1], "the route at both TCP routers")
    until(lambda: echoes(routed.port_of_tcp), "an echo")
    return routed.port_of_tcp


def test_a_connection_goes_through_load_balancer_and_tcp_router(routed, port):
    with contextlib.closing(Talk(port)) as talk:
        assert talk.says(b"hello")
        assert talk.says(os.urandom(1 << 20))
    routers = [url.partition("//")[2].partition(":")[0] for url in routed.info["tcp_router_status"]]
    assert all(echoes(port, router) for router in routers)
    assert "is there, on instance 0" in routed.ok("logs", "tcp", "--recent")


def test_a_port_is_picked_and_given_back(routed, until):
    domain = routed.info["tcp_domain"]
    first, _, last = routed.info["tcp_ports"].partition("-")
    made = json.loads(routed.ok("create-route", domain, "--json"))
    assert int(first) <= made["port"] <= int(last)
    routed.ok("map-route", "tcp", domain, "--port", str(made["port"]))
    until(lambda: echoes(made["port"]), "the second route")
    routed.ok("delete-route", domain, "--port", str(made["port"]), "-f")
    until(lambda: not any(backends(routed, made["port"])), "no backend")
    assert not echoes(made["port"])


def test_scaling_up_and_down_refuses_nobody(routed, port, until):
    with Callers(port) as callers:
        routed.ok("scale", "tcp", "-i", "3")
        until(lambda: backends(routed, port) == [3, 3], "three backends")
        callers.more(until)
        routed.ok("scale", "tcp", "-i", "1")
        until(lambda: backends(routed, port) == [1, 1], "one backend")
        callers.more(until)
    assert set(callers.results) == {"echo"}, callers.results


OTHERS = ("routing_api/0", "locket", "uaa", "tcp_emitter", "route_emitter/0", "bbs", "cloud_controller")
"""Everything of TCP routing that no byte of a connection goes through."""


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_killed_comes_back_and_no_connection_notices(routed, port, until, name):
    before = routed.components()[name]
    with contextlib.closing(Talk(port)) as talk, Callers(port, 2) as callers:
        assert talk.says(b"before")
        os.kill(before["pid"], signal.SIGKILL)
        assert talk.says(b"meanwhile")
        after = until(lambda: (now := routed.components()[name])["restarts"] > before["restarts"] and now, name)
        assert talk.says(b"afterwards")
    assert after["last_error"] == "killed by SIGKILL"
    assert set(callers.results) == {"echo"}, callers.results
    assert backends(routed, port) == [1, 1]


def test_all_of_them_are_killed_at_once_and_routes_are_made_as_before(routed, port, until):
    domain = routed.info["tcp_domain"]
    components = routed.components()
    with contextlib.closing(Talk(port)) as talk, Callers(port, 2) as callers:
        for name in OTHERS:
            os.kill(components[name]["pid"], signal.SIGKILL)
        until(lambda: all(row["state"] == "running" for row in routed.components().values()), "all components")
        made = json.loads(routed.ok("create-route", domain, "--json"))["port"]
        routed.ok("map-route", "tcp", domain, "--port", str(made))
        until(lambda: backends(routed, made) == [1, 1], "a new route")
        assert talk.says(b"afterwards")
    assert set(callers.results) == {"echo"}, callers.results
    assert backends(routed, port) == [1, 1]
    routed.ok("delete-route", domain, "--port", str(made), "-f")


def test_the_other_tcp_router_takes_the_connections_of_a_killed_one(routed, port, until):
    with Callers(port, 2) as callers:
        callers.more(until)
        routed.ok("kill", "tcp_router/0")
        until(lambda: backends(routed, port) == [1, 1], "the route at both TCP routers")
        callers.more(until)
    lost = sum(count for result, count in callers.results.items() if result != "echo")
    assert lost <= 4, callers.results  # what was under way through the killed one


def test_a_drained_tcp_router_loses_no_new_connection(routed, port, until):
    before = routed.components()["tcp_router/1"]["pid"]
    with Callers(port, 2) as callers:
        routed.ok("restart", "tcp_router/1")
        until(lambda: backends(routed, port) == [1, 1], "the route at both TCP routers")
        callers.more(until)
    assert routed.components()["tcp_router/1"]["pid"] != before
    assert set(callers.results) == {"echo"}, callers.results


@pytest.mark.skipif(not shutil.which("haproxy"), reason="no haproxy")
def test_haproxy_as_the_engine_on_a_single_address(new_foundation, until):
    foundation = new_foundation()
    foundation.up("--tcp-ports", "0", "--tcp-engine", "haproxy", "--single-address")
    port = push_echo(foundation)
    until(lambda: echoes(port), "an echo")
    foundation.ok("kill", "tcp_router")
    until(lambda: foundation.components()["tcp_router/0"]["restarts"] == 1, "another process")
    until(lambda: echoes(port), "an echo")


def test_routes_and_ports_are_kept_and_nothing_is_left_of_two_routing_apis(new_foundation, until):
    foundation = new_foundation()
    foundation.up("--tcp-ports", "0", "--routing-apis", "2")
    port = push_echo(foundation)
    until(lambda: echoes(port), "an echo")
    foundation.ok("kill", "routing_api/0", "--signal", "TERM")
    until(lambda: foundation.components()["routing_api/0"]["restarts"] == 1, "the first Routing API's end")
    assert json.loads(foundation.ok("router-groups", "--json"))[0]["name"] == "default-tcp"
    pids = [row["pid"] for row in foundation.components().values()]
    foundation.ok("down")
    until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), "the end of all processes")
    assert not echoes(port)
    before = foundation.info["tcp_ports"]
    foundation.up("--tcp-ports", "0")
    assert foundation.info["tcp_ports"] == before
    until(lambda: echoes(port), "the route of the last time")


def test_ports_that_are_taken(new_foundation):
    foundation = new_foundation()
    others = ("--http-port", "0", "--https-port", "0", "--api-port", "0")
    taken = free_port()
    with socket.create_server(("127.0.0.1", taken)):
        refused = foundation.run("up", "--detach", *others, "--tcp-ports", str(taken))
        assert refused.returncode == 6
        assert f"every port for TCP routes, {taken}, is in use" in refused.stderr
        assert "--tcp-ports" in refused.stderr
        started = foundation.run("up", "--detach", *others, "--tcp-ports", f"{taken - 5}-{taken + 5}")
    assert started.returncode == 0
    assert f"{taken} is in use" in started.stderr
