"""A client's connection: refusals, pipelines, slow and impatient clients."""

import asyncio
import time

import pytest

from cfroute.proxy.answer import Answer
from cfroute.proxy.server import Limits

from ..waiting import until
from .plumbing import DATE, OK, OK_TO_CLIENT, Rig, get, later, post, running, serve
from .test_head import REFUSED

pytestmark = pytest.mark.anyio


def refusal(status: str, body: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n{body}".encode()


REFUSALS = {
    **{case: (data, refusal(status, status)) for case, (data, status) in REFUSED.items()},
    "unknown coding": (
        get("/", "Transfer-Encoding: gzip, chunked"), refusal("501 Not Implemented", "Unsupported transfer encoding"),
    ),
    "other expectation": (get("/", "Expect: a miracle"), refusal("417 Expectation Failed", "")),
    "endless first line": (
        b"GET /" + b"a" * 1_100_000, refusal("431 Request Header Fields Too Large", "431 Request Header Fields Too Large"),
    ),
    "large header": (
        get("/", "X: " + "x" * 1_100_000), refusal("431 Request Header Fields Too Large", "431 Request Header Fields Too Large"),
    ),
    "endless headers": (
        get()[:-2] + b"X: y\r\n" * 200_000, refusal("431 Request Header Fields Too Large", "431 Request Header Fields Too Large"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS)
async def test_refusals(rig: Rig, case: str) -> None:
    sent, got = REFUSALS[case]
    client = await rig.client(sent)
    await client.expect(got)
    await client.nothing_more()
    assert rig.told == []
    assert len(rig.witness.refusals) == 1


@pytest.mark.parametrize("case", ["no Host", "bad escape", "HTTP/2.0", "space before colon"])
async def test_a_refused_request_behind_others(rig: Rig, case: str) -> None:
    sent, got = REFUSALS[case]
    rig.policy.at_once = lambda exchange: Answer(204)
    client = await rig.client(get() + post(b"abc") + sent + get("/never"))
    assert await client.rest() == 2 * (b"HTTP/1.1 204 No Content\r\n" + DATE + b"Content-Length: 0\r\n\r\n") + got
    assert rig.told == ["begin /", "finished 204"] * 2


async def test_a_refused_request_waits_for_the_response_before_it(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(get() + b"nonsense\r\n\r\n")
    backend = await app.request()
    backend.send(OK)
    assert await client.rest() == OK_TO_CLIENT + refusal("400 Bad Request", "400 Bad Request")


@pytest.mark.parametrize("size", [1 << 20, (1 << 20) + 4096])
async def test_a_head_of_a_megabyte_is_fine(rig: Rig, size: int) -> None:
    app = await rig.application()
    empty = get("/", "X: ")
    client = await rig.client(get("/", "X: " + "x" * (size - len(empty))))
    backend = await app.connection()
    backend.reader._limit = 1 << 21  # type: ignore[attr-defined]
    assert len(await backend.head()) == size
    backend.send(OK)
    await client.expect(OK_TO_CLIENT)


async def test_a_head_that_trickles_in_costs_what_it_would_at_once(rig: Rig) -> None:
    """If each packet cost a new reading of all that is there, this would take ten seconds."""
    client = await rig.client(get()[:-2])
    front = await rig.front()
    began = time.process_time()
    for number in range(300):
        client.send(b"X: y\r\n" * 500)
        await until(lambda number=number: len(front._buffer) > number * 3000)
    assert time.process_time() - began < 3
    client.send(b"\r\n")
    await client.expect(b"HTTP/1.1 503 Service Unavailable\r\n")


async def test_a_line_that_is_folded_ever_so_often(rig: Rig) -> None:
    """If each piece were joined to the whole line, this would take minutes."""
    began = time.process_time()
    client = await rig.client(get()[:-2] + b"X: y\r\n" + b" z\r\n" * 200_000 + b"\r\n")
    assert (await client.response())[0] == 503
    assert time.process_time() - began < 3
    assert len(rig.policy.exchanges[0].request.headers[b"X"][0]) == 400_001


async def test_many_headers_are_fine(rig: Rig) -> None:
    client = await rig.client(get("/", *(f"X-{number}: y" for number in range(20_000))))
    assert (await client.response())[0] == 503
    assert len(rig.policy.exchanges[0].request.headers) == 20_000


# Options of the server


async def test_options_of_the_server_itself(rig: Rig) -> None:
    client = await rig.client(get("*", method="OPTIONS") + get("*", "Connection: close", method="OPTIONS") + get())
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + DATE
    await client.expect(answer + b"\r\n" + answer + b"Connection: close\r\n\r\n")
    await client.nothing_more()
    assert rig.told == []


async def test_options_of_the_server_with_a_body(rig: Rig) -> None:
    client = await rig.client(get("*", "Content-Length: 30", method="OPTIONS") + get("/hidden"))
    await client.expect(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + DATE + b"Connection: close\r\n\r\n")
    await client.rest()
    assert rig.told == []


# Pipelines


async def test_pipelined_requests_are_answered_in_order(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(b"".join(get(f"/{number}") for number in range(50)))
    backend = await app.connection()
    for number in range(50):
        assert (await backend.head()).startswith(b"GET /%d " % number)
        backend.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n%02d" % number)
    for number in range(50):
        assert (await client.response())[2] == b"%02d" % number
    assert app.connections == 1


async def test_pipelined_requests_that_are_answered_at_once(rig: Rig) -> None:
    rig.policy.at_once = lambda exchange: Answer(200, exchange.request.target)
    client = await rig.client(b"".join(get(f"/{number}") if number % 2 else post(b"body") for number in range(3000)))
    for number in range(3000):
        assert (await client.response())[2] == (b"/%d" % number if number % 2 else b"/")
    assert rig.told.count("finished 200") == 3000


async def test_pipelined_requests_answered_here_and_there(rig: Rig) -> None:
    rig.policy.at_once = lambda exchange: Answer(200, b"no") if exchange.request.method == b"POST" else None
    app = await rig.application()
    chunked = get("/", "Transfer-Encoding: chunked", method="POST") + b"3\r\nabc\r\n0\r\n\r\n"
    client = await rig.client((get() + chunked + post(b"abc")) * 20)
    serving = asyncio.ensure_future(serve(app))
    for _ in range(20):
        assert [(await client.response())[2] for _ in range(3)] == [b"ok", b"no", b"no"]
    serving.cancel()


async def test_what_follows_a_last_request_is_not_read(rig: Rig) -> None:
    rig.policy.at_once = lambda exchange: Answer(204)
    client = await rig.client(get("/", "Connection: close") + get("/never"))
    await client.expect(b"HTTP/1.1 204 No Content\r\n" + DATE + b"Content-Length: 0\r\nConnection: close\r\n\r\n")
    await client.nothing_more()
    assert rig.told == ["begin /", "finished 204"]


async def test_an_answer_may_be_bare(rig: Rig) -> None:
    rig.policy.at_once = lambda exchange: Answer(0, bare=b"HTTP/1.0 400 Bad Request\r\n\r\n")
    client = await rig.client(get() + get("/never"))
    await client.expect(b"HTTP/1.0 400 Bad Request\r\n\r\n")
    await client.nothing_more()


async def test_requests_wait_while_the_client_does_not_take_its_responses(rig: Rig) -> None:
    rig.policy.at_once = lambda exchange: Answer(200, b"x" * 100_000)
    client = await rig.client(receive_buffer=4096)
    client.stop_reading()
    client.send(get() * 1000)
    front = await rig.front()
    await until(lambda: front._blocked)
    assert front.transport.get_write_buffer_size() < 1 << 18
    assert len(front._buffer) < 1 << 19
    answered = rig.told.count("finished 200")
    assert answered < 200
    client.go_on_reading()
    for _ in range(1000):
        assert len((await client.response())[2]) == 100_000
    assert rig.told.count("finished 200") == 1000


async def test_requests_wait_while_the_client_does_not_take_what_backends_send(rig: Rig) -> None:
    app = await rig.application()
    serving = asyncio.ensure_future(serve(app, b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000))
    client = await rig.client(receive_buffer=4096)
    client.stop_reading()
    client.send(get() * 500)
    front = await rig.front()
    await until(lambda: front._blocked)
    assert front.transport.get_write_buffer_size() < 1 << 19
    assert rig.told.count("finished 200") < 200
    client.go_on_reading()
    for _ in range(500):
        assert len((await client.response())[2]) == 100_000
    serving.cancel()


async def test_pipelined_bytes_are_bounded(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(get())
    backend = await app.request()
    sending = asyncio.ensure_future(client.send_all(get("/next") * 400_000))
    front = await rig.front()
    await until(lambda: front._paused)
    assert len(front._buffer) < 1 << 19
    backend.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    await client.response()
    await app.request()
    sending.cancel()


# Impatient and slow clients


async def test_a_half_closed_client_counts_as_gone(rig: Rig) -> None:
    """Go's server sees the end of what it reads as the end of the client."""
    app = await rig.application()
    client = await rig.client(get())
    backend = await app.request()
    client.end()
    await backend.nothing_more()
    await rig.finished()
    assert rig.told == ["begin /", "failed CANCELLED", "finished 499"]


async def test_an_idle_connection_is_closed() -> None:
    async with running(Limits(idle_timeout=20)) as rig:
        rig.policy.at_once = lambda exchange: Answer(204)
        client = await rig.client()
        await rig.front()
        rig.advance(15)
        client.send(get())
        await client.expect(later(b"HTTP/1.1 204 No Content\r\n" + DATE, 15) + b"Content-Length: 0\r\n\r\n")
        rig.advance(15)
        assert not (await rig.front()).closing
        rig.advance(6)
        await client.nothing_more()


async def test_a_busy_connection_is_not_idle() -> None:
    async with running(Limits(idle_timeout=20)) as rig:
        app = await rig.application()
        client = await rig.client(get())
        backend = await app.request()
        rig.advance(30)
        backend.send(OK)
        assert (await client.response())[0] == 200


async def test_a_client_that_does_not_take_its_last_response_is_cut_in_the_end() -> None:
    async with running(Limits(idle_timeout=20)) as rig:
        rig.policy.at_once = lambda exchange: Answer(200, b"x" * 9_000_000)
        client = await rig.client(receive_buffer=4096)
        client.stop_reading()
        client.send(get("/", "Connection: close"))
        front = await rig.front()
        await rig.finished()
        rig.advance(19)
        assert rig.server.connections
        rig.advance(5)
        await until(lambda: not rig.server.connections)
        assert front.transport.is_closing()


async def test_a_slow_head_is_refused_however_steadily_it_comes() -> None:
    async with running(Limits(head_timeout=10)) as rig:
        client = await rig.client()
        front = await rig.front()
        for number, byte in enumerate(get()[:9]):
            client.send(bytes([byte]))
            await until(lambda count=number + 1: len(front._buffer) == count)
            rig.advance(1)
        assert not front.closing
        rig.advance(2)
        await client.expect(refusal("400 Bad Request", "400 Bad Request"))
        await client.nothing_more()


async def test_a_slow_second_head_is_refused_too() -> None:
    async with running(Limits(head_timeout=10)) as rig:
        rig.policy.at_once = lambda exchange: Answer(204)
        client = await rig.client(get())
        await client.response()
        rig.advance(100)
        front = await rig.front()
        assert not front.closing
        for byte in b"GET":
            client.send(bytes([byte]))
            await until(lambda: front in rig.server.heads)
            rig.advance(4)
        await client.expect(refusal("400 Bad Request", "400 Bad Request"))


async def test_a_client_that_says_nothing_is_closed() -> None:
    async with running(Limits(head_timeout=10)) as rig:
        client = await rig.client()
        await rig.front()
        rig.advance(11)
        await client.nothing_more()
        assert rig.witness.refusals == []


async def test_a_slow_body_is_not_a_slow_head() -> None:
    async with running(Limits(head_timeout=10)) as rig:
        app = await rig.application()
        client = await rig.client(get("/", "Content-Length: 2", method="POST") + b"a")
        backend = await app.request()
        rig.advance(60)
        client.send(b"b")
        assert await backend.read(2) == b"ab"
        backend.send(OK)
        assert (await client.response())[0] == 200
