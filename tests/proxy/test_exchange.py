"""One request, its response, and what becomes of the two connections."""

import pytest

from cfroute.proxy.answer import Answer
from cfroute.proxy.exchange import Exchange
from cfroute.proxy.head import ResponseHead

from ..waiting import until
from .plumbing import DATE, OK, OK_TO_CLIENT, Rig, get, later, post

pytestmark = pytest.mark.anyio

CHUNKED_POST = get("/", "Transfer-Encoding: chunked", method="POST")


async def test_a_request_and_its_response(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(get("/a?b=c", "X-One: 1", "Accept: */*"))
    backend = await app.connection()
    assert await backend.head() == b"GET /a?b=c HTTP/1.1\r\nHost: a.test\r\nAccept: */*\r\nX-One: 1\r\n\r\n"
    backend.send(OK)
    await client.expect(OK_TO_CLIENT)
    assert rig.told == ["begin /a?b=c", "response 200", "finished 200"]


async def test_connections_serve_one_exchange_after_another(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client()
    client.send(get())
    backend = await app.request()
    backend.send(OK)
    await client.expect(OK_TO_CLIENT)
    client.send(post(b"abc"))
    assert await backend.next_request() == b"abc"
    backend.send(OK)
    await client.expect(OK_TO_CLIENT)
    assert app.connections == 1


# What the client gets

RESPONSES = {
    "headers sorted, reason replaced": (
        b"HTTP/1.1 203 Whatever\r\nx-b: 1\r\nContent-Length: 0\r\nX-A: 2\r\nX-B: 3\r\nDate: now\r\n\r\n",
        b"HTTP/1.1 203 Non-Authoritative Information\r\nContent-Length: 0\r\nDate: now\r\nX-A: 2\r\nX-B: 1\r\nX-B: 3\r\n\r\n",
    ),
    "unknown status": (
        b"HTTP/1.1 599\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 599 status code 599\r\nContent-Length: 0\r\n" + DATE + b"\r\n",
    ),
    "chunked": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + DATE + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ),
    "chunked wins over a length": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + DATE + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ),
    "trailers, announced and not": (
        b"HTTP/1.1 200 OK\r\nTrailer: x-b\r\nTrailer: X-A\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-C: 3\r\nx-a: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTrailer: X-A, X-B\r\n" + DATE + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-A: 1\r\nX-C: 3\r\n\r\n",
    ),
    "204 has no length": (
        b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\nContent-Type: x\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nContent-Type: x\r\n" + DATE + b"\r\n",
    ),
    "304 has no length and type": (
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nContent-Type: x\r\nEtag: y\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\nEtag: y\r\n" + DATE + b"\r\n",
    ),
    "a length that is called hop by hop": (
        b"HTTP/1.1 200 OK\r\nConnection: content-length, X-A\r\nContent-Length: 2\r\nX-A: 1\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\n" + DATE + b"Content-Length: 2\r\n\r\nok",
    ),
    "no type is guessed": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>",
        b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n" + DATE + b"\r\n<html>",
    ),
    "the backend's wish to close concerns the backend": (
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", OK_TO_CLIENT,
    ),
    "HTTP/1.0 backend": (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", OK_TO_CLIENT),
}  # fmt: skip


@pytest.mark.parametrize("case", RESPONSES)
async def test_responses(rig: Rig, case: str) -> None:
    sent, got = RESPONSES[case]
    app = await rig.application()
    client = await rig.client(get())
    (await app.request()).send(sent)
    await client.expect(got)
    client.send(get("/next"))
    await until(lambda: "begin /next" in rig.told)


@pytest.mark.parametrize("case", RESPONSES)
async def test_responses_byte_by_byte(rig: Rig, case: str) -> None:
    sent, got = RESPONSES[case]
    app = await rig.application()
    client = await rig.client(get())
    backend = await app.request()
    for position in range(len(sent)):
        await backend.send_all(sent[position : position + 1])
    status, head, _ = await client.response()
    assert got.startswith(head)
    assert status == int(got.split()[1])
    await rig.finished()


async def test_a_response_without_length_is_chunked(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(get())
    backend = await app.request()
    backend.send(b"HTTP/1.1 200 OK\r\n\r\nabc")
    await client.expect(b"HTTP/1.1 200 OK\r\n" + DATE + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    backend.send(b"de")
    await client.expect(b"2\r\nde\r\n")
    backend.close()
    await client.expect(b"0\r\n\r\n")
    client.send(get())
    (await app.request()).send(OK)
    await client.expect(OK_TO_CLIENT)


async def test_head_has_the_headers_and_no_body(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(get(method="HEAD"))
    backend = await app.request()
    for framing in (b"Content-Length: 10\r\n", b"Transfer-Encoding: chunked\r\n", b""):
        backend.send(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n")
        await client.expect(b"HTTP/1.1 200 OK\r\n" + framing.replace(b"Transfer-Encoding: chunked\r\n", b"") + DATE + b"\r\n")
        client.send(get(method="HEAD"))
        await backend.head()
    assert app.connections == 1


async def test_an_answer_in_place_of_the_response(rig: Rig) -> None:
    def refuse(exchange: Exchange, response: ResponseHead) -> Answer | None:
        return Answer(502, b"no")

    rig.policy.instead = refuse
    app = await rig.application()
    client = await rig.client(get())
    backend = await app.request()
    backend.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc")
    await client.expect(b"HTTP/1.1 502 Bad Gateway\r\n" + DATE + b"Content-Length: 2\r\n\r\nno")
    await backend.nothing_more()
    assert rig.told[1:] == ["response 200", "finished 502"]


# HTTP/1.0 clients


async def test_http_1_0_ends_with_the_response(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(get(version="1.0"))
    backend = await app.connection()
    assert await backend.head() == b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"
    backend.send(OK)
    await client.expect(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n" + DATE + b"Connection: close\r\n\r\nok")
    await client.nothing_more()


async def test_http_1_0_may_be_kept_alive(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(get("/", "Connection: keep-alive", version="1.0"))
    (await app.request()).send(OK)
    await client.expect(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n" + DATE + b"Connection: keep-alive\r\n\r\nok")
    client.send(get())
    await app.peers[0].head()


async def test_http_1_0_gets_no_chunks(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(get("/", "Connection: keep-alive", version="1.0"))
    backend = await app.request()
    backend.send(b"HTTP/1.1 200 OK\r\nTrailer: X\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    await client.expect(b"HTTP/1.0 200 OK\r\n" + DATE + b"Connection: close\r\n\r\nabc")
    backend.send(b"0\r\nX: y\r\n\r\n")
    await client.nothing_more()


async def test_http_1_0_gets_no_preliminary_response(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(get("/", "Content-Length: 1", "Expect: 100-continue", method="POST", version="1.0"))
    backend = await app.request()
    rig.advance(2)
    backend.send(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
    client.send(b"x")
    assert await backend.read(1) == b"x"
    backend.send(OK)
    await client.expect(later(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n" + DATE + b"Connection: close\r\n\r\nok", 2))


# Preliminary responses and Expect


async def test_preliminary_responses_are_passed_on(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(get())
    backend = await app.request()
    backend.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    await client.expect(b"HTTP/1.1 100 Continue\r\n\r\n")
    backend.send(b"HTTP/1.1 102 P\r\nContent-Length: 5\r\n\r\n")
    backend.send(b"HTTP/1.1 103 Hints\r\nlink: </a>; rel=preload\r\nLink: b\r\n\r\n" + OK)
    await client.expect(b"HTTP/1.1 102 Processing\r\n\r\n")
    await client.expect(b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nLink: b\r\n\r\n" + OK_TO_CLIENT)
    assert rig.told == ["begin /", "response 200", "finished 200"]


EXPECTING = get("/", "Content-Length: 3", "Expect: 100-continue", method="POST")
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


async def test_the_backend_wants_the_body(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(EXPECTING)
    backend = await app.connection()
    assert b"\r\nExpect: 100-continue\r\n" in await backend.head()
    backend.send(CONTINUE)
    await client.expect(CONTINUE)
    backend.send(CONTINUE)
    client.send(b"abc")
    assert await backend.read(3) == b"abc"
    rig.advance(5)
    backend.send(OK)
    await client.expect(later(OK_TO_CLIENT, 5))
    client.send(get())
    await backend.head()


async def test_a_silent_backend_gets_the_body_after_a_second(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(EXPECTING)
    backend = await app.request()
    rig.advance(0.9)
    rig.advance(0.1)
    await client.expect(CONTINUE)
    client.send(b"abc")
    assert await backend.read(3) == b"abc"
    backend.send(CONTINUE + OK)
    await client.expect(later(OK_TO_CLIENT, 1))


async def test_the_backend_answers_at_once(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(EXPECTING)
    backend = await app.request()
    backend.send(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n")
    await client.expect(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n" + DATE + b"Connection: close\r\n\r\n")
    await client.nothing_more()
    rig.advance(2)
    await backend.nothing_more()


async def test_the_policy_answers_at_once(rig: Rig) -> None:
    rig.policy.at_once = lambda exchange: Answer(404)
    client = await rig.client(EXPECTING)
    await client.expect(b"HTTP/1.1 404 Not Found\r\n" + DATE + b"Content-Length: 0\r\nConnection: close\r\n\r\n")
    await client.nothing_more()


async def test_a_client_that_does_not_wait_for_100(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(EXPECTING + b"abc" + get("/next"))
    backend = await app.request()
    assert await backend.read(3) == b"abc"
    backend.send(OK)
    await client.expect(OK_TO_CLIENT)
    assert (await backend.head()).startswith(b"GET /next ")


# Bodies on the way to the backend


async def test_a_chunked_body_is_framed_anew(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(CHUNKED_POST)
    backend = await app.connection()
    assert b"\r\nTransfer-Encoding: chunked\r\n\r\n" in await backend.head()
    client.send(b"001;ext=x\r\na\r\n")
    await backend.expect(b"1\r\na\r\n")
    client.send(b"2\r\nbc\r\n1\r\nd\r\n")
    await backend.expect(b"3\r\nbcd\r\n")
    client.send(b"0\r\nX-Trailer: lost\r\n\r\n" + get("/next"))
    await backend.expect(b"0\r\n\r\n")
    backend.send(OK)
    assert (await backend.head()).startswith(b"GET /next ")
    assert rig.policy.exchanges[0].request_bytes == 4


async def test_a_body_that_comes_while_the_backend_is_dialled(rig: Rig) -> None:
    rig.nobody()
    app = await rig.application()
    client = await rig.client(post(b"abc") + post(b"de"))
    backend = await app.connection()
    assert await backend.next_request() == b"abc"
    backend.send(OK)
    await client.expect(OK_TO_CLIENT)
    assert rig.told[:2] == ["begin /", "failed DIAL"]


async def test_a_body_that_lies_about_its_coding(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(CHUNKED_POST + b"1\r\na\r\n")
    backend = await app.request()
    client.send(b"xyz\r\n")
    assert (await client.response())[0] == 502
    await client.nothing_more()
    await backend.expect(b"1\r\na\r\n")
    await backend.nothing_more()
    assert rig.told == ["begin /", "failed OTHER", "finished 502"]
    assert rig.policy.failures[0].text == "invalid byte in chunk length"


async def test_a_body_that_lies_about_its_coding_before_there_is_a_backend(rig: Rig) -> None:
    app, gate = await rig.gate()
    client = await rig.client(CHUNKED_POST + b"xyz\r\n")
    assert (await client.response())[0] == 502
    await client.nothing_more()
    assert rig.told == ["begin /", "failed OTHER", "finished 502"]
    gate.open.set()
    await app.connection()
    await until(lambda: gate.idle)


async def test_a_body_that_lies_about_its_coding_once_the_response_has_begun(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(CHUNKED_POST)
    backend = await app.request()
    backend.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
    assert (await client.head()).startswith(b"HTTP/1.1 200 ")
    client.send(b"xyz\r\n")
    assert await client.rest() == b"ab"
    await backend.nothing_more()
    assert rig.told == ["begin /", "response 200", "finished 200 incomplete"]
    assert rig.witness.cuts == ["invalid byte in chunk length"]


async def test_the_response_may_begin_before_the_body_has_ended(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(CHUNKED_POST + b"1\r\na\r\n")
    backend = await app.request()
    await backend.expect(b"1\r\na\r\n")
    backend.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nA\r\n")
    await client.expect(b"HTTP/1.1 200 OK\r\n" + DATE + b"Transfer-Encoding: chunked\r\n\r\n1\r\nA\r\n")
    client.send(b"1\r\nb\r\n")
    await backend.expect(b"1\r\nb\r\n")
    backend.send(b"1\r\nB\r\n")
    await client.expect(b"1\r\nB\r\n")
    client.send(b"0\r\n\r\n")
    await backend.expect(b"0\r\n\r\n")
    backend.send(b"0\r\n\r\n")
    await client.expect(b"0\r\n\r\n")
    client.send(get())
    await backend.head()
    assert app.connections == 1


async def test_a_response_that_ends_before_the_body_costs_the_backends_connection(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(get("/", "Content-Length: 4", method="POST") + b"ab")
    backend = await app.request()
    await backend.expect(b"ab")
    backend.send(OK)
    await client.expect(OK_TO_CLIENT)
    await backend.nothing_more()
    client.send(b"cd" + get("/next"))
    assert (await (await app.connection()).head()).startswith(b"GET /next ")


# Answers before the end of the body


async def test_a_short_rest_of_a_body_is_read_to_keep_the_connection(rig: Rig) -> None:
    rig.policy.at_once = lambda exchange: Answer(404)
    client = await rig.client(get("/", "Content-Length: 200000", method="POST"))
    answer = b"HTTP/1.1 404 Not Found\r\n" + DATE + b"Content-Length: 0\r\n\r\n"
    await client.expect(answer)
    await client.send_all(b"x" * 200_000 + CHUNKED_POST)
    await client.expect(answer)
    await client.send_all(b"20000\r\n" + b"x" * 0x20000 + b"\r\n0\r\n\r\n" + get())
    await client.expect(answer)
    assert rig.told.count("finished 404") == 3


async def test_a_long_rest_of_a_body_is_not_waited_for(rig: Rig) -> None:
    rig.policy.at_once = lambda exchange: Answer(404)
    client = await rig.client(get("/", "Content-Length: 1000000", method="POST"))
    await client.expect(b"HTTP/1.1 404 Not Found\r\n" + DATE + b"Content-Length: 0\r\nConnection: close\r\n\r\n")
    await client.nothing_more()


async def test_a_rest_of_unknown_length_has_a_limit(rig: Rig) -> None:
    rig.policy.at_once = lambda exchange: Answer(404)
    client = await rig.client(CHUNKED_POST)
    await client.expect(b"HTTP/1.1 404 Not Found\r\n" + DATE + b"Content-Length: 0\r\n\r\n")
    client.send(b"80000\r\n" + b"x" * 0x80000)
    await client.nothing_more()


async def test_a_backends_early_answer_to_a_long_body_ends_the_connection(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(get("/", "Content-Length: 1000000", method="POST"))
    backend = await app.request()
    backend.send(b"HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n")
    await client.expect(b"HTTP/1.1 413 Request Entity Too Large\r\nContent-Length: 0\r\n" + DATE + b"Connection: close\r\n\r\n")
    await client.nothing_more()


async def test_a_client_that_is_still_sending_gets_to_read_the_answer(rig: Rig) -> None:
    """What is unread when a connection is closed makes the kernel reset it, and an answer on its way may be lost."""
    rig.policy.at_once = lambda exchange: Answer(413, b"x" * 50_000)
    client = await rig.client(get("/", "Content-Length: 9000000", method="POST"), receive_buffer=4096)
    client.send(b"x" * 9_000_000)
    status, _, body = await client.response()
    assert (status, len(body)) == (413, 50_000)
    front = await rig.front()
    assert not front.transport.is_closing()
    rig.advance(0.5)
    assert front.transport.is_closing()


# The client or the backend goes away


async def test_the_client_goes_before_the_response(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(get())
    backend = await app.request()
    client.close()
    await backend.nothing_more()
    await rig.finished()
    assert rig.told == ["begin /", "failed CANCELLED", "finished 499"]


async def test_the_client_goes_while_it_sends_its_body(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(get("/", "Content-Length: 4", method="POST") + b"ab")
    backend = await app.request()
    await backend.expect(b"ab")
    client.reset()
    await backend.nothing_more()
    await rig.finished()
    assert rig.told == ["begin /", "failed CANCELLED", "finished 499"]


async def test_the_client_goes_in_the_middle_of_the_response(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(get())
    backend = await app.request()
    backend.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
    await client.head()
    client.close()
    await backend.nothing_more()
    await rig.finished()
    assert rig.told == ["begin /", "response 200", "finished 200 incomplete"]


async def test_the_client_goes_while_the_backend_is_dialled(rig: Rig) -> None:
    app, gate = await rig.gate()
    client = await rig.client(get())
    await until(lambda: gate.dialled)
    client.reset()
    await rig.finished()
    assert rig.told == ["begin /", "failed CANCELLED", "finished 499"]
    gate.open.set()
    backend = await app.connection()
    await until(lambda: gate.idle)
    client = await rig.client(get("/next"))
    assert (await backend.head()).startswith(b"GET /next ")
    backend.send(OK)
    await client.expect(OK_TO_CLIENT)
    assert gate.dialled == 1


async def test_the_client_goes_between_two_requests(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(get())
    (await app.request()).send(OK)
    await client.expect(OK_TO_CLIENT)
    client.close()
    again = await rig.client(get())
    await app.peers[0].head()
    app.peers[0].send(OK)
    await again.expect(OK_TO_CLIENT)
    assert rig.told.count("finished 200") == 2


CUT = {
    "fixed": (b"Content-Length: 4\r\n\r\nab", b"ab"),
    "chunked": (b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", b"2\r\nab\r\n"),
    "in a chunk": (b"Transfer-Encoding: chunked\r\n\r\n4\r\nab", b"2\r\nab\r\n"),
    "before the trailer's end": (b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX: y\r\n", b"2\r\nab\r\n"),
}


@pytest.mark.parametrize("case", CUT)
async def test_the_backend_goes_in_the_middle_of_its_response(rig: Rig, case: str) -> None:
    sent, got = CUT[case]
    app = await rig.application()
    client = await rig.client(get() + get("/next"))
    backend = await app.request()
    backend.send(b"HTTP/1.1 200 OK\r\n" + sent)
    backend.close()
    await client.head()
    assert await client.rest() == got
    assert rig.told == ["begin /", "response 200", "finished 200 incomplete"]
    assert rig.witness.cuts == ["unexpected EOF"]


@pytest.mark.parametrize("body", [b"Content-Length: 4\r\n\r\nab", b"\r\nab"])
async def test_the_backend_resets_in_the_middle_of_its_response(rig: Rig, body: bytes) -> None:
    app = await rig.application()
    client = await rig.client(get())
    backend = await app.request()
    backend.send(b"HTTP/1.1 200 OK\r\n" + body)
    await client.head()
    backend.reset()
    assert b"0\r\n\r\n" not in await client.rest()
    assert rig.told == ["begin /", "response 200", "finished 200 incomplete"]


async def test_a_broken_chunk_cuts_the_response(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(get())
    backend = await app.request()
    backend.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
    await client.head()
    backend.send(b"zz\r\n")
    assert await client.rest() == b"2\r\nab\r\n"
    await backend.nothing_more()
    assert rig.witness.cuts == ["invalid byte in chunk length"]
