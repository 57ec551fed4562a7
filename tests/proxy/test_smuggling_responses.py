"""Responses that hide another: what a client reads is the response to its request, a broken one, or a 502.

`HIDDEN` stands where a backend, or whoever speaks through it, wants two readers to disagree on whether it is a response. The
client reads strictly, and asks for something else afterwards on the same connection.
"""

import asyncio
import contextlib

import h11
import pytest

from .plumbing import OK, Peer, Rig, get

pytestmark = pytest.mark.anyio

HIDDEN = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhidden"
BROKEN = "broken"
REFUSED = 502
EMPTY = (200, b"")


def message(*lines: str, first: str = "HTTP/1.1 200 OK") -> bytes:
    return "\r\n".join((first, *lines, "", "")).encode("latin-1")


def length(size: int) -> str:
    return f"Content-Length: {size}"


CHUNKED = "Transfer-Encoding: chunked"
AS_BODY = (200, HIDDEN)

CORPUS: dict[str, tuple[bytes, tuple[int, bytes] | int | str]] = {
    "more than its length": (message(length(0)) + HIDDEN, EMPTY),
    "two responses": (message(length(2)) + b"ab" + HIDDEN, (200, b"ab")),
    "length and coding": (message(length(4), CHUNKED) + b"0\r\n\r\n" + HIDDEN, EMPTY),
    "coding and length": (message(CHUNKED, length(4)) + b"%x\r\n%b\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN), AS_BODY),
    "two lengths": (message(length(0), length(len(HIDDEN))) + HIDDEN, REFUSED),
    "two lengths in one": (message(f"Content-Length: 0, {len(HIDDEN)}") + HIDDEN, REFUSED),
    "the same length twice": (message(length(len(HIDDEN)), length(len(HIDDEN))) + HIDDEN, AS_BODY),
    "length with a sign": (message(f"Content-Length: +{len(HIDDEN)}") + HIDDEN, REFUSED),
    "negative length": (message("Content-Length: -1") + HIDDEN, REFUSED),
    "hexadecimal length": (message("Content-Length: 0x0") + HIDDEN, REFUSED),
    "empty length": (message("Content-Length:") + HIDDEN, REFUSED),
    "two codings": (message(CHUNKED, CHUNKED) + b"0\r\n\r\n" + HIDDEN, REFUSED),
    "list of codings": (message("Transfer-Encoding: gzip, chunked") + b"0\r\n\r\n" + HIDDEN, REFUSED),
    "another coding": (message("Transfer-Encoding: identity", length(0)) + HIDDEN, REFUSED),
    "vertical tab in the coding": (message("Transfer-Encoding: \x0bchunked", length(0)) + HIDDEN, REFUSED),
    "space before the colon": (message("Transfer-Encoding : chunked", length(0)) + HIDDEN, REFUSED),
    "CR in a value": (message("X: y\rContent-Length: 0", length(len(HIDDEN))) + HIDDEN, REFUSED),
    "NUL in a value": (message("X: y\0", length(0)) + HIDDEN, REFUSED),
    "LF ends a line": (message("X: y\nContent-Length: 0") + HIDDEN, EMPTY),
    "folded coding": (message("Transfer-Encoding:", " chunked") + b"0\r\n\r\n" + HIDDEN, EMPTY),
    "hop by hop length": (message("Connection: content-length", length(0)) + HIDDEN, EMPTY),
    "hop by hop coding": (message("Connection: transfer-encoding", CHUNKED) + b"0\r\n\r\n" + HIDDEN, EMPTY),
    "204 with a body": (message(length(len(HIDDEN)), first="HTTP/1.1 204 No Content") + HIDDEN, (204, b"")),
    "304 with a body": (message(length(len(HIDDEN)), first="HTTP/1.1 304 Not Modified") + HIDDEN, (304, b"")),
    "204 with chunks": (message(CHUNKED, first="HTTP/1.1 204 No Content") + b"0\r\n\r\n" + HIDDEN, (204, b"")),
    "status 000": (message(length(0), first="HTTP/1.1 000 OK") + HIDDEN, REFUSED),
    "status of four digits": (message(length(0), first="HTTP/1.1 2000 OK") + HIDDEN, REFUSED),
    "CR in the first line": (b"HTTP/1.1 200 O\rK\r\nContent-Length: 0\r\n\r\n" + HIDDEN, EMPTY),
    "another protocol, not asked for": (message("Upgrade: x", "Connection: upgrade", first="HTTP/1.1 101 X") + HIDDEN, REFUSED),
    "preliminary response with a length": (message(length(len(HIDDEN)), first="HTTP/1.1 103 X") + HIDDEN, (200, b"hidden")),
    "preliminary response with chunks": (message(CHUNKED, first="HTTP/1.1 103 X") + HIDDEN, (200, b"hidden")),
    "bare LF after a chunk's size": (message(CHUNKED) + b"0\n\r\n" + HIDDEN, BROKEN),
    "chunk size with a sign": (message(CHUNKED) + b"+1\r\na\r\n0\r\n\r\n" + HIDDEN, BROKEN),
    "chunk size that wraps around": (message(CHUNKED) + b"10000000000000000\r\na\r\n0\r\n\r\n" + HIDDEN, BROKEN),
    "bytes after a chunk": (message(CHUNKED) + b"1\r\nab\r\n0\r\n\r\n" + HIDDEN, BROKEN),
    "trailer with a response": (message(CHUNKED) + b"0\r\n" + HIDDEN, BROKEN),
    "trailer with framing": (message(CHUNKED) + b"0\r\nX: y\r\n\r\n" + HIDDEN, EMPTY),
    "HTTP/1.0 with a coding": (message(CHUNKED, first="HTTP/1.0 200 OK") + HIDDEN, AS_BODY),
    "no length": (message() + HIDDEN, AS_BODY),
}  # fmt: skip


UNTIL_CLOSE = ("HTTP/1.0 with a coding", "no length")


@pytest.mark.parametrize("case", CORPUS)
@pytest.mark.parametrize("whole", [True, False])
async def test_there_is_one_reading(rig: Rig, case: str, whole: bool) -> None:
    data, expected = CORPUS[case]
    app = await rig.application()
    serving: list[asyncio.Task[None]] = []

    async def serve(peer: Peer) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await peer.reader.readuntil(b"\r\n\r\n")
                if head.startswith(b"GET /next "):
                    peer.send(OK)
                elif whole:
                    peer.send(data)
                else:
                    await peer.trickle(data)
                if case in UNTIL_CLOSE:
                    peer.close()

    async def accept() -> None:
        while True:
            serving.append(asyncio.ensure_future(serve(await app.arrived.get())))

    accepting = asyncio.ensure_future(accept())
    client = await rig.client(get("/first") + get("/next", "Connection: close"))
    read = responses(await client.rest())
    for task in (accepting, *serving):
        task.cancel()
    await asyncio.gather(accepting, *serving, return_exceptions=True)
    if expected == BROKEN:
        assert [status for status, _, complete in read] == [200]
        assert not read[0][2]
    else:
        if expected == REFUSED:
            assert read[0][0] == 502
        else:
            assert read[0] == (*expected, True)  # type: ignore[misc]
        assert read[1:] in ([], [(200, b"ok", True)])
        assert b"hidden" not in read[-1][1] or len(read) == 1


def responses(data: bytes) -> list[tuple[int, bytes, bool]]:
    """Status, body, and whether it is complete, of each response."""
    strict = h11.Connection(h11.CLIENT)
    found: list[tuple[int, bytes, bool]] = []
    strict.receive_data(data)
    strict.receive_data(b"")
    for _ in range(2):
        strict.send(h11.Request(method="GET", target="/", headers=[("Host", "a.test")]))
        strict.send(h11.EndOfMessage())
        status, body = 0, b""
        with contextlib.suppress(h11.RemoteProtocolError):
            while (event := strict.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
                if isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
                    break
                if isinstance(event, h11.Response):
                    status = event.status_code
                elif isinstance(event, h11.Data):
                    body += bytes(event.data)
        if status:
            found.append((status, body, strict.their_state in (h11.DONE, h11.MUST_CLOSE, h11.CLOSED)))
        if strict.their_state is not h11.DONE or strict.our_state is not h11.DONE:
            break
        strict.start_next_cycle()
    return found
