"""What is told about the router: metrics, and the table with what goes through it."""

import json

import pytest

from cfroute.routing_api.api import RouterGroup
from cfroute.tcp_router import port_check, stats
from cfroute.tcp_router.engines import BackendKey, Counters
from cfroute.tcp_router.stats import ProxyStats
from cfroute.tcp_router.table import RoutingTable
from cfroute.tcp_router.table_view import TableView

from .examples import route


def csv_line(proxy: str, server: str, **figures: int) -> str:
    columns = {"qcur": 2, "scur": 4, "stot": 7, "bin": 8, "bout": 9, "econ": 13, "qtime": 58, "ctime": 59, "ttime": 61}
    cells = [proxy, server, *[""] * 80]
    for name, value in figures.items():
        cells[columns[name]] = str(value)
    return ",".join(cells)


@pytest.mark.statement("TCP router 13", "the answer to `show stat` is read by its columns, without the header")
def test_parsing() -> None:
    line = csv_line("backend_5001", "BACKEND", qcur=1, scur=2, stot=3, bin=4, bout=5, econ=6, qtime=7, ctime=8, ttime=9)
    assert list(stats.parse(f"# pxname,svname\n{line}\nbackend_5002,cut off\n\n")) == [
        ProxyStats("backend_5001", "BACKEND", 1, 2, 3, 4, 5, 6, 7, 8, 9)
    ]
    assert list(stats.parse("")) == []


@pytest.mark.statement("TCP router 13", "totals of queued requests and connection errors, integer means of times over all lines")
def test_totals() -> None:
    lines = [
        ProxyStats("a", queued=1, connection_errors=2, queue_ms=10, connect_ms=1),
        ProxyStats("b", queued=2, connection_errors=3, queue_ms=15, connect_ms=2),
    ]
    sent = {name: (value, unit) for name, value, unit in stats.metrics(lines)}
    assert sent["TotalCurrentQueuedRequests"] == (3, "Metric")
    assert sent["TotalBackendConnectionErrors"] == (5, "Metric")
    assert sent["AverageQueueTimeMs"] == (12, "ms")
    assert sent["AverageConnectTimeMs"] == (1, "ms")
    assert next(iter(stats.metrics([]))) == ("TotalCurrentQueuedRequests", 0, "Metric")


@pytest.mark.statement(
    "TCP router 13", "connection time and sessions are sent of proxies called x_y_PORT, connection errors of all"
)
def test_proxies() -> None:
    lines = [
        ProxyStats("listen_cfg_5001", "server", sessions=3, total_ms=1, connection_errors=7),
        ProxyStats("listen_cfg_5001", "BACKEND", sessions=4, total_ms=20, connection_errors=8),
        ProxyStats("backend_5002", "BACKEND", sessions=5, connection_errors=1),
    ]
    sent = {name: value for name, value, _ in stats.metrics(lines)}
    assert sent["5001.ConnectionTime"] == 20
    assert sent["5001.CurrentSessions"] == 4
    assert sent["listen_cfg_5001.ProxyConnectionErrors"] == 8
    assert sent["backend_5002.ProxyConnectionErrors"] == 1
    assert "5002.CurrentSessions" not in sent


@pytest.mark.statement(
    "TCP router 3", "the router groups' ports are compared with those of system components, one sentence a group"
)
def test_reserved_ports() -> None:
    groups = [
        RouterGroup("1", "G", "tcp", "1024-1030,2000"),
        RouterGroup("2", "H", "tcp", "2000"),
        RouterGroup("3", "web", "http", ""),
    ]
    assert port_check.conflicts(groups, [80, 3000]) == ""
    told = (
        "The reserved ports for router group '{}' contains the following reserved system component port(s): '{}'. "
        "Please update your router group accordingly."
    )
    assert port_check.conflicts(groups, [1026, 1027, 2000]).split("\n") == [
        told.format("G", "1026, 1027, 2000"),
        told.format("H", "2000"),
    ]


def test_the_table_with_its_figures() -> None:
    table = RoutingTable()
    table.upsert(route(5002, sni="a.test", ttl=0), 10)
    table.upsert(route(5001, tls_port=61443, instance_id="i", ttl=60), 10)
    table.upsert(route(5001, host="10.0.0.2"), 20)
    counters = {
        BackendKey(5001, "", "10.0.0.1", 61443): Counters(1, 2, 3, 4, 5),
        BackendKey(5001, "", "10.0.0.2", 61000): Counters(10, 20, 30, 40, 50),
    }
    shown = json.loads(TableView(table, counters, 22.5, 120).encoded({"name": "tcp_router/0"}))
    assert shown["name"] == "tcp_router/0"
    first, second = shown["routes"]
    assert {name: value for name, value in first.items() if name != "backends"} == {
        "port": 5001,
        "sni": "",
        "connections": 11,
        "total": 22,
        "errors": 33,
        "bytes_in": 44,
        "bytes_out": 55,
    }
    assert first["backends"][0] == {
        "host": "10.0.0.1",
        "port": 61000,
        "tls_port": 61443,
        "instance_id": "i",
        "age": 12.5,
        "ttl": 60,
        "expires_in": 47.5,
        "connections": 1,
        "total": 2,
        "errors": 3,
        "bytes_in": 4,
        "bytes_out": 5,
    }
    assert (second["sni"], second["backends"][0]["ttl"], second["backends"][0]["connections"]) == ("a.test", 120, 0)
