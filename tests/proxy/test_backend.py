"""Connections to backends: how they are reused, how they fail, and what is told of it."""

import asyncio
import re
import socket
import time

import pytest

from cfroute.proxy.backend import Backend, Destination
from cfroute.proxy.failure import Failure, Kind
from cfroute.proxy.server import Limits

from ..waiting import until
from .plumbing import OK, OK_TO_CLIENT, Gate, Rig, get, listen, narrow, post, running

pytestmark = pytest.mark.anyio


async def idle(rig: Rig) -> tuple[Backend, str]:
    """A destination with an idle connection, from the proxy's side."""
    app = await rig.application()
    client = await rig.client(get())
    (await app.request()).send(OK)
    await client.expect(OK_TO_CLIENT)
    rig.told.clear()
    return app.destination.idle[0], repr(app.destination)


# Reuse


async def test_the_connection_used_last_is_used_first(rig: Rig) -> None:
    app = await rig.application()
    clients = [await rig.client(get()) for _ in range(3)]
    backends = [await app.request() for _ in range(3)]
    for client, backend in zip(clients, backends, strict=True):
        backend.send(OK)
        await client.expect(OK_TO_CLIENT)
    assert len(app.destination.idle) == 3
    last = app.destination.idle[-1]
    clients[0].send(get("/again"))
    await until(lambda: last.exchange is not None)


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhidden",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 Hidden\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    ],
)
async def test_a_connection_that_may_not_be_used_again_is_closed(rig: Rig, response: bytes) -> None:
    app = await rig.application()
    client = await rig.client(get() + get("/next"))
    backend = await app.request()
    backend.send(response)
    status, _, body = await client.response()
    assert body == (b"ok" if status == 200 else b"")
    await backend.nothing_more()
    (await app.request()).send(OK)
    await client.expect(OK_TO_CLIENT)


async def test_excess_bytes_of_a_later_packet_close_the_idle_connection(rig: Rig) -> None:
    backend, _ = await idle(rig)
    rig.policy.told.clear()
    app = rig.applications[0]
    app.peers[0].send(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled")
    await until(lambda: backend.closed)
    client = await rig.client(get())
    (await app.connection()).send(OK)
    await client.expect(OK_TO_CLIENT)
    assert app.connections == 2


async def test_as_many_are_kept_as_may_be(rig: Rig) -> None:
    app = await rig.application(max_idle=1)
    clients = [await rig.client(get()) for _ in range(2)]
    backends = [await app.request() for _ in range(2)]
    for backend in backends:
        backend.send(OK)
    for client in clients:
        await client.expect(OK_TO_CLIENT)
    await rig.finished(2)
    assert len(app.destination.idle) == 1


async def test_idle_connections_are_closed_in_time(rig: Rig) -> None:
    app = await rig.application(idle_seconds=90)
    client = await rig.client(get())
    backend = await app.request()
    backend.send(OK)
    await client.expect(OK_TO_CLIENT)
    app.destination.expire(rig.clock.monotonic() + 89)
    assert len(app.destination.idle) == 1
    app.destination.expire(rig.clock.monotonic() + 91)
    await backend.nothing_more()
    assert not app.destination.idle


async def test_a_connection_with_unsent_bytes_is_not_reused(rig: Rig) -> None:
    """The next request would wait behind the body that the backend has not read."""
    app = await rig.application(receive_buffer=4096)
    client = await rig.client(get())
    backend = await app.request()
    backend.send(OK)
    await client.expect(OK_TO_CLIENT)
    narrow(app.destination.idle[0])
    backend.stop_reading()
    client.send(post(b"x" * 60_000))
    await until(lambda: len(rig.policy.exchanges) == 2 and rig.policy.exchanges[1].body_done)
    backend.send(OK)
    await client.expect(OK_TO_CLIENT)
    assert not app.destination.idle


# Stale connections


async def test_a_connection_that_the_backend_closed_is_not_taken(rig: Rig) -> None:
    backend, _ = await idle(rig)
    app = rig.applications[0]
    app.peers[0].close()
    await until(lambda: backend.closed)
    await rig.client(post(b"abc"))
    second = await app.connection()
    second = await app.connection() if second is app.peers[0] else second
    assert await second.next_request() == b"abc"


async def race(rig: Rig, request: bytes, *, reset: bool = False) -> tuple[int, list[str]]:
    """The backend closes an idle connection at the moment at which it gets a request. Status, and what the policy was told."""
    app = await rig.application()
    client = await rig.client(get())
    first = await app.request()
    first.send(OK)
    await client.expect(OK_TO_CLIENT)
    rig.told.clear()
    client.send(request)
    await first.head()
    first.reset() if reset else first.close()
    if app.connections > 1 or b"GET" in request or b"Idempotency" in request:
        second = await app.connection()
        await second.head()
        second.send(OK)
    status = (await client.response())[0]
    return status, rig.told


REPLAYED = ["begin /", "response 200", "finished 200"]


@pytest.mark.parametrize("reset", [False, True])
async def test_what_is_safe_is_sent_again(rig: Rig, reset: bool) -> None:
    assert await race(rig, get(), reset=reset) == (200, REPLAYED)


async def test_what_is_said_to_be_idempotent_is_sent_again(rig: Rig) -> None:
    assert await race(rig, get("/", "Idempotency-Key: 1", method="POST")) == (200, REPLAYED)


@pytest.mark.parametrize("request_", [post(b"abc"), get(method="POST"), get(method="DELETE"), post(b"a", "Idempotency-Key: 1")])
async def test_what_may_have_been_done_is_not_sent_again(rig: Rig, request_: bytes) -> None:
    rig.policy.close = False
    app = await rig.application()
    client = await rig.client(get())
    first = await app.request()
    first.send(OK)
    await client.expect(OK_TO_CLIENT)
    client.send(request_)
    await first.next_request()
    first.close()
    status, _, body = await client.response()
    assert (status, body) == (502, b"EOF\n")
    failure = rig.policy.failures[0]
    assert (failure.kind, failure.reused, failure.wrote_headers, failure.got_connection) == (Kind.EOF, True, True, True)
    assert app.connections == 1


# Failures before there is a response


async def failure_of(rig: Rig, sent: bytes, *, reset: bool = False) -> Failure:
    """The failure when the backend's first words are these, and then no more."""
    app = await rig.application()
    client = await rig.client(get())
    backend = await app.request()
    if sent:
        backend.send(sent)
    backend.reset() if reset else backend.close()
    if b" 103 " in sent:
        await client.head()
    status, _, body = await client.response()
    [failure] = rig.policy.failures
    assert (status, body.decode()) == (502, f"{failure.text}\n")
    assert rig.told == ["begin /", f"failed {failure.kind.name}", "finished 502"]
    return failure


BROKEN = "net/http: HTTP/1.x transport connection broken: "
WORDS = {
    b"": (Kind.EOF, "EOF"),
    b"HTTP/1.1 200 OK\r\nContent-": (Kind.OTHER, f"{BROKEN}unexpected EOF"),
    b"HTTP/1.1 103 Early Hints\r\n\r\n": (Kind.OTHER, f"{BROKEN}unexpected EOF"),
    b"SSH-2.0-OpenSSH\r\n": (Kind.MALFORMED, f'{BROKEN}malformed HTTP response "SSH-2.0-OpenSSH"'),
    b"HTTP/1.1 abc\r\n\r\n": (Kind.MALFORMED, f'{BROKEN}malformed HTTP status code "abc"'),
    b"HTTP/1.1 200 OK\r\nX\r\n\r\n": (Kind.MALFORMED, f'{BROKEN}malformed MIME header: missing colon: "X"'),
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: br\r\n\r\n": (Kind.MALFORMED, f'{BROKEN}unsupported transfer encoding: "br"'),
}


@pytest.mark.parametrize("sent", WORDS)
async def test_backends_that_do_not_answer(rig: Rig, sent: bytes) -> None:
    failure = await failure_of(rig, sent)
    assert (failure.kind, failure.text) == WORDS[sent]
    assert (failure.got_connection, failure.wrote_headers, failure.reused) == (True, True, False)


async def test_a_backend_that_resets(rig: Rig) -> None:
    failure = await failure_of(rig, b"", reset=True)
    assert failure.kind is Kind.RESET
    assert re.fullmatch(r"read tcp 127.0.0.1:\d+->127.0.0.1:\d+: read: connection reset by peer", failure.text)


async def test_a_head_without_end(rig: Rig) -> None:
    app = await rig.application(response_limit=10_000)
    client = await rig.client(get())
    backend = await app.request()
    backend.send(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 3000)
    assert (await client.response())[0] == 502
    [failure] = rig.policy.failures
    assert (failure.kind, failure.text) == (
        Kind.MALFORMED, f"{BROKEN}net/http: server response headers exceeded 10000 bytes; aborted",
    )  # fmt: skip


@pytest.mark.parametrize("status", ["000", "042", "099"])
async def test_a_status_below_100_is_no_response(rig: Rig, status: str) -> None:
    """What becomes of it is for the policy to say. Nobody could tell 000 from a response that has not begun."""
    app = await rig.application()
    client = await rig.client(get())
    (await app.request()).send(f"HTTP/1.1 {status} What\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n".encode())
    assert (await client.response())[0] == 502
    assert rig.told == ["begin /", f"response {int(status)}", "finished 502"]
    assert rig.policy.failures == []


@pytest.mark.parametrize("many", [5, 6])
async def test_so_many_preliminary_responses(rig: Rig, many: int) -> None:
    app = await rig.application()
    client = await rig.client(get())
    (await app.request()).send(b"HTTP/1.1 103 Early Hints\r\n\r\n" * many + OK)
    for _ in range(5):
        assert (await client.head()).startswith(b"HTTP/1.1 103 ")
    assert (await client.response())[0] == (200 if many == 5 else 502)
    assert [failure.text for failure in rig.policy.failures] == (
        [] if many == 5 else [
            "net/http: HTTP/1.x transport connection broken: net/http: too many 1xx informational responses"
        ]
    )  # fmt: skip


async def test_a_broken_idle_connection_is_no_failure(rig: Rig) -> None:
    backend, _ = await idle(rig)
    rig.applications[0].peers[0].reset()
    await until(lambda: backend.closed)
    assert rig.told == []


# Dialling


async def test_a_refused_connection(rig: Rig) -> None:
    destination = rig.nobody()
    client = await rig.client(get())
    assert (await client.response())[0] == 502
    [failure] = rig.policy.failures
    text = f"dial tcp 127.0.0.1:{destination.port}: connect: connection refused"
    assert failure == Failure(Kind.DIAL, text, got_connection=False, wrote_headers=False, reused=False)


async def failed_dial(destination: Destination) -> Failure:
    with pytest.raises(Failure) as failed:
        await destination.dial()
    return failed.value


@pytest.mark.parametrize("host", ["nobody.invalid", "a..b", "", "x" * 70 + ".test", "\udce4.test"])
async def test_names_that_lead_nowhere(host: str) -> None:
    failure = await failed_dial(Destination(host, 80))
    assert (failure.kind, failure.text) == (Kind.DIAL, f"dial tcp: lookup {host}: no such host")


async def test_a_dial_that_takes_too_long() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        with socket.socket() as first, socket.socket() as second:
            for waiting in (first, second):
                waiting.setblocking(False)
                waiting.connect_ex(("127.0.0.1", port))
            failure = await failed_dial(Destination("127.0.0.1", port, dial_timeout=0.05))
    assert (failure.kind, failure.text) == (Kind.DIAL, f"dial tcp 127.0.0.1:{port}: i/o timeout")


async def test_a_connection_that_ends_before_it_is_used(rig: Rig) -> None:
    class Hasty(Gate):
        async def dial(self) -> Backend:
            backend = await super().dial()
            await until(lambda: backend.closed)
            return backend

    app = await listen()
    hasty = Hasty(app.host, app.port)
    hasty.open.set()
    rig.policy.destinations.append(hasty)
    client = await rig.client(get())
    (await app.connection()).close()
    assert (await client.response())[::2] == (502, b"EOF\n")
    [failure] = rig.policy.failures
    assert (failure.kind, failure.wrote_headers) == (Kind.EOF, False)
    app.listener.close()


async def test_a_dial_that_was_given_up_does_not_harm_the_next_attempt() -> None:
    """The first attempt's connection arrives, or fails, while the second one waits for its own."""
    async with running(Limits(exchange_timeout=10)) as rig:
        app, first = await rig.gate()
        second = Gate(app.host, app.port)
        failing = Gate(*("127.0.0.1", rig.nobody().port))
        rig.policy.destinations[:] = [first, failing, second]
        client = await rig.client(get())
        for gate in rig.policy.destinations[:2]:
            await until(lambda gate=gate: gate.dialled)
            rig.advance(11)
        await until(lambda: second.dialled)
        assert rig.told == ["begin /", "failed TIMEOUT", "failed TIMEOUT"]
        failing.open.set()
        first.open.set()
        await until(lambda: first.idle)
        assert rig.told == ["begin /", "failed TIMEOUT", "failed TIMEOUT"]
        second.open.set()
        await app.connection()
        backend = await app.request()
        backend.send(OK)
        assert (await client.response())[0] == 200


# Several attempts


async def test_a_request_goes_to_the_next_application(rig: Rig) -> None:
    rig.nobody()
    broken = await rig.application()
    app = await rig.application()
    client = await rig.client(get())
    (await broken.request()).close()
    (await app.request()).send(OK)
    await client.expect(OK_TO_CLIENT)
    assert rig.told == ["begin /", "failed DIAL", "failed EOF", "response 200", "finished 200"]


async def test_a_body_that_is_gone_is_not_left_out(rig: Rig) -> None:
    """The policy would try again, but what the first backend got of the body cannot be sent to the second."""
    first, second = await rig.application(), await rig.application()
    client = await rig.client(get("/", "Content-Length: 4", method="POST") + b"ab")
    backend = await first.request()
    await backend.expect(b"ab")
    backend.close()
    status, _, body = await client.response()
    assert (status, body) == (502, b"the request's body is gone with the connection that failed\n")
    assert second.connections == 0


async def test_a_body_that_has_not_been_asked_for_is_not_gone(rig: Rig) -> None:
    first, second = await rig.application(), await rig.application()
    client = await rig.client(get("/", "Content-Length: 2", "Expect: 100-continue", method="POST"))
    (await first.request()).close()
    backend = await second.request()
    backend.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    await client.expect(b"HTTP/1.1 100 Continue\r\n\r\n")
    client.send(b"ab")
    assert await backend.read(2) == b"ab"
    backend.send(OK)
    await client.expect(OK_TO_CLIENT)


# Time


async def test_an_exchange_may_not_take_for_ever() -> None:
    async with running(Limits(exchange_timeout=60)) as rig:
        app = await rig.application()
        client = await rig.client(get() + get("/next"))
        backend = await app.request()
        rig.advance(59)
        assert rig.told == ["begin /"]
        rig.advance(4)
        status, _, body = await client.response()
        assert (status, body) == (502, b"context deadline exceeded\n")
        await backend.nothing_more()
        [failure] = rig.policy.failures
        assert (failure.kind, failure.got_connection, failure.wrote_headers) == (Kind.TIMEOUT, True, True)
        assert (await (await app.connection()).head()).startswith(b"GET /next ")


async def test_an_exchange_may_not_take_for_ever_once_it_is_answered() -> None:
    async with running(Limits(exchange_timeout=60)) as rig:
        app = await rig.application()
        client = await rig.client(get())
        backend = await app.request()
        rig.advance(50)
        backend.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
        await client.head()
        rig.advance(14)
        assert await client.rest() == b"ab"
        await backend.nothing_more()
        assert rig.witness.cuts == ["context deadline exceeded"]
        assert rig.told == ["begin /", "response 200", "finished 200 incomplete"]


async def test_each_attempt_has_its_own_time() -> None:
    async with running(Limits(exchange_timeout=60)) as rig:
        first, second = await rig.application(), await rig.application()
        client = await rig.client(get())
        backend = await first.request()
        rig.advance(50)
        backend.close()
        backend = await second.request()
        rig.advance(50)
        backend.send(OK)
        assert (await client.response())[0] == 200
        assert len(rig.server.deadlines) == 0


async def test_a_dial_counts_as_well() -> None:
    async with running(Limits(exchange_timeout=60)) as rig:
        _, gate = await rig.gate()
        client = await rig.client(get())
        await until(lambda: gate.dialled)
        rig.advance(64)
        assert (await client.response())[0] == 502
        [failure] = rig.policy.failures
        assert (failure.kind, failure.got_connection, failure.wrote_headers) == (Kind.TIMEOUT, False, False)
        gate.open.set()
        await asyncio.wait_for(until(lambda: gate.idle), 30)


async def test_a_head_that_trickles_in_costs_what_it_would_at_once(rig: Rig) -> None:
    """If each packet cost a new reading of all that is there, this would take ten seconds."""
    app = await rig.application()
    client = await rig.client(get())
    peer = await app.request()
    peer.send(b"HTTP/1.1 200 OK\r\n")
    await until(lambda: rig.policy.exchanges[0].backend._buffer)
    backend = rig.policy.exchanges[0].backend
    began = time.process_time()
    for number in range(300):
        peer.send(b"X: y\r\n" * 500)
        await until(lambda number=number: len(backend._buffer) > number * 3000)
    assert time.process_time() - began < 3
    peer.send(b"Content-Length: 0\r\n\r\n")
    await client.expect(b"HTTP/1.1 200 OK\r\n")


async def test_a_head_of_too_many_lines(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(get())
    peer = await app.request()
    peer.send(b"HTTP/1.1 200 OK\r\n" + b"X:\n" * 260_000 + b"\r\n")
    assert (await client.response())[0] == 502
    assert "server response headers exceeded" in rig.policy.failures[0].text
