"""What Go's server answers before there is a request, what it forgives, and what the pipeline does first (4.3, 4.4, 4.6)."""

import re
import socket
import time

import pytest

from .conftest import Response

TEXT = b"Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"


def refusal(line: str, body: str | None = None) -> bytes:
    return f"HTTP/1.1 {line}\r\n".encode() + TEXT + (line if body is None else body).encode()


def seen_lines(app) -> list[str]:
    return app.seen[-1].partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")


@pytest.mark.statement("4.3", "requests that are refused: text as in the status line, Connection: close, and no Date")
@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "400 Bad Request: missing required Host header"),
        (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400 Bad Request: malformed Host header"),
        (b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400 Bad Request: malformed Host header"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "400 Bad Request"),
        (b"G(T / HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad Request"),
        (b"GET x HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad Request"),
        (b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad Request"),
        (b"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad Request"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x01\r\n\r\n", "400 Bad Request"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "400 Bad Request"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", "400 Bad Request"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", "400 Bad Request"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", "400 Bad Request"),
        (b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad Request"),
        (b"GET /\r\n\r\n", "400 Bad Request"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX(: 1\r\n\r\n", "400 Bad Request: invalid header name"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n", "400 Bad Request: invalid header name"),
        (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", "505 HTTP Version Not Supported: unsupported protocol version"),
    ],
)
def test_refusals(shared_router, request_, answer):
    assert shared_router.fetch(request_).raw == refusal(answer)


@pytest.mark.statement("4.3", "another transfer coding than exactly one chunked: 501")
@pytest.mark.parametrize("coding", [b"gzip", b"gzip, chunked", b"chunked\r\nTransfer-Encoding: chunked"])
def test_other_codings(shared_router, coding):
    answer = shared_router.fetch(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: %b\r\n\r\n" % coding)
    assert answer.raw == refusal("501 Not Implemented", "Unsupported transfer encoding")


@pytest.mark.statement("4.3", "another expectation than 100-continue: 417 without a body")
def test_other_expectations(shared_router):
    answer = shared_router.fetch(b"GET / HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n\r\n")
    assert (answer.status, answer.body) == (417, b"")


@pytest.mark.statement("4.3", "OPTIONS * is answered by the server, and never reaches the router")
def test_options(shared_router):
    before = shared_router.access_log.read_text().count("OPTIONS")
    answer = shared_router.fetch(b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert (answer.status, answer["Content-Length"], answer.body) == (200, "0", b"")
    assert answer["Date"]
    assert shared_router.access_log.read_text().count("OPTIONS") == before


@pytest.mark.statement("4.3", "request line and headers over 1 MiB and 4 KiB: 431")
def test_a_head_that_is_too_large(shared_router):
    assert shared_router.get("nowhere.test", "/", "X: " + "x" * ((1 << 20) + 3000)).status == 404
    answer = shared_router.fetch(b"GET / HTTP/1.1\r\nHost: a\r\nX: %b\r\n\r\n" % (b"x" * ((1 << 20) + 5000)))
    assert answer.raw == refusal("431 Request Header Fields Too Large")


@pytest.mark.statement("4.3", "read_header_timeout: 400 in the middle of a head, the end of the connection before its first byte")
def test_slow_heads(start):
    router = start(read_header_timeout="1s")
    with router.connect() as silent, router.connect() as slow:
        slow.sendall(b"GET / HT")
        assert silent.recv(100) == b""
        assert slow.recv(1000) == refusal("400 Bad Request")


@pytest.mark.statement("4.3", "bare LF, folded lines, bytes beyond ASCII, equal lengths, any method: accepted")
@pytest.mark.statement("F", "header names in canonical form, values without the spaces around them")
def test_leniency(shared_router, backend):
    shared_router.register("lenient.test", app := backend())
    request = (
        b"fOO / HTTP/1.1\nHost: lenient.test\nx-folded: a\n  b\nx-BYTES_1: \xe9 \nx-b3-spanid:\t1\nContent-Length: 2\n"
        b"Content-Length: 2\nConnection: close\n\nhi"
    )
    assert shared_router.fetch(request).status == 200
    lines = seen_lines(app)
    assert lines[0] == "fOO / HTTP/1.1"
    assert {"X-Folded: a b", "X-Bytes_1: \xe9", "X-B3-Spanid: 1"} <= set(lines)
    assert sum(line == "Content-Length: 2" for line in lines) == 1


@pytest.mark.statement("4.3", "Transfer-Encoding on HTTP/1.0 is ignored")
def test_coding_of_http_1_0(shared_router, backend):
    shared_router.register("old-coding.test", app := backend())
    assert shared_router.fetch(b"GET / HTTP/1.0\r\nHost: old-coding.test\r\nTransfer-Encoding: chunked\r\n\r\n").status == 200
    assert "Transfer-Encoding: chunked" not in seen_lines(app)


@pytest.mark.statement("4.3", "CONNECT is proxied like any request, its target as it came")
def test_connect(shared_router, backend):
    shared_router.register("connect.test", app := backend())
    answer = shared_router.fetch(b"CONNECT connect.test:443 HTTP/1.1\r\nHost: connect.test:443\r\nConnection: close\r\n\r\n")
    assert answer.status == 200
    assert seen_lines(app)[0] == "CONNECT connect.test:443 HTTP/1.1"


@pytest.mark.statement("4.4", "HTTP/1.2 gets a bare 400, and - as its status in the access log")
@pytest.mark.statement("4.4", "PRI on the plain port ends as 400")
def test_versions(start):
    router = start(enable_http2=False)
    assert router.fetch(b"GET /x HTTP/1.2\r\nHost: a\r\n\r\n").raw == b"HTTP/1.0 400 Bad Request\r\n\r\n"
    assert '"GET /x HTTP/1.2" "-" ' in router.access_lines(1)[0]
    assert router.fetch(b"PRI * HTTP/2.0\r\n\r\n").raw == b"HTTP/1.0 400 Bad Request\r\n\r\n"


@pytest.mark.statement("4.4", "PRI on the plain port is empty_host where HTTP/2 is on")
def test_preface(shared_router):
    answer = shared_router.fetch(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert (answer.status, answer["X-Cf-Routererror"]) == (400, "empty_host")


@pytest.mark.statement(
    "4.4", "the health check's User-Agent is compared exactly; its answer may not be kept, and is in the access log"
)
def test_health_check(start):
    router = start(healthcheck_user_agent="Probe/1")
    answer = router.get("x", "/any", "User-Agent: Probe/1")
    assert (answer.status, answer.body) == (200, b"ok\n")
    assert (answer["Cache-Control"], answer["Expires"]) == ("private, max-age=0", "0")
    assert router.get("x", "/any", "User-Agent: probe/1").status == 404
    assert " 200 0 3 " in router.access_lines(1)[0]


@pytest.mark.statement("4.1", "a semicolon in the target is warned of, and shows in the access log, but not in the response")
@pytest.mark.statement("9.2", "deprecated-semicolon-params stands in x_cf_routererror, unless there is another")
def test_semicolons(start, backend):
    router = start()
    router.register("semicolon.test", backend())
    assert router.get("semicolon.test", "/a;b?c;d")["X-Cf-Routererror"] is None
    assert router.log("deprecated-semicolon-params")[0]["vcap-request-id"]
    router.get("nowhere.test", "/;")
    first, second = router.access_lines(2)
    assert first.endswith('x_cf_routererror:"deprecated-semicolon-params"')
    assert second.endswith('x_cf_routererror:"unknown_route"')


@pytest.mark.statement("4.6", "X-Forwarded-Proto named in Connection and not protected is removed after it was set")
@pytest.mark.statement("4.6", "the hop-by-hop set is dropped; Te comes back for trailers")
def test_hop_by_hop(shared_router, backend):
    shared_router.register("hop.test", app := backend())
    headers = [
        "Connection: X-Forwarded-Proto, Close",
        "Keep-Alive: 5",
        "Proxy-Connection: x",
        "Te: gzip, trailers",
        "Upgrade: h2c",
    ]
    shared_router.fetch("\r\n".join(["GET / HTTP/1.1", "Host: hop.test", *headers]).encode() + b"\r\n\r\n")
    lines = seen_lines(app)
    names = {line.partition(":")[0] for line in lines}
    assert not {"X-Forwarded-Proto", "Connection", "Keep-Alive", "Proxy-Connection", "Upgrade"} & names
    assert "Te: trailers" in lines


@pytest.mark.statement("4.6", "force_forwarded_proto_https writes https; X-Request-Start is set where the client sent none")
@pytest.mark.statement("4.6", "neither User-Agent nor Accept-Encoding is added, X-Forwarded-Host and each Cookie line pass")
def test_forwarding_headers(start, backend):
    router = start(force_forwarded_proto_https=True)
    router.register("forward.test", app := backend())
    router.get(
        "forward.test", "/", "X-Forwarded-Proto: http", "X-Request-Start: 7", "X-Forwarded-Host: h", "Cookie: a=1", "Cookie: b=2"
    )
    lines = seen_lines(app)
    assert {"X-Forwarded-Proto: https", "X-Request-Start: 7", "X-Forwarded-Host: h", "Cookie: a=1", "Cookie: b=2"} <= set(lines)
    assert not any(line.startswith(("User-Agent", "Accept-Encoding")) for line in lines)
    router.get("forward.test")
    started = next(line for line in seen_lines(app) if line.startswith("X-Request-Start: "))
    assert abs(int(started.split()[1]) / 1000 - time.time()) < 60


@pytest.mark.statement(
    "4.6", "Host, User-Agent, the length and Trailer come first, then all others sorted, Connection: close last"
)
@pytest.mark.statement("4.6", "bodies: POST, PUT and PATCH without one have Content-Length 0, GET, HEAD and DELETE none")
def test_the_wire_form(start, backend):
    router = start(disable_keep_alives=True)
    router.register("wire.test", app := backend())
    router.get(
        "WIRE.test:9",
        "/",
        "z: 1",
        "User-Agent: u",
        "Transfer-Encoding: chunked",
        "Trailer: B, a",
        "A: 1",
        method="PUT",
        body=b"0\r\n\r\n",
    )
    lines = seen_lines(app)
    assert lines[:5] == ["PUT / HTTP/1.1", "Host: WIRE.test:9", "User-Agent: u", "Transfer-Encoding: chunked", "Trailer: A,B"]
    assert lines[5:-1] == sorted(lines[5:-1])
    assert lines[-1] == "Connection: close"
    for method, length in (("POST", 1), ("PUT", 1), ("PATCH", 1), ("GET", 0), ("HEAD", 0), ("DELETE", 0)):
        router.get("wire.test", method=method)
        assert sum(line == "Content-Length: 0" for line in seen_lines(app)) == length


@pytest.mark.statement("4.6", "the target is passed on byte for byte, but for those that begin with two slashes")
@pytest.mark.statement(
    "F", "a lone question mark stays; segments and queries of //-targets are encoded anew, sorted by key, broken pairs dropped"
)
@pytest.mark.parametrize(
    ("target", "sent"),
    [
        ("/a%2fb/./../c", "/a%2fb/./../c"),
        ("/?", "/?"),
        ("/a#b", "/a#b"),
        ('/"<>^`{|}', '/"<>^`{|}'),
        ("http://target.test/p;x?y", "http://target.test/p;x?y"),
        ("//a b/é%41$&+=:@!'()*,;?b=2&a=%zz&a=1;2&a=x+y&b=1&c", None),
        ("//%41!/é?b=2&a=%zz&x;y&a=x+y&b=1&c", "http://target.test//A%21/%C3%A9?a=x+y&b=2&b=1&c="),
        ("//a?", "http://target.test//a?"),
    ],
)
def test_targets(shared_router, backend, target, sent):
    shared_router.register("target.test", app := backend())
    request = b"GET %b HTTP/1.1\r\nHost: target.test\r\nConnection: close\r\n\r\n" % target.encode()
    answer = shared_router.fetch(request)
    if sent is None:
        assert answer.status == 400  # a space in it
    else:
        assert app.seen[0].split(b"\r\n")[0] == b"GET %b HTTP/1.1" % sent.encode()
    shared_router.unregister("target.test", app)


@pytest.mark.statement("4.2", "up to 256 KiB of an unread body are read to keep the connection, beyond that it is closed")
def test_answers_before_the_end_of_the_body(shared_router):
    with shared_router.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: nowhere.test\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000)
        client.sendall(b"GET /second HTTP/1.1\r\nHost: nowhere.test\r\nConnection: close\r\n\r\n")
        raw = b""
        while piece := client.recv(65536):
            raw += piece
    assert raw.count(b"HTTP/1.1 404 Not Found\r\n") == 2
    answer = shared_router.fetch(b"POST / HTTP/1.1\r\nHost: nowhere.test\r\nContent-Length: 300000\r\n\r\n")
    assert (answer.status, answer["Connection"]) == (404, "close")


@pytest.mark.statement("F", "pipelined requests are answered in order, one at a time")
def test_pipelining(shared_router, backend):
    def counting(connection: socket.socket) -> None:
        data = b""
        while piece := connection.recv(65536):
            data += piece
            for path in re.findall(rb"GET /(\d) ", piece):
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + path)

    shared_router.register("pipe.test", backend(counting))
    requests = [
        b"GET /%d HTTP/1.1\r\nHost: pipe.test\r\n%b\r\n" % (n, b"Connection: close\r\n" if n == 4 else b"") for n in range(5)
    ]
    raw = shared_router.fetch(b"".join(requests)).raw
    assert re.findall(rb"\r\n\r\n(\d)", raw) == [b"0", b"1", b"2", b"3", b"4"]
    assert Response.parse(raw).status == 200
