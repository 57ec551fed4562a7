"""What a black box must show to pass for a Gorouter, point by point; the numbers are those of the checklist (appendix E).

Points that take a router or a NATS server of their own are held by the tests of their sections.
"""

import re
import socket
import threading

import pytest

ACCESS_LINE = re.compile(
    r'^(\S+) - \[(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z)\] "(\S+) (.*) (\S+)" (\d+|"-") (\d+) (\d+) '
    r'"(.*)" "(.*)" "(\S+)" "(\S+)" '
    r'x_forwarded_for:"(.*)" x_forwarded_proto:"(.*)" vcap_request_id:"(.*)" response_time:(\S+) gorouter_time:(\S+) '
    r'app_id:"(.*)" app_index:"(.*)" instance_id:"(.*)" x_cf_routererror:"(.*)"$'
)


def closing(connection: socket.socket) -> None:
    """A backend that reads a request and closes."""
    connection.recv(65536)


def header_lines(request: bytes) -> list[str]:
    return request.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]


@pytest.mark.statement("E", "1: an unknown host: 404, with the Host in the text, not to be kept, and without a request id")
def test_1_unknown_host(shared_router):
    answer = shared_router.get("x1.test")
    assert (answer.status, answer.body) == (404, b"404 Not Found: Requested route ('x1.test') does not exist.\n")
    assert answer["X-Cf-Routererror"] == "unknown_route"
    assert answer["Cache-Control"] == "no-cache, no-store"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Vcap-Request-Id"] is None


@pytest.mark.statement("E", "2: the client's own address as Host: 400 empty_host, to be kept for 2 s")
def test_2_host_is_the_peers_address(shared_router):
    answer = shared_router.get("127.0.0.1:80")
    assert (answer.status, answer["X-Cf-Routererror"]) == (400, "empty_host")
    assert answer["Cache-Control"] == "public,max-age=2"
    assert answer.body == b"400 Bad Request: Request had empty Host header\n"


@pytest.mark.statement("E", "3: case and port do not count for the lookup, and reach the backend as they came")
@pytest.mark.statement("3.1", "neither case, nor the port of Host, nor a trailing slash of the route counts")
def test_3_case_and_port_do_not_count(shared_router, backend):
    app = backend()
    shared_router.register("A3.test/Foo/", app)
    assert shared_router.get("a3.TEST:99", "/fOO/bar").status == 200
    assert app.seen[0].startswith(b"GET /fOO/bar HTTP/1.1\r\nHost: a3.TEST:99\r\n")


@pytest.mark.statement("E", "4: a path route takes whole segments only")
@pytest.mark.statement("3.2", "only whole segments of the path match")
def test_4_only_whole_segments_match(shared_router, backend):
    shared_router.register("a4.test/foo", backend())
    assert shared_router.get("a4.test", "/foobar").status == 404


@pytest.mark.statement("E", "5: what an exact host has no path for goes to the wildcard")
@pytest.mark.statement("3.2", "an exact host without a route for the path leaves it to the wildcard")
def test_5_wildcard_takes_what_the_exact_host_has_no_path_for(shared_router, backend):
    wildcard, exact = backend(), backend()
    shared_router.register("*.w5.test", wildcard)
    shared_router.register("a.w5.test/only", exact)
    assert shared_router.get("a.w5.test", "/other").status == 200
    assert shared_router.get("a.w5.test", "/only/this").status == 200
    assert (len(wildcard.seen), len(exact.seen)) == (1, 1)


@pytest.mark.statement("E", "6: sorted canonical headers, an empty instance index, host:port in place of an instance id")
@pytest.mark.statement("4.6", "at each attempt X-CF-ApplicationID, -InstanceIndex (also when empty) and -InstanceID are set")
def test_6_headers_at_the_backend(shared_router, backend):
    app = backend()
    shared_router.register("a6.test", app)
    shared_router.get("a6.test", "/", "x-LOWER_case: 1", "User-Agent: me", "b-header: 2")
    lines = header_lines(app.seen[0])
    names = [line.partition(":")[0] for line in lines]
    assert names[:2] == ["Host", "User-Agent"]
    assert names[2:] == sorted(names[2:])
    assert {"X-Lower_case", "B-Header", "X-Request-Start", "X-Vcap-Request-Id"} <= set(names)
    assert f"X-Cf-Instanceid: 127.0.0.1:{app.port}" in lines
    assert "X-Cf-Instanceindex: " in lines


@pytest.mark.statement("E", "7: the client's request id is replaced, the app's own is kept")
@pytest.mark.statement("4.1", "X-Vcap-Request-Id is always overwritten")
def test_7_the_request_id_is_the_routers(shared_router, backend):
    app = backend(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Vcap-Request-Id: the-apps\r\n\r\n")
    plain = backend()
    shared_router.register("a7.test", app)
    shared_router.register("b7.test", plain)
    assert shared_router.get("a7.test", "/", "X-Vcap-Request-Id: me")["X-Vcap-Request-Id"] == "the-apps"
    assert b"X-Vcap-Request-Id: me" not in app.seen[0]
    assert shared_router.get("b7.test")["X-Vcap-Request-Id"] in plain.seen[0].decode()


@pytest.mark.statement("E", "8: X-Forwarded-For grows by the client; X-Forwarded-Proto is kept, unless it is sanitised")
def test_8_forwarding_headers(shared_router, backend, start):
    app = backend()
    shared_router.register("a8.test", app)
    shared_router.get("a8.test", "/", "X-Forwarded-For: 1.1.1.1", "X-Forwarded-Proto: https")
    assert "X-Forwarded-For: 1.1.1.1, 127.0.0.1" in header_lines(app.seen[0])
    assert "X-Forwarded-Proto: https" in header_lines(app.seen[0])
    router = start(sanitize_forwarded_proto=True)
    router.register("a8.test", app)
    router.get("a8.test", "/", "X-Forwarded-Proto: https")
    assert "X-Forwarded-Proto: http" in header_lines(app.seen[1])


@pytest.mark.statement("E", "9: headers named in Connection are lost, unless they are on the list")
@pytest.mark.statement("4.6", "tokens of Connection on hop_by_hop_headers_to_filter are taken out, the others strip headers")
def test_9_naming_router_headers_in_connection(shared_router, backend, start):
    app = backend()
    shared_router.register("a9.test", app)
    headers = b"Host: a9.test\r\nX-Forwarded-For: 9.9.9.9\r\nFoo: 1\r\nConnection: close, X-Forwarded-For, foo\r\n"
    request = b"GET / HTTP/1.1\r\n" + headers + b"\r\n"
    shared_router.fetch(request)
    assert "X-Forwarded-For: 127.0.0.1" in header_lines(app.seen[0])
    assert "Foo: 1" not in header_lines(app.seen[0])
    router = start(hop_by_hop_headers_to_filter=["X-Forwarded-For"])
    router.register("a9.test", app)
    router.fetch(request)
    assert "X-Forwarded-For: 9.9.9.9, 127.0.0.1" in header_lines(app.seen[1])


@pytest.mark.statement("E", "10: targets go on as they came, but for those that begin with two slashes")
@pytest.mark.statement("4.6", "an absolute target stays absolute, and is routed on by its host")
@pytest.mark.parametrize(
    ("target", "sent"),
    [
        ("//a//b?z=1&a=2", "http://a10.test//a//b?a=2&z=1"),
        ("/a//b?z=1&a=2", "/a//b?z=1&a=2"),
        ("/a%2Fb/../c?x=%20;y", "/a%2Fb/../c?x=%20;y"),
        ("/p?", "/p?"),
        ("http://a10.test/p", "http://a10.test/p"),
    ],
)
def test_10_targets_are_passed_on(shared_router, backend, target, sent):
    app = backend()
    shared_router.register("a10.test", app)
    shared_router.get("a10.test", target)
    assert app.seen[0].split(b"\r\n")[0].decode() == f"GET {sent} HTTP/1.1"
    shared_router.unregister("a10.test", app)


@pytest.mark.statement("E", "11: POST without a body has Content-Length 0; chunked stays chunked, and wins over a length")
@pytest.mark.statement("4.6", "known lengths stay lengths, chunked stays chunked")
def test_11_lengths(shared_router, backend):
    app = backend()
    shared_router.register("a11.test", app)
    shared_router.get("a11.test", "/", method="POST")
    shared_router.get("a11.test", "/", "Transfer-Encoding: chunked", method="POST", body=b"3\r\nabc\r\n0\r\n\r\n")
    both = ("Transfer-Encoding: chunked", "Content-Length: 99")
    shared_router.get("a11.test", "/", *both, method="POST", body=b"3\r\nabc\r\n0\r\n\r\n")
    assert "Content-Length: 0" in header_lines(app.seen[0])
    for request in app.seen[1:]:
        assert "Transfer-Encoding: chunked" in header_lines(request)
        assert b"Content-Length" not in request
        assert request.endswith(b"\r\n\r\n3\r\nabc\r\n0\r\n\r\n")


@pytest.mark.statement("E", "12: a dead endpoint costs a retry, then it is avoided")
@pytest.mark.statement("5.4", "a dial error is retriable, whatever the request")
def test_12_a_dead_endpoint_is_retried_and_avoided(start, backend):
    router = start(backends={"max_attempts": 3})
    app, dead = backend(), backend()
    dead.close()
    router.register("a12.test", dead)
    router.register("a12.test", app)
    for _ in range(2):
        assert router.get("a12.test").status == 200
        assert router.get("a12.test", "/", "Content-Length: 2", method="POST", body=b"hi").status == 200
    failed = router.log("backend-endpoint-failed")
    assert len(failed) == 1
    assert failed[0]["retriable"] is True
    assert failed[0]["error"].startswith(f"incomplete request (dial tcp 127.0.0.1:{dead.port}: connect: connection refused")


@pytest.mark.statement("E", "13: a backend that closes: GET goes to another, POST with a body ends as 502 EOF")
@pytest.mark.statement("5.4", "EOF: an idempotent request is tried again, another is not")
def test_13_a_backend_that_closes(shared_router, backend):
    app, closer = backend(), backend(closing)
    shared_router.register("a13.test", app)
    shared_router.register("a13.test", closer)
    assert [shared_router.get("a13.test").status for _ in range(4)] == [200] * 4
    shared_router.register("b13.test", closer)
    answer = shared_router.get("b13.test", "/", "Content-Length: 2", method="POST", body=b"hi")
    assert (answer.status, answer["X-Cf-Routererror"]) == (502, "endpoint_failure (EOF)")
    assert answer.body == b"502 Bad Gateway: Registered endpoint failed to handle the request.\n"


@pytest.mark.statement("E", "15: a backend beyond endpoint_timeout: 502, one attempt")
@pytest.mark.statement("5.4", "context deadline exceeded is not retriable")
def test_15_a_slow_backend(start, backend):
    released = threading.Event()

    def slow(connection: socket.socket) -> None:
        connection.recv(65536)
        released.wait(30)

    router = start(endpoint_timeout="200ms", backends={"max_attempts": 3})
    router.register("a15.test", backend(slow))
    answer = router.get("a15.test")
    released.set()
    assert (answer.status, answer["X-Cf-Routererror"]) == (502, "endpoint_failure (context deadline exceeded)")
    assert len(router.log("backend-endpoint-failed")) == 1


@pytest.mark.statement("E", "16: a client that goes away: 499 in the access log")
@pytest.mark.statement("5.4", "a client that has gone: 499, and nothing is tried again")
def test_16_the_client_goes_away(start, backend):
    arrived, released = threading.Event(), threading.Event()

    def slow(connection: socket.socket) -> None:
        connection.recv(65536)
        arrived.set()
        released.wait(30)

    router = start()
    router.register("a16.test", backend(slow))
    with router.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a16.test\r\n\r\n")
        arrived.wait(30)
    line = router.access_lines(1)[0]
    released.set()
    assert " 499 0 " in line


@pytest.mark.statement("E", "17: one busy request at max_conns 1: the next gets 503")
@pytest.mark.statement("3.8", "a request beyond the limit of all endpoints is answered with 503")
def test_17_connection_limit(start, backend):
    arrived, released = threading.Event(), threading.Event()

    def slow(connection: socket.socket) -> None:
        connection.recv(65536)
        arrived.set()
        released.wait(30)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    router = start(backends={"max_conns": 1})
    router.register("a17.test", backend(slow))
    with router.connect() as first:
        first.sendall(b"GET / HTTP/1.1\r\nHost: a17.test\r\nConnection: close\r\n\r\n")
        arrived.wait(30)
        second = router.get("a17.test")
        released.set()
        assert (second.status, second["X-Cf-Routererror"]) == (503, "Connection Limit Reached")
        assert second.body == b"503 Service Unavailable: Requested route ('a17.test') has reached the connection limit.\n"
        assert first.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.statement("E", "18: a session cookie's attributes are copied to __VCAP_ID__")
def test_18_sticky_cookie(shared_router, backend):
    app = backend(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nSet-Cookie: JSESSIONID=x; Secure; SameSite=None; Partitioned\r\n\r\n")
    shared_router.register("a18.test", app, private_instance_id="iid")
    cookies = [value for name, value in shared_router.get("a18.test").headers if name == "Set-Cookie"]
    assert cookies[1:] == ["__VCAP_ID__=iid; Path=/; HttpOnly; Secure; SameSite=None; Partitioned"]


@pytest.mark.statement("E", "19: a stale __VCAP_ID__: served elsewhere, and a new one without attributes")
@pytest.mark.statement("4.11", "the endpoint is looked up by its instance id; the context path keeps its case")
def test_19_stale_sticky_cookie(shared_router, backend):
    app, other = backend(), backend()
    shared_router.register("a19.test/Ctx", app, private_instance_id="one")
    shared_router.register("a19.test/Ctx", other, private_instance_id="two")
    for _ in range(3):
        answer = shared_router.get("a19.test", "/Ctx", "Cookie: JSESSIONID=x; __VCAP_ID__=two")
        assert answer["Set-Cookie"] is None
    assert len(other.seen) == 3
    answer = shared_router.get("a19.test", "/Ctx", "Cookie: JSESSIONID=x; __VCAP_ID__=gone")
    assert answer.status == 200, answer
    assert re.fullmatch(r"__VCAP_ID__=(one|two); Path=/Ctx; HttpOnly", answer["Set-Cookie"])


@pytest.mark.statement("E", "21: HTTP-Monitor/1.1 gets ok")
def test_21_health_check_by_user_agent(shared_router):
    answer = shared_router.get("whatever", "/", "User-Agent: HTTP-Monitor/1.1")
    assert (answer.status, answer.body) == (200, b"ok\n")
    assert (answer["Cache-Control"], answer["Expires"]) == ("private, max-age=0", "0")


@pytest.mark.statement("E", "22: HTTP/1.2 gets a bare 400")
def test_22_unsupported_version(shared_router):
    assert shared_router.fetch(b"GET / HTTP/1.2\r\nHost: x\r\n\r\n").raw == b"HTTP/1.0 400 Bad Request\r\n\r\n"


@pytest.mark.statement("E", "24: trailers of the response arrive, those of the request do not")
@pytest.mark.statement("4.6", "announced trailers of a request are passed on in Trailer, their values are lost")
def test_24_trailers_of_the_response(shared_router, backend):
    app = backend(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n2\r\nok\r\n0\r\nX-T: end\r\n\r\n")
    shared_router.register("a24.test", app)
    body = b"1\r\na\r\n0\r\nX-R: lost\r\n\r\n"
    answer = shared_router.get("a24.test", "/", "Transfer-Encoding: chunked", "Trailer: X-R", method="POST", body=body)
    assert answer.body == b"2\r\nok\r\n0\r\nX-T: end\r\n\r\n"
    assert "Trailer: X-R" in header_lines(app.seen[0])
    assert app.seen[0].endswith(b"1\r\na\r\n0\r\n\r\n")


@pytest.mark.statement("E", "25: 103 is passed on")
def test_25_informational_responses(shared_router, backend):
    app = backend(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    shared_router.register("a25.test", app)
    assert shared_router.get("a25.test").raw.startswith(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n")


@pytest.mark.statement("E", "29: garbage on router.register: validation-error, and nothing changes")
def test_29_garbage_registrations_change_nothing(start, backend):
    router = start()
    router.register("a29.test", backend())
    for garbage in (b"{", b"[]", b'{"port":"x"}', b'{"uris":["z.test"],"port":70000}', b"\xff\xfe"):
        router.nats.publish("router.register", garbage)
    router.nats.publish("router.register", {"uris": ["z.test"], "host": "h", "port": 1, "route_service_url": "http://x"})
    router.register("b29.test", backend())
    assert set(router.routes()) >= {"a29.test", "b29.test"}
    assert "z.test" not in router.routes()
    errors = router.log("validation-error")
    assert len(errors) >= 5
    assert "Unable to validate message. route_service_url must be https" in [e["error"] for e in errors]


@pytest.mark.statement("E", "33: /routes wants a password")
@pytest.mark.statement("10.2", "/routes wants a user and a password")
def test_33_routes_need_a_password(shared_router):
    for authorization in (b"", b"Authorization: Basic eDp5\r\n"):
        answer = shared_router.fetch(b"GET /routes HTTP/1.0\r\n" + authorization + b"\r\n", shared_router.routes_port)
        assert (answer.status, answer.body) == (401, b"401 Unauthorized\n")
        assert answer["Www-Authenticate"] == "Basic"


@pytest.mark.statement("E", "36: the access line, field by field")
@pytest.mark.statement("9.2", "the access line, field by field")
def test_36_access_line(start, backend):
    router = start()
    app = backend()
    router.register("a36.test", app, app="app-1", private_instance_id="i1", private_instance_index="0")
    router.get("a36.test", "/p?q=1", 'User-Agent: a "b"', "Referer: r", "X-Forwarded-For: 1.1.1.1")
    router.get("nowhere.test")
    first, second = router.access_lines(2)
    fields = ACCESS_LINE.match(first).groups()
    assert (fields[0], fields[2:10]) == ("a36.test", ("GET", "/p?q=1", "HTTP/1.1", "200", "0", "2", "r", 'a \\"b\\"'))
    assert fields[11:14] == (f"127.0.0.1:{app.port}", "1.1.1.1, 127.0.0.1", "http")
    assert fields[17:] == ("app-1", "0", "i1", "-")
    fields = ACCESS_LINE.match(second).groups()
    assert fields[5:8] == ("404", "0", "64")
    assert (fields[11], fields[12], fields[16], fields[17:]) == ("-", "-", "0.000000", ("-", "-", "-", "unknown_route"))
