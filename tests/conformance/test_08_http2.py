"""HTTP/2 in front and behind, with a real router (sections 8, 7.1, 7.2, 9.2; checklist point 35)."""

import re
import socket
from collections.abc import Callable, Iterator

import h2.events
import pytest

from .conftest import Router, free_port, read_request, until
from .metering import Authority
from .streams import Backend, Client, Connection

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
    line = until(lambda: [line for line in router.access_lines(1) if line.startswith("line.h2.test")], "the line")[0]
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
    until(lambda: len(held) == 250, "all requests at the backend")
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
    until(lambda: came, "the request at the backend")
    connection.h2.reset_stream(number, CANCEL)
    connection.flush()
    until(lambda: any(line.startswith("cancel.h2.test") and " 499 " in line for line in router.access_lines(1)), "its line")


def test_an_early_answer_ends_the_upload(router, client, backend) -> None:
    """Response first, then RST_STREAM with NO_ERROR: the client need not send the rest."""
    refusal = b"HTTP/1.1 413 Too much\r\nContent-Length: 0\r\n\r\n"
    router.register("early.h2.test", backend(lambda connection: (connection.recv(1000), connection.sendall(refusal))))
    connection = client()
    number = connection.begin("early.h2.test", method="POST", end=False)
    answer = connection.answer(number)
    connection.until(lambda: answer.reset is not None)
    assert (answer.status, answer.reset) == (413, NO_ERROR)
