"""What happens to responses: http_rewrite, lengths, trailers, broken ends; sticky sessions and the trace key."""

import re
import socket
import threading

import pytest

from ..waiting import eventually

REWRITE = {
    "responses": {
        "remove_headers": [{"name": "x-powered-by"}, {"name": "X-Cf-RouterError"}],
        "add_headers_if_not_present": [
            {"name": "strict-transport-security", "value": "max-age=1"},
            {"name": "X-Two", "value": "a"},
            {"name": "X-Two", "value": "b"},
            {"name": "Content-Length", "value": "999"},
            {"name": "not a name", "value": "x"},
        ],
    }
}
SESSION = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nSet-Cookie: JSESSIONID=x"


def all_of(answer, name: str) -> list[str]:
    return [value for key, value in answer.headers if key == name]


@pytest.fixture(scope="module")
def rewriting(module_routers):
    router = module_routers.start(
        http_rewrite=REWRITE, sticky_sessions_for_auth_negotiate=True, secure_cookies=True, trace_key="open sesame",
        logging={"level": "debug", "extra_access_log_fields": ["failed_attempts"]},
    )  # fmt: skip
    return router, module_routers


@pytest.mark.statement("E", "20: http_rewrite removes and adds on 404 as well")
@pytest.mark.statement(
    "4.8", "http_rewrite removes, then adds what is absent, all lines of a name; for every response, errors and health too"
)
def test_rewriting(rewriting):
    router, made = rewriting
    router.register(
        "rewrite.test", made.backend(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Powered-By: me\r\nX-Two: mine\r\n\r\nok")
    )
    answer = router.get("rewrite.test")
    assert (answer["X-Powered-By"], all_of(answer, "X-Two"), answer.body) == (None, ["mine"], b"ok")
    for answer in (router.get("nowhere.test"), router.get("x", "/", "User-Agent: HTTP-Monitor/1.1")):
        assert answer["Strict-Transport-Security"] == "max-age=1"
        assert all_of(answer, "X-Two") == ["a", "b"]
        assert answer["X-Cf-Routererror"] is None
        assert len(all_of(answer, "Content-Length")) == 1
    assert answer.status == 200
    assert next(line for line in router.access_lines(2) if "nowhere.test" in line).endswith('x_cf_routererror:"-"')


@pytest.mark.statement("4.8", "a 101 is not rewritten")
def test_upgrades_are_not_rewritten(rewriting):
    router, made = rewriting
    router.register("rewritten-ws.test", made.backend(switching(b"websocket")))
    with router.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: rewritten-ws.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        answer = client.recv(65536)
    assert answer.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert b"X-Two" not in answer


def switching(protocol: bytes):
    """A backend that goes over to that protocol, whatever it was asked for."""

    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: %b\r\nConnection: Upgrade\r\n\r\n" % protocol)
        connection.recv(65536)

    return serve


@pytest.mark.statement(
    "4.8", "a 101 that nobody asked for, or to another protocol: 502 without a body and without a router error"
)
@pytest.mark.parametrize("headers", [(), ("Connection: Upgrade, close", "Upgrade: chat")])
def test_upgrades_that_do_not_match(shared_router, backend, headers):
    shared_router.register("odd-ws.test", app := backend(switching(b"websocket")))
    answer = shared_router.fetch(
        "\r\n".join(["GET / HTTP/1.1", "Host: odd-ws.test", *(headers or ["Connection: close"])]).encode() + b"\r\n\r\n"
    )
    assert (answer.status, answer.body, answer["X-Cf-Routererror"]) == (502, b"", None)
    assert 'http: proxy error: backend tried to switch protocol "websocket"' in shared_router.output.read_text()
    shared_router.unregister("odd-ws.test", app)


@pytest.mark.statement(
    "4.10", "with the trace key, the response says which router and which backend it came from; not with another"
)
def test_trace_key(rewriting):
    router, made = rewriting
    router.register("trace.test", app := made.backend())
    answer = router.get("trace.test", "/", "X-Vcap-Trace: open sesame")
    assert answer["X-Vcap-Backend"] == answer["X-Cf-Routeendpoint"] == f"127.0.0.1:{app.port}"
    assert answer["X-Vcap-Router"]
    assert router.get("trace.test", "/", "X-Vcap-Trace: x")["X-Vcap-Router"] is None


@pytest.mark.statement("4.11", "a response that begins to negotiate ties the client to the instance for 60 seconds")
@pytest.mark.statement("4.11", "a client that negotiates and is tied goes to that instance or nowhere")
def test_negotiation(rewriting):
    router, made = rewriting
    challenge = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nWWW-Authenticate: NEGOTIATE\r\n\r\n"
    apps = [made.backend(challenge), made.backend(challenge)]
    for index, app in enumerate(apps):
        router.register("auth.test", app, private_instance_id=f"i{index}")
    answer = router.get("auth.test")
    assert re.fullmatch("__VCAP_ID__=i[01]; Path=/; Max-Age=60; HttpOnly; Secure; SameSite=Strict", answer["Set-Cookie"])
    for app in apps:
        app.seen.clear()
    for _ in range(4):
        answer = router.get("auth.test", "/", "Authorization: negotiate YII=", "Cookie: __VCAP_ID__=i1")
        assert answer["Set-Cookie"] is None
    assert [len(app.seen) for app in apps] == [0, 4]
    answer = router.get("auth.test", "/", "Authorization: Negotiate YII=", "Cookie: __VCAP_ID__=gone")
    assert answer.status == 502
    assert router.log("select-endpoint-failed")[-1] == {"host": "auth.test", "error": "No endpoints available"}
    assert router.get("auth.test", "/", "Authorization: Basic x", "Cookie: __VCAP_ID__=gone").status == 401


@pytest.mark.statement(
    "4.11", "a session cookie in the response ties the client: attributes are copied, of Max-Age only that it deletes"
)
@pytest.mark.statement("4.11", "an app that sets __VCAP_ID__ itself is left alone")
@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (b"; Max-Age=5; SameSite=Lax", ["__VCAP_ID__=iid; Path=/Ctx; HttpOnly; SameSite=Lax"]),
        (b"; Max-Age=0", ["__VCAP_ID__=iid; Path=/Ctx; Max-Age=0; HttpOnly"]),
        (b"; Expires=Wed, 21-Oct-2026 07:28:00 GMT; Secure; Partitioned",
         ["__VCAP_ID__=iid; Path=/Ctx; Expires=Wed, 21 Oct 2026 07:28:00 GMT; HttpOnly; Secure; Partitioned"]),
        (b"\r\nSet-Cookie: JSESSIONID=y; Secure", ["JSESSIONID=y; Secure", "__VCAP_ID__=iid; Path=/Ctx; HttpOnly"]),
        (b"\r\nSet-Cookie: __VCAP_ID__=own", ["__VCAP_ID__=own"]),
    ],
)  # fmt: skip
def test_sticky_cookies(shared_router, backend, more, expected):
    app = backend(SESSION + more + b"\r\n\r\n")
    shared_router.register("sticky.test/Ctx", app, private_instance_id="iid")
    assert all_of(shared_router.get("sticky.test", "/ctx"), "Set-Cookie")[1:] == expected
    shared_router.unregister("sticky.test/Ctx", app)


@pytest.mark.statement("4.11", "an endpoint without an instance id sets no cookie")
def test_no_instance_id_no_cookie(shared_router, backend):
    shared_router.register("no-id.test", backend(SESSION + b"\r\n\r\n"))
    assert len(all_of(shared_router.get("no-id.test"), "Set-Cookie")) == 1


@pytest.mark.statement("B", "__VCAP_ID_META__ keeps the attributes of a session for when it has to move")
def test_the_second_cookie(start, backend):
    router = start(cfroute={"start_delay": "0s", "vcap_id_meta": True})
    router.register("meta.test", backend(SESSION + b"; Secure; SameSite=None\r\n\r\n"), private_instance_id="iid")
    router.register("quiet-meta.test", backend(), private_instance_id="iid")
    cookies = all_of(router.get("meta.test"), "Set-Cookie")[1:]
    tail = "; Path=/; HttpOnly; Secure; SameSite=None"
    assert cookies == [f"__VCAP_ID__=iid{tail}", f"__VCAP_ID_META__=secure&samesite=none{tail}"]
    sent = "Cookie: __Host-JSESSIONID=x; __VCAP_ID__=gone; __VCAP_ID_META__=secure&samesite=none"
    assert all_of(router.get("quiet-meta.test", "/", sent), "Set-Cookie") == [f"__VCAP_ID__=iid{tail}"]


@pytest.mark.statement("4.2", "the reason in the status line is Go's, whatever the backend said")
@pytest.mark.statement("F", "reasons that differ from other libraries', and `status code NNN` for what Go does not know")
@pytest.mark.parametrize(
    ("code", "reason"),
    [(203, "Non-Authoritative Information"), (413, "Request Entity Too Large"), (414, "Request URI Too Long"),
     (418, "I'm a teapot"),
     (416, "Requested Range Not Satisfiable"), (422, "Unprocessable Entity"), (425, "Too Early"), (499, "status code 499"),
     (526, "status code 526"), (599, "status code 599")],
)  # fmt: skip
def test_reasons(shared_router, backend, code, reason):
    app = backend(b"HTTP/1.1 %d Whatever\r\nContent-Length: 0\r\n\r\n" % code)
    shared_router.register("reason.test", app)
    answer = shared_router.get("reason.test")
    assert answer.raw.startswith(f"HTTP/1.1 {code} {reason}\r\n".encode())
    shared_router.unregister("reason.test", app)


@pytest.mark.statement("4.2", "headers go to the client sorted, then those of the server")
@pytest.mark.statement("4.8", "what Connection names and the hop-by-hop set are removed, X-CF-Proxy-Signature always")
@pytest.mark.statement("4.8", "a response without a Content-Type stays without one")
def test_response_headers(shared_router, backend):
    head = (
        b"HTTP/1.1 200 OK\r\nz-last: 1\r\nConnection: keep-alive, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: 5\r\n"
        b"Proxy-Authenticate: x\r\nX-CF-Proxy-Signature: s\r\na: 1\r\na: 2\r\nContent-Length: 2\r\n\r\nok"
    )
    shared_router.register("response-headers.test", backend(head))
    names = [name for name, _ in shared_router.get("response-headers.test").headers]
    assert names == ["A", "A", "Content-Length", "X-Vcap-Request-Id", "Z-Last", "Date", "Connection"]


@pytest.mark.statement("4.8", "an unknown length is chunked to HTTP/1.1 and ends with the connection to HTTP/1.0")
@pytest.mark.statement("4.2", "HTTP/1.0 clients get HTTP/1.0, and keep-alive only if they asked and the length is known")
def test_lengths_and_versions(shared_router, backend):
    def until_close(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nbody")

    shared_router.register("unknown.test", backend(until_close))
    shared_router.register("known.test", backend())
    assert shared_router.get("unknown.test").raw.endswith(b"Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n")
    answer = shared_router.fetch(b"GET / HTTP/1.0\r\nHost: unknown.test\r\nConnection: keep-alive\r\n\r\n")
    assert answer.raw.startswith(b"HTTP/1.0 200 OK\r\n")
    assert answer.raw.endswith(b"\r\n\r\nbody")
    assert answer["Connection"] != "keep-alive"
    assert shared_router.fetch(b"GET / HTTP/1.0\r\nHost: known.test\r\n\r\n")["Connection"] == "close"
    with shared_router.connect() as client:
        for _ in range(2):
            client.sendall(b"GET / HTTP/1.0\r\nHost: known.test\r\nConnection: keep-alive\r\n\r\n")
            kept = client.recv(65536)
            assert kept.startswith(b"HTTP/1.0 200 OK\r\n")
            assert b"\r\nConnection: keep-alive\r\n" in kept


@pytest.mark.statement("4.8", "304 drops Content-Length; HEAD has the backend's headers and no body")
def test_responses_without_bodies(shared_router, backend):
    shared_router.register("304.test", backend(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nEtag: x\r\n\r\n"))
    answer = shared_router.get("304.test")
    assert (answer.status, answer["Content-Length"], answer["Etag"]) == (304, None, "x")
    shared_router.register("head.test", backend(b"HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n"))
    answer = shared_router.get("head.test", method="HEAD")
    assert (answer["Content-Length"], answer.body) == ("77", b"")


@pytest.mark.statement("4.8", "1xx responses are passed on as they come")
def test_informational(shared_router, backend):
    final = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    shared_router.register(
        "1xx.test", backend(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nX-Step: 1\r\n\r\n" + final)
    )
    raw = shared_router.get("1xx.test").raw
    assert raw.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nX-Step: 1\r\n\r\nHTTP/1.1 200 OK\r\n")


@pytest.mark.statement("4.8", "trailers of a response are passed on, announced or not")
@pytest.mark.parametrize("announced", [b"", b"Trailer: X-T\r\n"])
def test_trailers(shared_router, backend, announced):
    app = backend(b"HTTP/1.1 200 OK\r\n" + announced + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: end\r\n\r\n")
    shared_router.register("trailer.test", app)
    answer = shared_router.get("trailer.test")
    assert answer.body == b"2\r\nok\r\n0\r\nX-T: end\r\n\r\n"
    assert answer["Trailer"] == ("X-T" if announced else None)
    shared_router.unregister("trailer.test", app)


@pytest.mark.statement(
    "4.8", "a backend that dies in mid-body: the client is cut off, stderr says so, and there is no access line"
)
def test_a_broken_end(start, backend):
    def dying(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")

    router = start()
    router.register("dying.test", backend(dying))
    router.register("fine.test", backend())
    assert router.get("dying.test").body == b"short"
    assert router.get("fine.test").status == 200
    assert [line.split()[0] for line in router.access_lines(1)] == ["fine.test"]
    assert re.search(r"(?m)^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d httputil: ReverseProxy read error during body copy: unexpected EOF$",
                     router.output.read_text())  # fmt: skip


@pytest.mark.statement("4.8", "a client that disappears in mid-body has no access line either")
def test_a_client_that_disappears(shared_router, backend):
    gone = threading.Event()

    def endless(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nbegun")
        assert connection.recv(1) == b""  # the router hangs up
        gone.set()

    shared_router.register("disappears.test", backend(endless))
    with shared_router.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: disappears.test\r\n\r\n")
        received = b""
        while not received.endswith(b"begun"):
            received += client.recv(65536)
    assert gone.wait(30)
    shared_router.get("after-disappears.test")
    lines = eventually(lambda: "after-disappears.test" in (text := shared_router.access_log.read_text()) and text, "its line")
    assert "\ndisappears.test" not in lines


@pytest.mark.statement("4.9", "events and bodies of unknown length are passed on as they come, piece by piece")
@pytest.mark.parametrize(
    "head", [b"Content-Type: text/event-stream\r\nContent-Length: 20", b"Transfer-Encoding: chunked", b"Connection: close"]
)
def test_streams(shared_router, backend, head):
    arrived = threading.Event()
    pieces = [b"data: one\n", b"data: two\n"]
    if b"chunked" in head:
        pieces = [b"a\r\n%b\r\n" % pieces[0], b"a\r\n%b\r\n0\r\n\r\n" % pieces[1]]

    def stream(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + pieces[0])
        assert arrived.wait(30)
        connection.sendall(pieces[1])

    shared_router.register("stream.test", app := backend(stream))
    with shared_router.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: stream.test\r\nConnection: close\r\n\r\n")
        received = b""
        while b"data: one\n" not in received:
            received += client.recv(65536)
        assert b"two" not in received
        arrived.set()
        while piece := client.recv(65536):
            received += piece
    assert b"data: two\n" in received
    shared_router.unregister("stream.test", app)
