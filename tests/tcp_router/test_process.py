"""How a TCP router starts and ends: its lines, its exit statuses."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from ..ports import free_port
from ..program import program
from ..waiting import eventually
from .daemons import DEADLINE, Backend, ScriptedApi, TcpRouter, ask
from .examples import route

Start = Callable[..., TcpRouter]


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([program(), "tcp-router", *arguments], capture_output=True, text=True, timeout=DEADLINE)


@pytest.mark.statement("TCP router 1", "a wrong flag shows the usage, and ends it with 2")
def test_bad_usage() -> None:
    ended = run("-unknown")
    assert ended.returncode == 2
    assert ended.stderr.startswith("flag provided but not defined: -unknown\nUsage of tcp-router:\n")
    assert run("-help").returncode == 0


@pytest.mark.statement("TCP router 3", "the lines of a start, in order; log messages begin with the source")
def test_a_start(start: Start, api: ScriptedApi) -> None:
    api.routes = [route(free_port())]
    router = start(isolation_segments=["a", "b"]).until_healthy()
    lines = [
        "starting",
        "retrieved-isolation-segments",
        "using-noop-token-fetcher",
        "creating-routing-api-client",
        "router-group-port-checker-success: No conflicting router group ports.",
        "syncer.started",
        "watcher.starting",
        "watcher.started",
        "started",
    ]
    messages = [message for message in router.messages() if message in lines]
    assert messages == lines
    assert router.said("retrieved-isolation-segments") == [{"isolation_segments": "[a,b]"}]
    assert router.said("creating-routing-api-client") == [{"api-location": f"http://127.0.0.1:{api.port}"}]


@pytest.mark.statement("TCP router 12", "SIGINT and SIGTERM stop the members in reverse order, and the exit status is 0")
def test_an_end(start: Start) -> None:
    router = start().until_healthy()
    assert router.end() == 0
    assert router.messages()[-4:] == ["watcher.stopping", "metrics-reporter.stopping", "syncer.stopping", "exited"]


@pytest.mark.statement("TCP router 2", "an unusable configuration is logged, and the exit status is 1")
def test_a_bad_configuration(start: Start, tmp_path: Path) -> None:
    router = start(backend_tls={"enabled": True})
    assert router.exit_status() == 1
    (line,) = router.said("failed-to-unmarshal-config-file")
    assert line["error"] == "Backend TLS was enabled but no CA certificates were specified"


@pytest.mark.statement(
    "TCP router 3", "a load balancer that is not supported, and flags that do not go together, end it before the start"
)
@pytest.mark.parametrize(
    ("flags", "message", "status"),
    [
        (["-tcpLoadBalancer", "nginx"], "not-supported", 2),
        (["-defaultRouteExpiry", "20h"], "invalid-route-expiry", 1),
        (["-staleRouteCheckInterval", "5m"], "invalid-stale-route-check-interval", 1),
        (["-engine", "haproxy", "-haproxyReloader", "/bin/true"], "failed-to-unmarshal-config-file", 1),
    ],
)
def test_flags_that_end_it(start: Start, flags: list[str], message: str, status: int) -> None:
    router = start(*flags)
    assert router.exit_status() == status
    assert router.said(message)


@pytest.mark.statement("TCP router 3", "files of the Routing API's client that cannot be used end it with 2")
def test_bad_certificates(start: Start) -> None:
    router = start(routing_api={"uri": "https://127.0.0.1"})
    assert router.exit_status() == 2
    assert router.said("failed-to-create-tls-config")


@pytest.mark.statement("TCP router 3", "a UAA that cannot be asked at the start ends it with 1; a UAA without TLS is refused")
@pytest.mark.parametrize(("port", "message", "status"), [(1, "failed-connecting-to-uaa", 1), (-1, "tls-not-enabled", 2)])
def test_no_uaa(start: Start, port: int, message: str, status: int) -> None:
    oauth = {"token_endpoint": "127.0.0.1", "port": port}
    router = start(oauth=oauth, routing_api={"auth_disabled": False})
    assert router.exit_status() == status
    assert router.said(message)


RESERVED = {"reserved_system_component_ports": [1026, 1027, 9999]}
GROUP = {"guid": "g", "name": "default-tcp", "type": "tcp", "reservable_ports": "1024-1123"}
SENTENCE = (
    "The reserved ports for router group 'default-tcp' contains the following reserved system component port(s): '1026, 1027'. "
    "Please update your router group accordingly."
)


@pytest.mark.statement("TCP router 3", "router groups with ports of system components are warned of, in so many words")
def test_reserved_ports(start: Start, api: ScriptedApi) -> None:
    api.groups = [GROUP]
    router = start(**RESERVED).until_healthy()
    message = "router-group-port-checker-failure: WARNING! In the future this will cause tcp_router to not start."
    assert router.said(message) == [{"error": SENTENCE}]
    assert SENTENCE in router.output.read_text()


@pytest.mark.statement("TCP router 3", "with -routingGroupCheckExit they end it with 1")
def test_reserved_ports_that_matter(start: Start, api: ScriptedApi) -> None:
    api.groups = [GROUP]
    router = start("-routingGroupCheckExit", **RESERVED)
    assert router.exit_status() == 1
    assert router.said("router-group-port-checker-failure: Exiting now. ") == [{"error": SENTENCE}]


@pytest.mark.statement(
    "TCP router 3", "router groups that cannot be had are asked for three times, and do not keep it from starting"
)
def test_no_router_groups(start: Start, api: ScriptedApi) -> None:
    api.statuses["router_groups"] = [500, 401, 503]
    router = start().until_healthy()
    assert api.count("router_groups") == 3
    (line,) = router.said("router-group-port-checker-error:")
    assert line["error"] == 'error-fetching-routing-groups: "as told"'


def test_a_health_port_that_is_taken(start: Start, api: ScriptedApi) -> None:
    router = start(cfroute={"health_port": api.port})
    assert router.exit_status() == 1
    assert router.messages()[-1] == "exited-with-failure"


def test_a_port_that_is_taken_is_opened_once_it_is_free(start: Start, api: ScriptedApi, backend: Backend) -> None:
    holder = Backend("holder")
    api.routes = [route(holder.port, "127.0.0.1", backend.port)]
    router = start().until_healthy()
    assert router.said("failed-to-listen") == [{"port": holder.port, "error": "address already in use"}]
    holder.close()
    eventually(lambda: ask(holder.port) == "backend", "the port")


def test_the_level_of_the_log_can_be_changed(start: Start) -> None:
    port = free_port()
    router = start("-debugAddr", f"127.0.0.1:{port}", "-syncInterval", "50ms").until_healthy()
    assert httpx.put(f"http://127.0.0.1:{port}/log-level", content="error", trust_env=False).status_code == 200
    router.end()
    assert router.messages()[-1] != "exited"


def test_what_is_asked_for_on_the_health_port(start: Start) -> None:
    router = start().until_healthy()
    assert router._get("/other")[0] == 404
    hidden: dict[str, Any] = {"health_address": "0.0.0.0"}
    everywhere = start(cfroute=hidden).until_healthy()
    assert everywhere._get("/cfroute/table")[0] == 404
