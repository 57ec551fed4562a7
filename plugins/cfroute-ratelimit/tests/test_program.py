"""The route service and its broker as they run."""

import json
import socket
from typing import Any

import pytest

from cfroute_ratelimit.offer import DEFAULT, SERVICE, SLOW

PLAN = {"service_id": SERVICE, "plan_id": DEFAULT}
INSTANCE = PLAN | {"organization_guid": "o", "space_guid": "s"}
BINDING = PLAN | {"bind_resource": {"route": "app.cf.localhost"}, "parameters": {"limit": 2}}
PATH = "service_instances/i/service_bindings/b"


def run(start: Any, *arguments: str, **environment: str) -> Any:
    return start("cfroute_ratelimit", "--port", "0", "--url", "https://limits.cf.localhost", *arguments, **environment)


def bind(program: Any) -> tuple[int, Any]:
    program.broker("PUT", "service_instances/i", INSTANCE)
    return program.broker("PUT", PATH, BINDING)


def test_a_binding_gets_its_own_limit(start: Any, app: Any) -> None:
    port, seen = app
    program = run(start)
    status, body = bind(program)
    assert (status, body) == (201, {"route_service_url": "https://limits.cf.localhost/limits/2/peer/b"})
    headers = {"X-CF-Forwarded-Url": f"http://127.0.0.1:{port}/path?q=1", "X-CF-Proxy-Signature": "s", "X-CF-Proxy-Metadata": "m"}
    answers = [program.ask("POST", "/limits/2/peer/b", headers, b"question") for _ in range(3)]
    assert [answer.status for answer in answers] == [201, 201, 429]
    assert answers[0].body == b"from the app"
    assert answers[0].headers["X-App"] == "yes"
    assert (answers[2].body, answers[2].headers["Content-Length"]) == (b"Too many requests", "17")
    assert "Retry-After" not in answers[2].headers
    method, path, got, body = seen[0]
    assert (method, path, body) == ("POST", "/path?q=1", b"question")
    assert {name: got[name] for name in headers} == headers
    assert got["Host"] == f"127.0.0.1:{port}"
    assert got["X-Forwarded-For"] == "127.0.0.1"
    [stats] = json.loads(program.ask("GET", "/stats").body)
    assert stats == {"ip": "127.0.0.1", "available": stats["available"]}
    said = program.end()
    assert said[0].endswith(" limit per sec [10]")
    assert sum(line.endswith(" request from [127.0.0.1]") for line in said) == 3
    assert "rate limit exceeded for 127.0.0.1" in said


def test_without_a_binding_the_rate_is_that_of_the_environment(start: Any, app: Any) -> None:
    """So it can be a user-provided service, too; a client is who the header begins with, if that is wanted."""
    program = run(start, "--by", "forwarded-for", RATE_LIMIT="1")
    url = {"X-CF-Forwarded-Url": f"http://app.localhost:{app[0]}/chunked"}
    asked = [program.ask("GET", "/", url | {"X-Forwarded-For": f"{who}, 10.0.0.9"}) for who in ("9.9.9.9", "8.8.8.8", "9.9.9.9")]
    assert [answer.status for answer in asked] == [201, 201, 429]
    assert asked[0].body == b"from the app"
    assert app[1][0][2]["Host"] == f"app.localhost:{app[0]}"


@pytest.mark.parametrize("text", ["0", "1001", "ten", ""])
def test_a_rate_that_makes_no_sense_is_ten(start: Any, text: str) -> None:
    assert run(start, RATE_LIMIT=text).said[0].endswith("limit per sec [10]")


@pytest.mark.parametrize("url", ["", "ftp://x/", "https://", "http://[::1", "http://127.0.0.1:1/", "http://127.0.0.1:1/\t"])
def test_what_leads_nowhere_is_a_502(start: Any, url: str) -> None:
    assert run(start).ask("GET", "/", {"X-CF-Forwarded-Url": url}).status == 502


def test_a_connection_that_is_upgraded_is_a_pipe(start: Any, app: Any) -> None:
    program = run(start)
    with socket.create_connection(("127.0.0.1", program.ports[0]), 5) as connection:
        url = f"http://127.0.0.1:{app[0]}/"
        head = f"GET / HTTP/1.1\r\nHost: x\r\nX-CF-Forwarded-Url: {url}\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n"
        connection.sendall(head.encode())
        stream = connection.makefile("rb")
        assert b"".join(iter(stream.readline, b"\r\n")).startswith(b"HTTP/1.1 101 ")
        connection.sendall(b"hello")
        assert stream.read() == b"you said hello"


def test_other_requests_are_none_of_its_business(start: Any) -> None:
    program = run(start)
    assert program.ask("GET", "/").status == 404
    assert program.ask("GET", "/v2/catalog").status == 401


@pytest.mark.parametrize(
    ("way", "status", "begins"),
    [
        ("http-url", 201, b'{"route_service_url": "http://'),
        ("500", 500, b'{"description'),
        ("malformed", 201, b'{"route_service_url'),
        ("async", 202, b"{"),
    ],
)
def test_it_fails_when_it_is_told_to(start: Any, way: str, status: int, begins: bytes) -> None:
    program = run(start, "--fail", way)
    program.broker("PUT", "service_instances/i", INSTANCE)
    headers = {"Authorization": "Basic YWRtaW46c2VjcmV0", "X-Broker-API-Version": "2.13"}
    got = program.ask("PUT", f"/v2/{PATH}", headers, json.dumps(BINDING))
    assert got.status == status
    assert got.body.startswith(begins)
    if way == "malformed":
        with pytest.raises(ValueError, match="delimiter"):
            json.loads(got.body)


def test_a_slow_instance_is_there_after_a_while(start: Any) -> None:
    program = run(start, BROKER_DELAY="0.05")
    assert program.broker("PUT", "service_instances/i?accepts_incomplete=true", INSTANCE | {"plan_id": SLOW})[0] == 202
    while program.broker("GET", "service_instances/i/last_operation")[1]["state"] == "in progress":
        continue
    assert program.broker("PUT", "service_instances/i?accepts_incomplete=true", INSTANCE | {"plan_id": SLOW}) == (200, {})


def test_it_can_be_started_again(start: Any, tmp_path: Any) -> None:
    state = str(tmp_path / "state.json")
    first = run(start, "--state", state)
    before = bind(first)
    first.end()
    again = run(start, "--state", state)
    assert bind(again) == (200, before[1])
