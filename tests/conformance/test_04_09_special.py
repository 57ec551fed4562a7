"""Expect: 100-continue, half and full duplex, upgrades, HTTP/1.0, timeouts in mid-stream."""

import re
import socket
import threading
import time

import pytest

from .conftest import read_request

FINAL = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def expecting(host: str, *more: str) -> bytes:
    lines = ["POST / HTTP/1.1", f"Host: {host}", "Expect: 100-continue", "Content-Length: 4", *more]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def continuing(connection: socket.socket) -> None:
    """A backend that asks for the body, and then answers with the head that it got."""
    head = connection.recv(65536)
    connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(head + body), head + body))


def everything(client: socket.socket, wanted: int = 1) -> bytes:
    """What comes until there are that many final responses, and the last one's body."""
    data = b""
    while data.count(b"HTTP/1.1 200 OK") < wanted or not data.endswith((b"ok", b"body")):
        piece = client.recv(65536)
        if not piece:
            break
        data += piece
    return data


@pytest.mark.statement("4.9", "Expect: 100-continue: the backend's 100 is forwarded, once, and the body follows")
@pytest.mark.statement("4.9", "such a request closes its connection to the backend")
def test_expect(shared_router, backend):
    shared_router.register("expect.test", backend(continuing))
    with shared_router.connect() as client:
        client.sendall(expecting("expect.test"))
        assert client.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"body")
        answer = everything(client)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nExpect: 100-continue\r\n" in answer
    assert b"\r\nConnection: close\r\n\r\nbody" in answer


@pytest.mark.statement("4.9", "keep_alive_100_continue_requests keeps the connection to the backend")
def test_expect_and_keep(start, backend):
    router = start(keep_alive_100_continue_requests=True)
    router.register("expect.test", backend(continuing))
    with router.connect() as client:
        client.sendall(expecting("expect.test"))
        client.recv(65536)
        client.sendall(b"body")
        assert b"Connection: close" not in everything(client)


@pytest.mark.statement("4.9", "a backend that says nothing for a second gets the body anyway")
@pytest.mark.statement("12", "A backend has 1 s to ask for the body of a request that expects 100; then it is sent anyway")
def test_expect_without_100(shared_router, backend):
    def silent(connection: socket.socket) -> None:
        assert read_request(connection).endswith(b"body")
        connection.sendall(FINAL)

    shared_router.register("silent.test", backend(silent))
    with shared_router.connect() as client:
        began = time.monotonic()
        client.sendall(expecting("silent.test"))
        assert client.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert time.monotonic() - began >= 1
        client.sendall(b"body")
        assert everything(client).endswith(b"ok")


@pytest.mark.statement("4.9", "a final answer in place of 100 is passed on, and the client's connection closed")
def test_expect_refused(shared_router, backend):
    def refusing(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")

    shared_router.register("refusing.test", backend(refusing))
    answer = shared_router.fetch(expecting("refusing.test"))
    assert (answer.status, answer["Connection"]) == (413, "close")


def early(answered: threading.Event):
    """A backend that answers before it has read the body."""

    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(FINAL)
        answered.set()
        while connection.recv(65536):
            pass

    return serve


@pytest.mark.statement("4.8", "half duplex: the response's head reaches the client only after the request's body has been read")
def test_half_duplex(shared_router, backend):
    answered = threading.Event()
    shared_router.register("half-duplex.test", backend(early(answered)))
    with shared_router.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: half-duplex.test\r\nContent-Length: 4\r\n\r\nbo")
        assert answered.wait(30)
        client.settimeout(0.1)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(30)
        client.sendall(b"dy")
        answer = everything(client)
        assert b"Connection: close" not in answer
        client.sendall(b"GET / HTTP/1.1\r\nHost: nowhere.test\r\nConnection: close\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 404 ")


@pytest.mark.statement("4.8", "half duplex: too large a rest is not waited for, and ends the connection")
def test_half_duplex_with_a_large_body(shared_router, backend):
    answered = threading.Event()
    shared_router.register("large.test", backend(early(answered)))
    chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    with shared_router.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: large.test\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk)
        assert answered.wait(30)
        client.sendall(chunk * 9)
        answer = everything(client)
    assert b"\r\nConnection: close\r\n" in answer
    assert answer.endswith(b"ok")


@pytest.mark.statement("4.9", "full duplex: the response comes while the body is still being sent")
def test_full_duplex(start, backend):
    router = start(enable_http1_concurrent_read_write=True)
    router.register("full-duplex.test", backend(early(threading.Event())))
    with router.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: full-duplex.test\r\nContent-Length: 4\r\n\r\nbo")
        assert everything(client).endswith(b"ok")
    assert router.log("setting-without-effect") == []


@pytest.mark.statement(
    "4.9", "upgrades: any case, response headers with a sticky cookie pass; the access line is written at the end"
)
def test_websockets(start, backend):
    def echo(connection: socket.socket) -> None:
        request = connection.recv(65536)
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: upgrade\r\nSet-Cookie: JSESSIONID=1\r\n\r\n"
            + request
        )
        while data := connection.recv(65536):
            connection.sendall(data)

    router = start()
    router.register("special-ws.test", backend(echo), private_instance_id="iid")
    with router.connect() as client:
        head = b"GET /ws HTTP/1.1\r\nHost: special-ws.test\r\nConnection: keep-alive, UPGRADE\r\nUpgrade: WEBSOCKET\r\n\r\n"
        client.sendall(head + b"early")
        data = b""
        while not data.endswith(b"early"):
            data += client.recv(65536)
        assert b"\r\nSet-Cookie: __VCAP_ID__=iid; Path=/; HttpOnly\r\n" in data
        assert b"\r\nConnection: Upgrade\r\n" in data.partition(b"\r\n\r\n")[2]
        assert router.access_log.read_text() == ""
    assert " 101 0 0 " in router.access_lines(1)[0]


@pytest.mark.statement("4.9", "an upgrade that the backend answers with another status is passed on as that")
def test_upgrades_that_are_declined(shared_router, backend):
    shared_router.register("declined.test", backend(b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno"))
    answer = shared_router.fetch(
        b"GET / HTTP/1.1\r\nHost: declined.test\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n"
    )
    assert (answer.status, answer.body) == (426, b"no")


@pytest.mark.statement(
    "4.9", "endpoint_timeout covers the bodies, too: the client is cut off, and backend-request-timeout is logged"
)
@pytest.mark.statement("12", "endpoint_timeout before the headers: 502 context deadline exceeded, and the same line")
@pytest.mark.statement("12", "A response that takes longer than endpoint_timeout is cut")
def test_timeouts(start, backend):
    released = threading.Event()

    def stalling(connection: socket.socket) -> None:
        if b"GET /begin" in connection.recv(65536):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun")
        released.wait(30)

    router = start(endpoint_timeout="1s")
    router.register("stall.test", app := backend(stalling))
    assert router.get("stall.test", "/begin").body == b"begun"
    answer = router.get("stall.test", "/never")
    released.set()
    assert (answer.status, answer["X-Cf-Routererror"]) == (502, "endpoint_failure (context deadline exceeded)")
    lines = router.log("backend-request-timeout")
    assert [line["error"] for line in lines] == ["context deadline exceeded"] * 2
    assert all(line["vcap_request_id"] and line["route-endpoint"]["Addr"] == f"127.0.0.1:{app.port}" for line in lines)
    assert len(router.access_lines(1)) == 1


@pytest.mark.statement("5.5", "stderr tells of each request that failed, with Go's words")
@pytest.mark.statement("5.5", "a failed attempt tells endpoint, request, connection and times, -1 where nothing was measured")
def test_what_is_logged_of_failures(start, backend):
    gone = backend()
    gone.close()
    router = start(backends={"max_attempts": 2})
    router.register("gone-app.test", gone, app="app-1", tags={"a": "b"}, availability_zone="z1")
    router.get("gone-app.test")
    error = f"dial tcp 127.0.0.1:{gone.port}: connect: connection refused"
    line = router.log("backend-endpoint-failed")[0]
    endpoint = line.pop("route-endpoint")
    assert (endpoint["ApplicationId"], endpoint["Addr"], endpoint["AZ"]) == ("app-1", f"127.0.0.1:{gone.port}", "z1")
    assert (endpoint["Tags"]["a"], endpoint["RouteServiceUrl"]) == ("b", "")
    assert re.fullmatch("[0-9a-f-]{36}", line.pop("vcap_request_id"))
    assert line.pop("dial-time") >= 0
    assert line == {
        "attempt": 1, "num-endpoints": 1, "got-connection": False, "wrote-headers": False, "conn-reused": False,
        "dns-lookup-time": -1, "tls-handshake-time": -1, "local-address": "", "error": f"incomplete request ({error})",
        "retriable": True,
    }  # fmt: skip
    assert re.search(rf"(?m)^\d{{4}}/\d\d/\d\d \d\d:\d\d:\d\d http: proxy error: {re.escape(error)}$", router.output.read_text())
    assert router.log("endpoint-marked-as-ineligible")


@pytest.mark.statement(
    "5.4", "a request with a body is not repeated once a backend may have seen it, one without is if it may be"
)
@pytest.mark.statement("5.5", "what made a failure retriable is told with the error")
@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [("GET", (), 200), ("OPTIONS", (), 200), ("DELETE", (), 502), ("DELETE", ("Idempotency-Key: 1",), 200),
     ("POST", ("X-Idempotency-Key: 1",), 200)],
)  # fmt: skip
def test_repeatable_requests(shared_router, backend, method, headers, status):
    def closing(connection: socket.socket) -> None:
        connection.recv(65536)

    host = f"{method}{len(headers)}.repeat.test".lower()
    shared_router.register(host, closer := backend(closing))
    shared_router.register(host, backend())
    answers = {shared_router.get(host, "/", *headers, method=method).status for _ in range(2)}
    assert answers == {200, status}
    told = [
        line
        for line in shared_router.log("backend-endpoint-failed")
        if line["route-endpoint"]["Addr"].endswith(f":{closer.port}")
    ]
    assert told[0]["error"] == ("EOF (via idempotent request)" if status == 200 else "EOF")
