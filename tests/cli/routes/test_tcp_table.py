"""TCP routes in `table`: rows from the TCP routers' answers, and the names that the Cloud Controller knows."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from cfroute.cli.routes.routers import NAMES_EVERY, Routers
from cfroute.cli.routes.routing_table import Row, cells, headers
from cfroute.cli.routes.tcp_table import Known, Owner, rows
from cfroute.errors import NotRunning
from cfroute.home import Home
from cfroute.testing import ManualClock

BACKEND = {
    "host": "127.64.3.60", "port": 61001, "tls_port": 61002, "instance_id": "i-1", "age": 3.2, "ttl": 120, "expires_in": 116.8,
    "connections": 2, "total": 9, "errors": 1, "bytes_in": 100, "bytes_out": 200,
}  # fmt: skip
PLAIN = {**BACKEND, "port": 61003, "tls_port": 0, "instance_id": "", "connections": 0}


def table(*backends: dict[str, Any], port: int = 1025, sni: str = "") -> dict[str, Any]:
    routes = [{"port": port, "sni": sni, "connections": 2, "total": 9, "backends": list(backends)}]
    return {"name": "tcp_router/0", "now": 1.0, "engine": "embedded", "synced": 1.2, "draining": False, "routes": routes}


KNOWN = Known({1025: "tcp.test:1025"}, {"i-1": Owner("g", "echo", "0"), "127.64.3.60:61003": Owner("g", "echo", "1")})


def test_an_answer_of_a_router_becomes_rows_with_what_is_known_of_the_instances() -> None:
    found = rows(table(BACKEND, PLAIN), KNOWN, "tcp.cf.localhost")
    assert [cells(row, with_router=True) for row in found] == [
        ("tcp.test:1025", "127.64.3.60:61001", "echo/0", "tcp tls", "3s", "1m56s", "", "2 open", "tcp_router/0"),
        ("tcp.test:1025", "127.64.3.60:61003", "echo/1", "tcp", "3s", "1m56s", "", "0 open", "tcp_router/0"),
    ]
    assert (found[0].requests, found[0].errors, found[0].bytes_in, found[0].bytes_out) == (9, 1, 100, 200)


def test_what_nobody_knows_is_shown_all_the_same() -> None:
    (row,) = rows(table(PLAIN, sni="sni.test"), Known(), "tcp.cf.localhost")
    assert cells(row, with_router=False)[:3] == ("tcp.cf.localhost:1025 (SNI sni.test)", "127.64.3.60:61003", "-")


def test_an_instance_that_has_a_guid_is_not_taken_for_another_at_its_address() -> None:
    known = Known({}, {"127.64.3.60:61001": Owner("g", "echo", "0")})
    (row,) = rows(table(BACKEND), known, "tcp.cf.localhost")
    assert row.app == ""


def test_what_is_to_be_asked_for() -> None:
    assert KNOWN.unknown_ports([table(BACKEND, PLAIN)]) == set()
    assert KNOWN.unknown_ports([table(BACKEND), table(BACKEND, port=1026)]) == {1026}
    assert KNOWN.unknown_ports([table({**BACKEND, "instance_id": "i-2"})]) == {1025}


def test_the_heading_tells_what_the_last_column_is() -> None:
    tcp = rows(table(BACKEND), KNOWN, "tcp.cf.localhost")
    http = Row(**{**{name: getattr(tcp[0], name) for name in Row.__struct_fields__}, "protocol": "http1", "router": "gorouter/0"})
    assert headers(tcp)[-1] == "connections"
    assert headers([*tcp, http])[-1] == headers([])[-1] == "req/s"
    again = rows({**table(BACKEND), "name": "tcp_router/1"}, KNOWN, "tcp.cf.localhost")
    assert headers([*tcp, http, *again])[-1] == "router"


class Api:
    """The Cloud Controller's answers, and what was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.away = False

    def call(self, method: str, path: str, *, query: dict[str, Any], timeout: float) -> httpx.Response:
        self.asked.append(path)
        if self.away:
            raise NotRunning("cloud_controller does not answer")
        destination = {"app": {"guid": "g", "process": {"type": "web"}}}
        instance = {"index": 1, "instance_guid": "i-1", "host": "127.64.3.60", "instance_ports": [{"external": 61001}]}
        answers = {
            "/v3/routes": [{"port": 1025, "url": "tcp.test:1025", "destinations": [destination]}],
            "/v3/apps": [{"guid": "g", "name": "echo"}],
            "/v3/apps/g/processes/web/stats": [instance, {"index": 2, "state": "DOWN"}],
        }
        return httpx.Response(200, json={"resources": answers[path]})


@pytest.fixture
def router() -> Iterator[str]:
    """The URL of a TCP router's status listener."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(table(BACKEND)).encode()
            self.send_response(200 if self.path == "/cfroute/table" and "Authorization" not in self.headers else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_names_are_asked_for_once_and_a_silent_router_is_told(home: Home, router: str) -> None:
    home.create()
    api, clock = Api(), ManualClock()
    api.away = True
    info = {"gorouter_routes": [], "tcp_router_status": [router, "http://127.0.0.1:9"], "tcp_domain": "tcp.cf.localhost"}
    session: Any = SimpleNamespace(home=home, api=api, clock=clock, foundation=SimpleNamespace(info=lambda: info))
    routers = Routers(session, http=False)
    (row,) = routers.look(None).rows
    assert (row.route, row.app_name, row.router) == ("tcp.cf.localhost:1025", "", "tcp_router/0")
    api.away = False
    assert routers.look(None).rows[0].app_name == ""  # not so soon again
    clock.advance(NAMES_EVERY)
    look = routers.look("tcp.test")
    assert [(row.route, row.app_name, row.index) for row in look.rows] == [("tcp.test:1025", "echo", "1")]
    assert look.silent == ["tcp_router/1"]
    before = list(api.asked)
    clock.advance(NAMES_EVERY)
    assert routers.look(None).rows == look.rows
    assert api.asked == before
    info["tcp_router_status"] = []
    assert Routers(session, http=False).look(None) == ([], [])
