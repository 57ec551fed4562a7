"""HTTP/2 in front and behind, with a real router (sections 8, 7.1, 7.2, 9.2; checklist point 35)."""

import re
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator

import h2.events
import pytest

from ..ports import free_port
from ..waiting import eventually
from .conftest import OK, Router, read_request
from .metering import Authority
from .streams import SECONDS, Backend, Client, Connection, goaway

NAME = "instance-guid"
CANCEL, PROTOCOL_ERROR, INTERNAL_ERROR, NO_ERROR, REFUSED = 8, 1, 2, 0, 7


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def settings(authority: Authority, **others: object) -> dict[str, object]:
    chain, key = authority.files("localhost")
    return {
        "enable_ssl": True,
        "ssl_port": free_port(),
        "tls_pem": [{"cert_chain": chain.read_text(), "private_key": key.read_text()}],
        "client_cert_validation": "none",
        "cipher_suites": "ECDHE-ECDSA-AES128-GCM-SHA256",
        "max_tls_version": "TLSv1.3",
        "ca_certs": [authority.pem],
        "backends": {"max_attempts": 2},
        **others,
    }


@pytest.fixture(scope="module")
def router(shared_nats, authority, tmp_path_factory) -> Iterator[Router]:
    made = settings(authority)
    router = Router(tmp_path_factory.mktemp("http2"), shared_nats, made)
    router.tls_port = made["ssl_port"]
    yield router
    assert router.stop() == 0


@pytest.fixture
def client(router) -> Iterator[Callable[..., Client]]:
    clients = []

    def connect(**options) -> Client:
        clients.append(Client(router.tls_port, **options))
        return clients[-1]

    yield connect
    for one in clients:
        one.close()


@pytest.fixture
def streams(authority) -> Iterator[Callable[..., Backend]]:
    """Makes backends with TLS that may speak HTTP/2."""
    backends = []

    def listen(*arguments, **options) -> Backend:
        backends.append(Backend(authority.files(NAME), *arguments, **options))
        return backends[-1]

    yield listen
    for one in backends:
        one.close()


def register(router, host, backend, **message) -> None:
    message = {"tls_port": backend.port, "protocol": "http2", "server_cert_domain_san": NAME, **message}
    router.register(host, backend.port, **message)


def each_stream(act: Callable[[Connection, int], None]) -> Callable[[Connection], None]:
    """Serves a connection: `act` is called for each request that is complete."""

    def serve(connection: Connection) -> None:
        while events := connection.read():
            for event in events:
                if isinstance(event, h2.events.StreamEnded):
                    act(connection, event.stream_id)
            connection.flush()

    return serve


# In front


@pytest.mark.statement("7.2", "ALPN offers h2 and http/1.1")
@pytest.mark.parametrize(
    ("offered", "chosen"), [(("h2", "http/1.1"), "h2"), (("http/1.1",), "http/1.1"), (("http/1.1", "h2"), "h2")]
)
def test_the_front_chooses_what_is_spoken(client, offered, chosen) -> None:
    assert client(protocols=offered).protocol == chosen


@pytest.mark.statement("8", "HTTP/2 is the same pipeline with the same answers, and lower-case names")
def test_answers_are_those_of_http1(router, client) -> None:
    answer = client().get("nobody.h2.test")
    assert answer.body == b"404 Not Found: Requested route ('nobody.h2.test') does not exist.\n"
    assert [name for name, _ in answer.headers] == [
        ":status", "cache-control", "content-type", "x-cf-routererror", "x-content-type-options", "content-length", "date",
    ]  # fmt: skip
    assert (answer.status, answer["x-cf-routererror"]) == (404, "unknown_route")


@pytest.mark.statement("8", "an HTTP/2 client is served by an HTTP/1 backend, also with a body of unknown length")
@pytest.mark.statement("8", "Transfer-Encoding and Connection never appear on HTTP/2; bodies without length are streamed")
def test_a_backend_of_http1_with_a_body_of_unknown_length(router, client, backend) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: a\r\n\r\n"
    application = backend(chunked + b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n")
    router.register("h1.h2.test", application)
    answer = client().get("h1.h2.test", "/a?b=c", ("user-agent", "me"))
    assert (answer.status, answer.body, answer.trailers) == (200, b"abcdefg", [])
    assert [name for name, _ in answer.headers] == [":status", "x-vcap-request-id", "date"]
    head = application.seen[0].decode()
    assert head.startswith("GET /a?b=c HTTP/1.1\r\nHost: h1.h2.test\r\nUser-Agent: me\r\nX-Cf-Applicationid: \r\n")
    assert "X-Forwarded-Proto: https\r\n" in head


@pytest.mark.statement("9.2", "the access line of HTTP/2 says HTTP/2.0")
def test_the_access_line(router, client, backend) -> None:
    router.register("line.h2.test", backend())
    client().get("line.h2.test", "/p?q", ("referer", "r"), method="PUT", body=b"12345")
    line = eventually(lambda: [line for line in router.access_lines(1) if line.startswith("line.h2.test")], "the line")[0]
    assert re.search(r' "PUT /p\?q HTTP/2\.0" 200 5 2 "r" "-" "127\.0\.0\.1:\d+" ', line)


@pytest.mark.statement("8", "several cookie fields are joined with `; ` before they are forwarded")
def test_cookies_are_joined(router, client, backend) -> None:
    application = backend()
    router.register("cookies.h2.test", application)
    client().get("cookies.h2.test", "/", ("cookie", "a=1"), ("cookie", "b=2"), ("cookie", "c=3"))
    assert b"\r\nCookie: a=1; b=2; c=3\r\n" in application.seen[0]


@pytest.mark.statement("8", "an extended CONNECT is answered by resetting the stream with PROTOCOL_ERROR")
def test_extended_connect(client) -> None:
    connection = client()
    pseudo = (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"), (":path", "/"), (":authority", "a.test")
    assert connection.answer(connection.fields(*pseudo, end=False)).reset == PROTOCOL_ERROR
    assert connection.get("nobody.h2.test").status == 404


@pytest.mark.statement("8", "a client may have 250 streams at a time")
def test_streams_at_a_time(router, client, backend) -> None:
    connection = client()
    connection.until(lambda: connection.h2.remote_settings.max_concurrent_streams == 250)
    held: list[socket.socket] = []
    application = backend(lambda connection: (read_request(connection), held.append(connection), read_request(connection)))
    router.register("held.h2.test", application)
    connection.h2.remote_settings.update({3: 1000})
    connection.h2.remote_settings.acknowledge()
    numbers = [connection.begin("held.h2.test") for _ in range(251)]
    assert connection.answer(numbers[-1]).reset == REFUSED
    eventually(lambda: len(held) == 250, "all requests at the backend")
    for one in held:
        one.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    assert all(connection.answer(number).status == 200 for number in numbers[:-1])


@pytest.mark.statement("8", "HTTP/2 is spoken only over TLS and by ALPN: no h2c")
def test_no_http2_without_tls(router) -> None:
    answer = router.fetch(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert (answer.status, answer["X-Cf-Routererror"]) == (400, "empty_host")


@pytest.mark.parametrize("name", ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"])
def test_fields_of_a_connection_are_refused(client, name) -> None:
    connection = client()
    pseudo = (":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", "a.test")
    answer = connection.answer(connection.fields(*pseudo, (name, "x")))
    title = "-".join(part.capitalize() for part in name.split("-"))
    assert (answer.status, answer.body.decode()) == (400, f'request header "{title}" is not valid in HTTP/2\n')


def test_100_continue(router, client, backend) -> None:
    application = backend()
    router.register("continue.h2.test", application)
    connection = client()
    fields = ("expect", "100-continue"), ("content-length", "3")
    number = connection.begin("continue.h2.test", "/", *fields, method="POST", end=False)
    connection.until(lambda: connection.streams.get(number) and connection.streams[number].informational)
    connection.send(number, b"abc", end=True)
    assert (connection.answer(number).body, application.seen[0][-3:]) == (b"ok", b"abc")
    assert b"Expect" not in application.seen[0]
    refused = connection.begin("nobody.h2.test", "/", *fields, method="POST", end=False)
    answer = connection.answer(refused)
    assert (answer.status, answer.informational) == (404, [])


@pytest.mark.statement("4.8", "1xx responses are forwarded as they come")
def test_early_hints(router, client, backend) -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
    router.register("hints.h2.test", backend(hints + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
    answer = client().get("hints.h2.test")
    assert (answer.informational, answer.body) == ([[(":status", "103"), ("link", "</a.css>")]], b"ok")


@pytest.mark.statement("4.8", "trailers are forwarded to HTTP/2 clients, announced or not")
def test_trailers_of_an_http1_backend(router, client, backend) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n"
    router.register("trailers.h2.test", backend(head + b"2\r\nok\r\n0\r\nA: 1\r\nB: 2\r\n\r\n"))
    answer = client().get("trailers.h2.test")
    assert (answer["trailer"], answer.body, answer.trailers) == ("A", b"ok", [("a", "1"), ("b", "2")])


def test_head_and_empty_responses(router, client, backend) -> None:
    router.register("head.h2.test", backend(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"))
    router.register("empty.h2.test", backend(b"HTTP/1.1 204 No Content\r\n\r\n"))
    connection = client()
    answer = connection.get("head.h2.test", method="HEAD")
    assert (answer.status, answer["content-length"], answer.body) == (200, "7", b"")
    answer = connection.get("empty.h2.test")
    assert (answer.status, answer["content-length"], answer.body) == (204, None, b"")


def test_options_of_everything_never_reach_the_router(client) -> None:
    answer = client().get("a.test", "*", method="OPTIONS")
    assert (answer.status, answer["content-length"], answer["x-vcap-request-id"]) == (200, "0", None)


@pytest.mark.statement("4.8", "when the backend dies in mid-body, the client's response is cut, and there is no access line")
def test_a_cut_response_resets_the_stream(router, client, backend) -> None:
    begun = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"
    router.register("cut.h2.test", backend(lambda connection: (read_request(connection), connection.sendall(begun))))
    connection = client()
    answer = connection.get("cut.h2.test")
    assert (answer.body, answer.reset) == (b"abc", INTERNAL_ERROR)
    assert connection.get("nobody.h2.test").status == 404
    assert not any("cut.h2.test" in line for line in router.access_lines(1))


@pytest.mark.statement("8", "a cancelled stream is a client that went away: 499")
def test_a_reset_stream_cancels_the_request(router, client, backend) -> None:
    came: list[bytes] = []
    application = backend(lambda connection: (came.append(read_request(connection)), connection.recv(10)))
    router.register("cancel.h2.test", application)
    connection = client()
    number = connection.begin("cancel.h2.test")
    eventually(lambda: came, "the request at the backend")
    connection.h2.reset_stream(number, CANCEL)
    connection.flush()
    eventually(lambda: any(line.startswith("cancel.h2.test") and " 499 " in line for line in router.access_lines(1)), "its line")


def test_an_early_answer_ends_the_upload(router, client, backend) -> None:
    """Response first, then RST_STREAM with NO_ERROR: the client need not send the rest."""
    refusal = b"HTTP/1.1 413 Too much\r\nContent-Length: 0\r\n\r\n"
    router.register("early.h2.test", backend(lambda connection: (connection.recv(1000), connection.sendall(refusal))))
    connection = client()
    number = connection.begin("early.h2.test", method="POST", end=False)
    answer = connection.answer(number)
    connection.until(lambda: answer.reset is not None)
    assert (answer.status, answer.reset) == (413, NO_ERROR)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl(router, backend) -> None:
    router.register("curl.h2.test", backend(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"))
    url = f"https://curl.h2.test:{router.tls_port}/"
    there = f"curl.h2.test:{router.tls_port}:127.0.0.1"
    command = ["curl", "-sk", "--http2", "--noproxy", "*", "--resolve", there, "-w", " %{http_version} %{http_code}", url]
    assert subprocess.run(command, capture_output=True, timeout=30).stdout == b"hello 2 200"


# Behind


@pytest.mark.statement("8", "an HTTP/1 client is served by an HTTP/2 backend, and gets its trailers in chunked coding")
@pytest.mark.statement("7.1", "an http2 endpoint with TLS is offered h2 by ALPN")
def test_an_http1_client_and_an_http2_backend(router, streams) -> None:
    def act(connection, number) -> None:
        connection.h2.send_headers(number, [(":status", "200"), ("trailer", "a"), ("x-some", "1")])
        connection.h2.send_data(number, b"abc")
        connection.h2.send_headers(number, [("a", "1"), ("b", "2")], end_stream=True)

    application = streams(each_stream(act))
    register(router, "behind.h2.test", application, app="app-1")
    headers = "Content-Length: 2", "User-Agent: me", "TE: trailers"
    response = router.get("behind.h2.test", "/p?q", *headers, method="PUT", body=b"hi")
    assert response.raw.startswith(b"HTTP/1.1 200 OK\r\nTrailer: A\r\nX-Some: 1\r\n")
    assert response.body == b"3\r\nabc\r\n0\r\nA: 1\r\nB: 2\r\n\r\n"
    request = next(iter(application.requests))
    assert (application.chosen, request.body) == (["h2"], b"hi")
    fields = dict(request.headers)
    pseudo = [fields[f":{name}"] for name in ("method", "scheme", "authority", "path")]
    assert pseudo == ["PUT", "https", "behind.h2.test", "/p?q"]
    assert (fields["te"], fields["content-length"], fields["user-agent"]) == ("trailers", "2", "me")
    assert (fields["x-cf-applicationid"], fields["x-forwarded-for"]) == ("app-1", "127.0.0.1")
    assert not {"connection", "host", "transfer-encoding", "keep-alive"} & set(fields)


@pytest.mark.statement("8", "a backend that does not choose h2 is spoken to in HTTP/1.1")
@pytest.mark.parametrize("protocols", [("http/1.1",), ()])
def test_backends_that_do_not_want_http2(router, streams, protocols) -> None:
    application = streams(protocols=protocols)
    host = f"fallback{len(protocols)}.h2.test"
    register(router, host, application)
    assert [router.get(host).body for _ in range(2)] == [b"h1", b"h1"]
    assert [request.split(b"\r\n")[0] for request in application.http1_requests] == [b"GET / HTTP/1.1"] * 2
    assert len(application.chosen) == 1  # the connection was kept


@pytest.mark.statement("8", "an http2 endpoint on a plain port is spoken to in HTTP/1.1")
def test_http2_without_tls_is_http1(router, backend) -> None:
    application = backend()
    router.register("plain.h2.test", application, protocol="http2")
    assert router.get("plain.h2.test").body == b"ok"
    assert application.seen[0].startswith(b"GET / HTTP/1.1\r\n")


@pytest.mark.statement("7.1", "endpoints of HTTP/1 are offered nothing by ALPN")
def test_http1_endpoints_get_no_alpn(router, streams) -> None:
    application = streams()
    register(router, "http1.h2.test", application, protocol="http1")
    assert (router.get("http1.h2.test").body, application.chosen) == (b"h1", [None])


@pytest.mark.statement("8", "request trailers are lost, also from HTTP/2 to HTTP/2")
def test_request_trailers_are_lost(router, client, streams) -> None:
    application = streams()
    register(router, "lost.h2.test", application)
    connection = client()
    number = connection.begin("lost.h2.test", "/", ("te", "trailers"), ("trailer", "a"), method="POST", end=False)
    connection.h2.send_data(number, b"abc")
    connection.h2.send_headers(number, [("a", "1")], end_stream=True)
    connection.flush()
    assert connection.answer(number).body == b"ok"
    request = next(iter(application.requests))
    assert (request.body, request.trailers, request["te"], request["trailer"]) == (b"abc", [], "trailers", "A")


@pytest.mark.statement("8", "WebSocket upgrades use HTTP/1.1, also to http2 endpoints")
def test_websockets_to_http2_endpoints(router, streams) -> None:
    switched = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    application = streams(http1=switched)
    register(router, "ws.h2.test", application)
    with router.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: ws.h2.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 101 ")
    assert (application.chosen, len(application.http1_requests)) == ([None], 1)


@pytest.mark.statement("8", "max_conns counts requests, and not connections")
def test_connections_are_shared_and_limits_count_requests(start, authority, streams) -> None:
    router = start(**settings(authority, backends={"max_conns": 3, "max_attempts": 1}))
    arrived, go_on = threading.Semaphore(0), threading.Event()

    def serve(connection: Connection) -> None:
        waiting: list[int] = []
        while len(waiting) < 3:
            for event in connection.read():
                if isinstance(event, h2.events.StreamEnded):
                    waiting.append(event.stream_id)
                    arrived.release()
        go_on.wait(30)
        for number in waiting:
            connection.h2.send_headers(number, [(":status", "204")], end_stream=True)
        connection.flush()
        connection.read()

    application = streams(serve)
    register(router, "shared.h2.test", application)
    held = [router.connect() for _ in range(3)]
    for one in held:
        one.sendall(b"GET / HTTP/1.1\r\nHost: shared.h2.test\r\n\r\n")
        assert arrived.acquire(timeout=30)
    refused = router.get("shared.h2.test")
    assert (refused.status, refused["X-Cf-Routererror"]) == (503, "Connection Limit Reached")
    go_on.set()
    assert all(one.recv(1000).startswith(b"HTTP/1.1 204 ") for one in held)
    assert application.chosen == ["h2"]
    for one in held:
        one.close()


def test_a_goaway_of_the_backend_ends_nothing_that_is_under_way(router, client, streams) -> None:
    """The stream that it has looked at is finished; the other one goes to a new connection."""
    first = threading.Event()

    def serve(connection: Connection) -> None:
        connection.until(lambda: connection.streams.get(1) and connection.streams[1].ended)
        if first.is_set():
            Backend.answer_all(connection)
            connection.h2.send_headers(1, [(":status", "200")])
            connection.h2.send_data(1, b"second", end_stream=True)
            connection.flush()
            connection.read()
            return
        first.set()
        connection.h2.send_headers(1, [(":status", "200")])
        connection.h2.send_data(1, b"fir")
        connection.flush()
        connection.until(lambda: connection.streams.get(3) and connection.streams[3].ended)
        connection.raw(goaway(1))
        connection.h2.send_data(1, b"st", end_stream=True)
        connection.flush()
        connection.read()

    def second_serve(connection: Connection) -> None:
        Backend.answer_all(connection)

    application = streams(lambda connection: (second_serve if first.is_set() else serve)(connection))
    register(router, "goaway.h2.test", application)
    connection = client()
    one = connection.begin("goaway.h2.test")
    connection.until(lambda: connection.streams.get(one) and connection.streams[one].body)
    other = connection.begin("goaway.h2.test")
    assert [connection.answer(number).body for number in (one, other)] == [b"first", b"ok"]
    assert application.chosen == ["h2", "h2"]


def test_a_refused_stream_goes_to_another_connection(router, client, streams) -> None:
    def act(connection, number) -> None:
        if number == 3:
            connection.h2.reset_stream(number, REFUSED)
        else:
            connection.h2.send_headers(number, [(":status", "200")])
            connection.h2.send_data(number, b"ok", end_stream=True)

    application = streams(each_stream(act))
    register(router, "refused.h2.test", application)
    connection = client()
    assert [connection.get("refused.h2.test", method="POST").body for _ in range(2)] == [b"ok", b"ok"]
    assert application.chosen == ["h2", "h2"]


@pytest.mark.parametrize("begun", [False, True])
def test_a_stream_that_the_backend_resets(router, client, streams, begun) -> None:
    def act(connection, number) -> None:
        if begun:
            connection.h2.send_headers(number, [(":status", "200")])
            connection.h2.send_data(number, b"abc")
        connection.h2.reset_stream(number, INTERNAL_ERROR)

    host = f"reset{int(begun)}.h2.test"
    register(router, host, streams(each_stream(act)))
    answer = client().get(host)
    if begun:
        assert (answer.status, answer.body, answer.reset) == (200, b"abc", INTERNAL_ERROR)
    else:
        error = "endpoint_failure (stream error: stream ID 1; INTERNAL_ERROR; received from peer)"
        assert (answer.status, answer["x-cf-routererror"]) == (502, error)


def test_a_client_that_cancels_is_told_to_the_backend(router, client, streams) -> None:
    resets = []

    def serve(connection: Connection) -> None:
        connection.until(lambda: connection.streams.get(1) and connection.streams[1].ended)
        resets.append(None)
        connection.until(lambda: connection.streams[1].reset is not None)
        resets.append(connection.streams[1].reset)

    register(router, "cancelled.h2.test", streams(serve))
    connection = client()
    number = connection.begin("cancelled.h2.test")
    eventually(lambda: resets, "the request at the backend")
    connection.h2.reset_stream(number, CANCEL)
    connection.flush()
    assert eventually(lambda: resets[1:], "the reset at the backend") == [CANCEL]


def test_large_bodies_both_ways(router, client, streams) -> None:
    def serve(connection: Connection) -> None:
        connection.until(lambda: connection.streams.get(1) and connection.streams[1].ended)
        data = connection.streams[1].body
        connection.h2.send_headers(1, [(":status", "200")])
        while data:
            size = min(connection.h2.local_flow_control_window(1), 16384, len(data))
            if not size:
                connection.read()
                continue
            connection.h2.send_data(1, data[:size], end_stream=size == len(data))
            connection.flush()
            data = data[size:]
        arrived.wait(SECONDS)  # one that closes with WINDOW_UPDATEs unread resets the connection, and what is on its way is lost

    arrived = threading.Event()
    register(router, "large.h2.test", streams(serve))
    body = bytes(range(256)) * 8192
    answer = client().get("large.h2.test", method="POST", body=body)
    arrived.set()
    assert answer.reset is None
    assert answer.body == body


def test_a_client_that_takes_nothing_stops_the_backend(router, client, streams) -> None:
    """The router holds a few windows' worth, however much there is to send."""
    sent = [0]

    def serve(connection: Connection) -> None:
        connection.until(lambda: connection.streams.get(1) and connection.streams[1].ended)
        connection.h2.send_headers(1, [(":status", "200")])
        connection.socket.settimeout(0.5)
        while sent[0] < 1 << 24:
            size = min(connection.h2.local_flow_control_window(1), 16384)
            if size:
                connection.h2.send_data(1, bytes(size))
                connection.flush()
                sent[0] += size
            else:
                connection.read()

    register(router, "slow.h2.test", streams(serve))
    connection = client()
    connection.grants = False
    number = connection.begin("slow.h2.test")
    connection.until(lambda: len(connection.streams.get(number).body if number in connection.streams else b"") == 65535)
    eventually(lambda: sent[0] >= 1 << 18, "a window's worth at the router")
    assert sent[0] <= 1 << 20


def test_a_backend_that_takes_nothing_stops_the_client(router, client, streams) -> None:
    release = threading.Event()

    def serve(connection: Connection) -> None:
        connection.grants = False
        connection.until(lambda: connection.streams.get(1) and len(connection.streams[1].body) == 65535)
        release.wait(30)

    register(router, "full.h2.test", streams(serve))
    connection = client()
    number = connection.begin("full.h2.test", method="POST", end=False)
    sent = 0
    connection.socket.settimeout(0.5)
    while True:
        connection.flush()
        size = min(connection.h2.local_flow_control_window(number), 16384)
        if size:
            connection.h2.send_data(number, bytes(size))
            sent += size
            continue
        try:
            connection.read()
        except TimeoutError:
            break
    connection.socket.settimeout(30)
    assert sent <= 1 << 20
    assert connection.get("nobody.h2.test").status == 404
    release.set()


# The end


def test_draining(start, authority, backend) -> None:
    """A GOAWAY at once, streams under way are finished, and the router ends with 0."""
    made = settings(authority, drain_wait="0s", drain_timeout="20s")
    router = start(**made)
    release = threading.Event()

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        release.wait(30)
        connection.sendall(OK)

    router.register("drain.h2.test", backend(serve))
    connection = Client(made["ssl_port"])
    number = connection.begin("drain.h2.test")
    eventually(lambda: router.routes().get("drain.h2.test"), "the route")
    router.process.send_signal(signal.SIGUSR1)
    connection.until(lambda: connection.goaway)
    assert (connection.goaway.error_code, connection.goaway.last_stream_id) == (NO_ERROR, number)
    release.set()
    raw = b""
    while piece := connection.socket.recv(1 << 16):
        raw += piece
    assert b"ok" in raw
    assert router.process.wait(30) == 0


@pytest.mark.statement("8", "without enable_http2 nobody is offered HTTP/2, in front and behind")
def test_switched_off(start, authority, streams) -> None:
    made = settings(authority, enable_http2=False)
    router = start(**made)
    application = streams()
    register(router, "off.h2.test", application)
    client = Client(made["ssl_port"], protocols=("http/1.1",))
    assert client.protocol is None
    client.close()
    assert (router.get("off.h2.test").body, application.chosen) == (b"h1", [None])
