"""The proxy and its broker as they run."""

import json
import socket
from pathlib import Path
from typing import Any

from cfroute_static_proxy.offer import PLAN, SERVICE

IDS = {"service_id": SERVICE, "plan_id": PLAN}
INSTANCE = IDS | {"organization_guid": "o", "space_guid": "s"}
BINDING = "service_instances/i/service_bindings/b"


def run(start: Any, port: int, *more: str) -> Any:
    upstream = f"http://127.0.0.1:{port}"
    return start("cfroute_static_proxy", "--port", "0", "--broker-port", "0", "--upstream", upstream, *more, servers=2)


def bind(program: Any, route: str, **parameters: Any) -> tuple[int, Any]:
    program.broker("PUT", "service_instances/i", INSTANCE, server=1)
    return program.broker("PUT", BINDING, IDS | {"bind_resource": {"route": route}, "parameters": parameters}, server=1)


def test_a_binding_changes_what_is_under_its_route_and_unbinding_restores_it(start: Any, app: Any) -> None:
    port, seen = app
    program = run(start, port)
    host = {"Host": "app.cf.localhost"}
    assert "X-Static-Proxy" not in program.ask("GET", "/p", host).headers
    assert bind(program, "app.cf.localhost/p", deny=["/p/admin"], headers={"X-Tenant": "one"}) == (201, {})

    inside, outside, denied = (program.ask("GET", path, host | {"X-Tenant": "me"}) for path in ("/p/q?r", "/other", "/p/admin/x"))
    assert (inside.status, outside.status, denied.status) == (201, 201, 403)
    assert inside.headers["X-Static-Proxy"] == denied.headers["X-Static-Proxy"] == "app.cf.localhost/p"
    assert "X-Static-Proxy" not in outside.headers
    assert [(path, headers["Host"], headers["X-Tenant"]) for _, path, headers, _ in seen[1:]] == [
        ("/p/q?r", "app.cf.localhost", "one"),
        ("/other", "app.cf.localhost", "me"),
    ]
    assert not any(name.lower().startswith("x-cf-") for name in seen[1][2])
    routes = json.loads(program.ask("GET", "/routes", server=1).body)
    assert routes == [{"route": "app.cf.localhost/p", "deny": ["/p/admin"], "headers": {"X-Tenant": "one"}}]

    assert program.broker("DELETE", f"{BINDING}?service_id={SERVICE}&plan_id={PLAN}", server=1) == (200, {})
    assert program.ask("GET", "/p/admin/x", host).status == 201
    program.end()


def test_bodies_and_upgrades_pass(start: Any, app: Any) -> None:
    program = run(start, app[0])
    sent = program.ask("POST", "/chunked", {"Host": "x", "Transfer-Encoding": "chunked"}, iter([b"a" * 100_000, b"b"]))
    assert (sent.status, sent.body) == (201, b"from the app")
    assert app[1][0][3] == b"a" * 100_000 + b"b"
    with socket.create_connection(("127.0.0.1", program.ports[0]), 5) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n")
        stream = connection.makefile("rb")
        assert b"".join(iter(stream.readline, b"\r\n")).startswith(b"HTTP/1.1 101 ")
        connection.sendall(b"hello")
        assert stream.read() == b"you said hello"


def exchange(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return connection.makefile("rb").read()


def test_two_ways_to_tell_a_length_are_not_both_passed_on(start: Any, app: Any) -> None:
    program = run(start, app[0])
    head = b"POST /p HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert exchange(program.ports[0], head + b"5\r\nhello\r\n0\r\n\r\n").startswith(b"HTTP/1.1 201 ")
    [(_, _, headers, body)] = app[1]
    assert body == b"hello"
    assert "Content-Length" not in headers


def test_old_clients_and_odd_paths(start: Any, app: Any) -> None:
    program = run(start, app[0])
    old = exchange(program.ports[0], b"GET /chunked HTTP/1.0\r\nHost: x\r\n\r\n")
    assert old.partition(b"\r\n\r\n")[2] == b"from the app"
    assert b"201" in exchange(program.ports[0], "GET /ü%20?ß HTTP/1.0\r\nHost: x\r\n\r\n".encode())
    assert app[1][-1][1] == "/%C3%BC%20?%C3%9F"


def test_policies_hold_after_a_new_start(start: Any, app: Any, tmp_path: Path) -> None:
    state = str(tmp_path / "state.json")
    first = run(start, app[0], "--state", state)
    bind(first, "app.cf.localhost")
    first.end()
    again = run(start, app[0], "--state", state)
    assert again.ask("GET", "/", {"Host": "app.cf.localhost"}).headers["X-Static-Proxy"] == "app.cf.localhost"


def test_a_load_balancer_that_is_away_is_a_502(start: Any) -> None:
    program = run(start, 1)
    assert program.ask("GET", "/", {"Host": "x"}).status == 502
