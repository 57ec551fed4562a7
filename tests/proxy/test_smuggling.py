"""Requests that hide another: what a backend gets is what was counted, or nothing.

`HIDDEN` stands where an attacker wants two readers to disagree on whether it is a body or a request. What arrives at the
backend is read by an independent and strict reader.
"""

import asyncio
import contextlib

import h11
import pytest

from .plumbing import Peer, Rig

pytestmark = pytest.mark.anyio

HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: a.test\r\n\r\n"
REFUSED = "refused"

Seen = list[tuple[str, bytes]]


def message(*lines: str, first: str = "POST / HTTP/1.1") -> bytes:
    return "\r\n".join((first, "Host: a.test", *lines, "", "")).encode("latin-1")


def chunked(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


def length(size: int) -> str:
    return f"Content-Length: {size}"


CHUNKED = "Transfer-Encoding: chunked"
POST = ("/", b"")
BOTH: Seen = [POST, ("/hidden", b"")]  # two requests in the eyes of everybody
AS_BODY: Seen = [("/", HIDDEN)]

CORPUS: dict[str, tuple[bytes, Seen | str]] = {
    # Both framings: the coding counts, and the length is not passed on.
    "CL.TE": (message(length(4), CHUNKED) + b"0\r\n\r\n" + HIDDEN, BOTH),
    "TE.CL": (message(CHUNKED, length(4)) + chunked(HIDDEN), AS_BODY),
    "length of the whole": (message(length(5 + len(HIDDEN)), CHUNKED) + b"0\r\n\r\n" + HIDDEN, BOTH),
    "length by another name": (message("Content_Length: 40", CHUNKED) + b"0\r\n\r\n" + HIDDEN, BOTH),
    # One of two codings.
    "two codings": (message(CHUNKED, "Transfer-Encoding: identity") + b"0\r\n\r\n" + HIDDEN, REFUSED),
    "two codings, the other way": (message("Transfer-Encoding: x", CHUNKED) + b"0\r\n\r\n" + HIDDEN, REFUSED),
    "chunked twice": (message(CHUNKED, CHUNKED) + b"0\r\n\r\n" + HIDDEN, REFUSED),
    "list of codings": (message("Transfer-Encoding: identity, chunked", length(4)) + b"0\r\n\r\n" + HIDDEN, REFUSED),
    "chunked with a parameter": (message("Transfer-Encoding: chunked;x=y", length(4)) + HIDDEN, REFUSED),
    "quoted": (message('Transfer-Encoding: "chunked"', length(4)) + HIDDEN, REFUSED),
    "misspelt": (message("Transfer-Encoding: xchunked", length(4)) + HIDDEN, REFUSED),
    "space before the colon": (message("Transfer-Encoding : chunked", length(4)) + HIDDEN, REFUSED),
    "tab before the colon": (message("Transfer-Encoding\t: chunked", length(4)) + HIDDEN, REFUSED),
    "space before the name": (message("X: y", " Transfer-Encoding: chunked", length(0)) + HIDDEN, BOTH),
    "vertical tab": (message("Transfer-Encoding: \x0bchunked", length(4)) + HIDDEN, REFUSED),
    "no-break space": (message("Transfer-Encoding: \xa0chunked", length(4)) + HIDDEN, REFUSED),
    "NUL in the name": (message("Transfer-Encoding\x00: chunked", length(4)) + HIDDEN, REFUSED),
    "CR in the middle": (message("X: y\rTransfer-Encoding: chunked", length(4)) + HIDDEN, REFUSED),
    "LF in the middle": (message("X: y\nTransfer-Encoding: chunked") + chunked(HIDDEN), AS_BODY),
    "underscore": (message("Transfer_Encoding: chunked", length(len(HIDDEN))) + HIDDEN, AS_BODY),
    "folded": (message("Transfer-Encoding:", "\tchunked", length(4)) + chunked(HIDDEN), AS_BODY),
    "folded list": (message("Transfer-Encoding: chunked", " , identity", length(4)) + HIDDEN, REFUSED),
    "any case": (message("transfer-ENCODING: cHUNKED", length(4)) + chunked(HIDDEN), AS_BODY),
    "hop by hop": (message("Connection: transfer-encoding, content-length", CHUNKED) + chunked(HIDDEN), AS_BODY),
    "hop by hop length": (message("Connection: content-length", length(len(HIDDEN))) + HIDDEN, AS_BODY),
    "empty coding": (message("Transfer-Encoding:", length(len(HIDDEN))) + HIDDEN, REFUSED),
    # Lengths.
    "two lengths": (message(length(0), length(len(HIDDEN))) + HIDDEN, REFUSED),
    "two lengths in one": (message(f"Content-Length: 0, {len(HIDDEN)}") + HIDDEN, REFUSED),
    "the same length twice": (message(length(len(HIDDEN)), length(len(HIDDEN))) + HIDDEN, AS_BODY),
    "leading zero": (message(f"Content-Length: 0{len(HIDDEN)}") + HIDDEN, AS_BODY),
    "plus": (message(f"Content-Length: +{len(HIDDEN)}") + HIDDEN, REFUSED),
    "minus": (message("Content-Length: -1") + HIDDEN, REFUSED),
    "minus zero": (message("Content-Length: -0") + HIDDEN, REFUSED),
    "hexadecimal": (message("Content-Length: 0x0") + HIDDEN, REFUSED),
    "fraction": (message("Content-Length: 0.0") + HIDDEN, REFUSED),
    "spaces inside": (message("Content-Length: 1 0") + HIDDEN, REFUSED),
    "underscore inside": (message("Content-Length: 1_0") + HIDDEN, REFUSED),
    "superscript": (message("Content-Length: \xb2") + HIDDEN, REFUSED),
    "wraps around": (message("Content-Length: 18446744073709551616") + HIDDEN, REFUSED),
    "folded length": (message("Content-Length: 1", " 0") + HIDDEN, REFUSED),
    "space before the colon of a length": (message(f"Content-Length : {len(HIDDEN)}") + HIDDEN, REFUSED),
    "GET with a body": (message(length(len(HIDDEN)), first="GET / HTTP/1.1") + HIDDEN, AS_BODY),
    "GET with chunks": (message(CHUNKED, first="GET / HTTP/1.1") + chunked(HIDDEN), AS_BODY),
    "HEAD with a body": (message(length(len(HIDDEN)), first="HEAD / HTTP/1.1") + HIDDEN, AS_BODY),
    # Chunks.
    "bare LF after a size": (message(CHUNKED) + b"0\n\r\n" + HIDDEN, REFUSED),
    "bare LF after an extension": (message(CHUNKED) + b"0;x\n\r\n" + HIDDEN, REFUSED),
    "bare CR in an extension": (message(CHUNKED) + b"0;x\ry\r\n\r\n" + HIDDEN, REFUSED),
    "bare LF after the data": (message(CHUNKED) + b"1\r\na\n0\r\n\r\n" + HIDDEN, REFUSED),
    "two bytes after the data": (message(CHUNKED) + b"1\r\nabc0\r\n\r\n" + HIDDEN, REFUSED),
    "size with 0x": (message(CHUNKED) + b"0x1\r\na\r\n0\r\n\r\n" + HIDDEN, REFUSED),
    "size with a sign": (message(CHUNKED) + b"+1\r\na\r\n0\r\n\r\n" + HIDDEN, REFUSED),
    "size with a space": (message(CHUNKED) + b" 1\r\na\r\n0\r\n\r\n" + HIDDEN, REFUSED),
    "size that wraps around": (message(CHUNKED) + b"10000000000000000\r\na\r\n0\r\n\r\n" + HIDDEN, REFUSED),
    "no size": (message(CHUNKED) + b"\r\n\r\n" + HIDDEN, REFUSED),
    "extension with a request": (message(CHUNKED) + b"0;GET /hidden HTTP/1.1\r\n\r\n", [POST]),
    "trailer with a request": (message(CHUNKED) + b"0\r\n" + HIDDEN, REFUSED),
    "trailer with framing": (message(CHUNKED) + b"0\r\nContent-Length: 40\r\n\r\n" + HIDDEN, BOTH),
    "announced framing": (message(CHUNKED, "Trailer: Content-Length") + b"0\r\nContent-Length: 40\r\n\r\n" + HIDDEN, REFUSED),
    "chunks that hold chunks": (message(CHUNKED) + chunked(b"0\r\n\r\n" + HIDDEN), [("/", b"0\r\n\r\n" + HIDDEN)]),
    # First lines and hosts.
    "two targets": (b"GET / HTTP/1.1 GET /hidden HTTP/1.1\r\nHost: a.test\r\n\r\n", REFUSED),
    "CR in the target": (b"GET /\r/hidden HTTP/1.1\r\nHost: a.test\r\n\r\n", REFUSED),
    "NUL in the target": (b"GET /\x00 HTTP/1.1\r\nHost: a.test\r\n\r\n", REFUSED),
    "HTTP/0.9": (b"GET /\r\n\r\n" + HIDDEN, REFUSED),
    "HTTP/2": (b"PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n" + HIDDEN, REFUSED),
    "two hosts": (message("Host: b.test", first="GET / HTTP/1.1"), REFUSED),
    "folded host": (b"GET / HTTP/1.1\r\nHost: a.test\r\n b.test\r\n\r\n", REFUSED),
    "host of the target counts": (message(first="GET http://b.test/ HTTP/1.1"), [("http://b.test/", b"")]),
    "host with a request": (b"GET / HTTP/1.1\r\nHost: a.test\rGET /hidden\r\n\r\n", REFUSED),
    "request behind a CONNECT": (message(first="CONNECT a.test:80 HTTP/1.1") + HIDDEN, [("a.test:80", b""), ("/hidden", b"")]),
    "request behind an upgrade that is declined": (
        message("Connection: upgrade", "Upgrade: h2c", first="GET / HTTP/1.1") + HIDDEN, BOTH,
    ),
    "request behind a body": (message(length(3)) + b"abc" + HIDDEN, [("/", b"abc"), ("/hidden", b"")]),
    "body of an expectation": (message(length(len(HIDDEN)), "Expect: 100-continue") + HIDDEN, AS_BODY),
}  # fmt: skip


class Reader:
    """A strict backend: every byte it gets has to be part of a request. It fulfils none."""

    def __init__(self) -> None:
        self.seen: Seen = []

    async def serve(self, peer: Peer) -> None:
        strict = h11.Connection(h11.SERVER)
        target, body = "", b""
        with contextlib.suppress(ConnectionError):
            while data := await peer.reader.read(65536):
                strict.receive_data(data)
                while (event := strict.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
                    if isinstance(event, h11.Request):
                        target, body = event.target.decode(), b""
                    elif isinstance(event, h11.Data):
                        body += event.data
                    elif isinstance(event, h11.EndOfMessage):
                        self.seen.append((target, body))
                        strict.send(h11.Response(status_code=403, headers=[("Content-Length", "0")]))
                        strict.send(h11.EndOfMessage())
                        peer.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                        strict.start_next_cycle()


@pytest.mark.parametrize("case", CORPUS)
@pytest.mark.parametrize("whole", [True, False])
async def test_there_is_one_reading(rig: Rig, case: str, whole: bool) -> None:
    data, expected = CORPUS[case]
    app = await rig.application()
    reader = Reader()
    serving: list[asyncio.Task[None]] = []

    async def accept() -> None:
        while True:
            serving.append(asyncio.ensure_future(reader.serve(await app.arrived.get())))

    accepting = asyncio.ensure_future(accept())
    last = b"GET /last HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"
    client = await rig.client()
    if whole:
        client.send(data + last)
    else:
        await client.trickle(data + last)
    answers = await client.rest()
    accepting.cancel()
    for task in serving:
        task.cancel()
    ends = await asyncio.gather(*serving, return_exceptions=True)
    assert not [end for end in ends if isinstance(end, h11.RemoteProtocolError)]
    if expected == REFUSED:
        assert reader.seen == []
        assert answers.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 501 ", b"HTTP/1.1 502 ", b"HTTP/1.1 505 "))
        assert answers.count(b"HTTP/1.1 ") == 1
    else:
        assert reader.seen == [*expected, ("/last", b"")]
