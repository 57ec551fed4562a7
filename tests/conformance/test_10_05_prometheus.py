"""What Prometheus sees (section 10.5)."""

import socket
import subprocess
import time

import pytest

from ..program import program
from ..waiting import eventually

PLAIN = [
    "backend_exhausted_conns",
    "backend_invalid_id",
    "backend_invalid_tls_cert",
    "backend_tls_handshake_failed",
    "bad_gateways",
    "empty_content_length_header",
    "rejected_requests",
    "routes_pruned",
    "websocket_upgrades",
    "websocket_failures",
]
GAUGES = ["buffered_messages", "total_dropped_messages", "file_descriptors", "ms_since_last_registry_update", "total_routes"]
GUID = "6b3e81d5-409e-4fc5-728c-32a791a56d7d"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"


class Change:
    """How much samples have grown since it was made; waits for what is counted at the end of a request."""

    def __init__(self, metered):
        self._metered = metered
        self._before = metered.scrape()

    def of(self, name, **labels):
        return self._metered.scrape().value(name, **labels) - self._before.value(name, **labels)

    def becomes(self, expected, name, **labels):
        eventually(lambda: self.of(name, **labels) == expected, f"{name} {labels} to grow by {expected}")


@pytest.fixture
def change(metered):
    return Change(metered)


@pytest.mark.statement("10.5", "counters without labels and all gauges are there from the start")
@pytest.mark.statement("10.5", "the process's figures and those of the scrape handler are there, too")
def test_families(metered):
    kinds = metered.scrape().kinds
    assert {name: kinds[name] for name in PLAIN} == dict.fromkeys(PLAIN, "counter")
    assert {name: kinds[name] for name in GAUGES} == dict.fromkeys(GAUGES, "gauge")
    for name in ("gorouter_time", "route_lookup_time", "route_registration_latency"):
        assert kinds[name] == "histogram"
    assert {"process_cpu_seconds_total", "process_open_fds", "promhttp_metric_handler_errors_total"} <= set(kinds)


@pytest.mark.statement("10.5", "the buckets of the histograms by default, in the metric's own unit")
@pytest.mark.parametrize(
    ("name", "bounds"),
    [
        ("gorouter_time", [1, 2, 4, 6, 8, 10, 20, 40, 50, 100, 500, 1000]),
        ("latency", [1, 2, 4, 6, 8, 10, 20, 40, 50, 100, 500, 1000]),
        ("route_lookup_time", [10_000 * step for step in range(1, 11)]),
        ("route_registration_latency", [0.1, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4]),
        ("http_latency_seconds", [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6]),
    ],
)
def test_buckets(metered, backend, name, bounds):
    metered.router.register("buckets.test", backend())
    assert metered.router.get("buckets.test").status == 200
    eventually(lambda: metered.scrape().series("latency_count"), "a request that was counted")
    shown = {labels["le"] for labels in metered.scrape().series(f"{name}_bucket")}
    assert sorted(float(bound) for bound in shown if bound != "+Inf") == pytest.approx(bounds)
    assert "+Inf" in shown


@pytest.mark.statement("10.5", "served on 127.0.0.1 at prometheus.port under /metrics; a line on stderr says where")
def test_the_listener(metered):
    answer = metered.page()
    assert answer.status == 200
    assert answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert metered.router.fetch(b"GET / HTTP/1.0\r\n\r\n", metered.port).status == 404
    lines = [line for line in metered.router.output.read_text().splitlines() if "Metrics endpoint" in line]
    assert [line[20:] for line in lines] == [f"Metrics endpoint is listening on 127.0.0.1:{metered.port}"]


@pytest.mark.statement("10.5", "requests and latency by component, responses by group of status; they appear on first use")
def test_a_request(metered, change, backend):
    metered.router.register("request.test", backend(), tags={"component": "request-app"})
    assert "request-app" not in metered.page().body.decode().partition("total_requests")[2]
    assert metered.router.get("request.test").status == 200
    change.becomes(1, "latency_count", component="request-app")
    assert change.of("total_requests", component="request-app") == 1
    assert change.of("responses", status_group="2xx") == 1
    assert change.of("gorouter_time_count") == 1
    assert 0 < change.of("gorouter_time_sum") < 0.5
    assert 0 < change.of("latency_sum", component="request-app") < 5000
    assert change.of("route_lookup_time_count") == 1
    assert 100 < change.of("route_lookup_time_sum") < 1e8


@pytest.mark.statement("10.5", "responses are counted by their group: 1xx to 5xx, and xxx for the rest")
@pytest.mark.parametrize(("status", "group"), [(301, "3xx"), (404, "4xx"), (503, "5xx"), (600, "xxx")])
def test_groups(metered, change, backend, status, group):
    metered.router.register(f"s{status}.test", backend(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status))
    assert metered.router.get(f"s{status}.test").status == status
    change.becomes(1, "responses", status_group=group)


@pytest.mark.statement("10.5", "rejected_requests counts requests that end in 400 or 404 at the look-up")
@pytest.mark.parametrize(
    ("host", "headers"),
    [
        ("nowhere.test", ()),
        ("127.0.0.1", ()),
        ("rejects.test", ("X-CF-App-Instance: x",)),
        ("rejects.test", (f"X-CF-App-Instance: {GUID}:0",)),
    ],
)
def test_rejected(metered, change, backend, host, headers):
    metered.router.register("rejects.test", backend())
    assert metered.router.get(host, "/", *headers).status in (400, 404)
    change.becomes(1, "rejected_requests")
    assert change.of("responses", status_group="4xx") == 0


@pytest.mark.statement("10.5", "bad_gateways counts the failures that are answered with 502")
def test_bad_gateway(metered, change, backend):
    gone = backend()
    metered.router.register("gone.test", gone)
    gone.close()
    assert metered.router.get("gone.test").status == 502
    change.becomes(1, "bad_gateways")
    assert change.of("responses", status_group="5xx") == 1


def _plain(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.statement("10.5", "failures of TLS towards backends have counters of their own")
@pytest.mark.parametrize(
    ("metric", "status", "name"),
    [
        ("backend_tls_handshake_failed", 525, ""),
        ("backend_invalid_id", 503, "other"),
        ("backend_invalid_tls_cert", 526, "stranger"),
    ],
)
def test_failures_of_tls(metered, change, backend, tmp_path, metric, status, name):
    authority = metered.authority if name == "other" else type(metered.authority)(tmp_path)
    context = authority.serve(name or "nobody")

    def secured(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as tls:
            tls.recv(65536)

    app = backend(secured if name else _plain)
    san = "stranger" if name == "stranger" else "right"
    metered.router.register(f"{metric}.test", app, tls_port=app.port, server_cert_domain_san=san)
    assert metered.router.get(f"{metric}.test").status == status
    change.becomes(1, metric)
    assert change.of("bad_gateways") == 0


@pytest.mark.statement("10.5", "backend_exhausted_conns counts the 503 of a route whose endpoints are all at their limit")
@pytest.mark.statement("10.5", "a route without endpoints is answered with 503 and counted nowhere")
def test_limits_and_empty_pools(metered, change, backend):
    busy, waiting = [], []

    def slow(connection: socket.socket) -> None:
        busy.append(connection.recv(65536))
        eventually(lambda: waiting, "the second request")
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    app = backend(slow)
    metered.router.register("busy.test", app)
    with metered.router.connect() as first:
        first.sendall(b"GET / HTTP/1.1\r\nHost: busy.test\r\n\r\n")
        eventually(lambda: busy, "the first request")
        assert metered.router.get("busy.test")["X-Cf-Routererror"] == "Connection Limit Reached"
        waiting.append(True)
        assert first.recv(65536).startswith(b"HTTP/1.1 200")
    change.becomes(1, "backend_exhausted_conns")
    metered.router.unregister("busy.test", app)
    eventually(lambda: metered.router.routes()["busy.test"] == [], "an empty pool")
    before = metered.scrape()
    assert metered.router.get("busy.test")["X-Cf-Routererror"] == "no_endpoints"
    after = metered.scrape()
    assert {name: after.value(name) for name in PLAIN} == {name: before.value(name) for name in PLAIN}


def _websocket(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(SWITCH)
    connection.recv(1)


@pytest.mark.statement("10.5", "websocket_upgrades counts at the switch, not at the end of the connection")
def test_websocket(metered, change, backend):
    metered.router.register("ws.test", backend(_websocket))
    with metered.router.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: ws.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 101 ")
        assert change.of("websocket_upgrades") == 1
        assert change.of("responses", status_group="1xx") == 0
    change.becomes(1, "responses", status_group="1xx")


@pytest.mark.statement("10.5", "websocket_failures counts the upgrades that an endpoint failed")
def test_websocket_that_fails(metered, change, backend):
    gone = backend()
    metered.router.register("ws-gone.test", gone)
    gone.close()
    answer = metered.router.get("ws-gone.test", "/", "Connection: Upgrade", "Upgrade: websocket")
    assert answer.status == 502
    change.becomes(1, "websocket_failures")
    assert change.of("websocket_upgrades") == 0


@pytest.mark.statement("10.5", "registrations are counted by component and by what came of them, unregistrations by component")
def test_registrations(metered, change, backend):
    app = backend()
    message = {"tags": {"component": "emitter-app"}}
    metered.router.register("counted.test", app, **message)
    metered.router.register("counted.test", app, **message)
    change.becomes(1, "registry_message", action="updated", component="emitter-app")
    assert change.of("registry_message", action="added", component="emitter-app") == 1
    payload = {"host": "127.0.0.1", "port": app.port, "uris": ["counted.test", "unheard.test"], **message}
    metered.router.nats.publish("router.unregister", payload)
    change.becomes(2, "unregistry_message", component="emitter-app")


@pytest.mark.statement(
    "10.5", "the pruning cycle counts what it removes, and sets total_routes and ms_since_last_registry_update"
)
def test_pruning(metered, change, backend):
    app = backend()
    metered.router.nats.publish(
        "router.register", {"host": "127.0.0.1", "port": app.port, "uris": ["stale.test"], "stale_threshold_in_seconds": -1}
    )
    change.becomes(1, "routes_pruned")
    eventually(lambda: metered.scrape().value("total_routes") == len(metered.router.routes()), "the number of routes")
    eventually(lambda: metered.scrape().value("ms_since_last_registry_update") > 0, "the time since the last registration")


@pytest.mark.statement("10.5", "route_registration_latency: from the change of the LRP to its first registration, in ms")
def test_registration_latency(metered, change, backend):
    app, changed = backend(), time.time_ns() - 50_000_000
    for _ in range(2):
        metered.router.register("fresh.test", app, endpoint_updated_at_ns=changed)
    change.becomes(1, "route_registration_latency_count")
    assert 50 <= change.of("route_registration_latency_sum") < 5000


@pytest.mark.statement("10.5", "http_latency_seconds by source id, in whole seconds; without an endpoint the source is gorouter")
def test_latency_by_app(metered, change, backend):
    metered.router.register("by-app.test", backend(), tags={"source_id": "app-guid"})
    metered.router.get("by-app.test")
    change.becomes(1, "http_latency_seconds_count", source_id="app-guid")
    assert change.of("http_latency_seconds_sum", source_id="app-guid") == 0
    metered.router.get("nowhere.test")
    change.becomes(1, "http_latency_seconds_count", source_id="gorouter")


@pytest.mark.statement("10.5", "responses of route services are counted by their group")
def test_route_service(metered, change, backend):
    context = metered.authority.serve("localhost")

    def service(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as tls:
            tls.recv(65536)
            tls.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    url = f"https://localhost:{backend(service).port}"
    metered.router.register("guarded.test", backend(), route_service_url=url)
    assert metered.router.get("guarded.test").status == 403
    change.becomes(1, "responses_route_services", status_group="4xx")
    assert change.of("responses", status_group="4xx") == 1
    assert change.of("latency_count", component="") == 1


@pytest.mark.statement("10.5", "where the listener cannot be opened the router says so on stderr and ends with 1")
def test_a_port_in_use(metered, tmp_path):
    file = tmp_path / "gorouter.yml"
    file.write_text(f"prometheus: {{enabled: true, port: {metered.port}}}\n")
    command = [program(), "gorouter", "-c", file]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    assert ended.stderr[20:].startswith(f"Unable to setup metrics endpoint (127.0.0.1:{metered.port}): ")
