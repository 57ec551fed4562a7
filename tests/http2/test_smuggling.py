"""Requests by HTTP/2 that would be others, or more than one, once they are written as HTTP/1.

What arrives at the backend is read by an independent and strict reader: it is what was asked for, or nothing.
"""

from typing import Any

import h11
import pytest
from hyperframe.frame import DataFrame, HeadersFrame

from cfroute.proxy.answer import Answer
from cfroute.proxy.backend import Backend, Destination
from cfroute.proxy.exchange import Exchange
from cfroute.testing import ManualClock

from .plumbing import Decide, Fields, Front, Wire

HIDDEN = "GET /hidden HTTP/1.1\r\nHost: a.test\r\n\r\n"
Seen = list[tuple[str, str, str, bytes]]


class Downgrade(Decide):
    """Sends every request to one connection that speaks HTTP/1."""

    def __init__(self) -> None:
        super().__init__()
        self.answer = None
        self.wire = Wire()
        self.to = Destination("127.0.0.1", 1, clock=ManualClock())
        backend = Backend(self.to)
        backend.connection_made(self.wire)  # type: ignore[arg-type]
        self.to.idle.append(backend)

    def begin(self, exchange: Exchange) -> Answer | None:
        exchange.request.remove_hop_by_hop()
        return None

    def destination(self, exchange: Exchange) -> Destination:
        return self.to


@pytest.fixture
async def front(anyio_backend: Any) -> Front:
    front = Front()
    front.server.policy = front.policy = Downgrade()
    return front


def seen(front: Front) -> Seen:
    """What a strict backend has read."""
    strict = h11.Connection(h11.SERVER)
    found: Seen = []
    if not front.policy.wire.written:
        return found
    strict.receive_data(bytes(front.policy.wire.written))
    while (event := strict.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
        if isinstance(event, h11.Request):
            host = dict(event.headers)[b"host"].decode()
            found.append((event.method.decode(), event.target.decode(), host, b""))
        elif isinstance(event, h11.Data):
            found[-1] = (*found[-1][:3], found[-1][3] + bytes(event.data))
    assert strict.trailing_data[0] == b""
    return found


def fields(*others: tuple[str, str], method: str = "POST", path: str = "/", authority: str = "a.test") -> Fields:
    return [(":method", method), (":scheme", "https"), (":authority", authority), (":path", path), *others]


ASKED = [("POST", "/", "a.test", b"")]
WITH_BODY = [("POST", "/", "a.test", b"abc")]
CORPUS: dict[str, tuple[Fields, bytes, Seen]] = {
    # Line ends where one field would become several.
    "CR LF in a value": (fields(("x", f"y\r\n\r\n{HIDDEN}")), b"", []),
    "LF in a value": (fields(("x", "y\nTransfer-Encoding: chunked")), b"", []),
    "CR in a value": (fields(("x", "y\rTransfer-Encoding: chunked")), b"", []),
    "NUL in a value": (fields(("x", "y\0")), b"", []),
    "CR LF in a name": (fields(("x: y\r\ntransfer-encoding", "chunked")), b"", []),
    "colon in a name": (fields(("transfer-encoding: chunked\r\nx", "y")), b"", []),
    "space in a name": (fields(("transfer-encoding ", "chunked")), b"", []),
    "upper case in a name": (fields(("Transfer-Encoding", "chunked")), b"", []),
    "CR LF in the path": (fields(path=f"/ HTTP/1.1\r\nHost: a.test\r\n\r\n{HIDDEN}"), b"", []),
    "space in the path": (fields(path="/ HTTP/1.1"), b"", []),
    "tab in the path": (fields(path="/\tx"), b"", []),
    "whole URL as path": (fields(path="http://b.test/"), b"", []),
    "authority as path": (fields(path="b.test:80"), b"", []),
    "CR LF in the method": (fields(method=f"{HIDDEN}POST"), b"", []),
    "space in the method": (fields(method="GET /hidden HTTP/1.1 POST"), b"", []),
    "empty method": (fields(method=""), b"", []),
    "CR LF in the authority": (fields(authority=f"a.test\r\n\r\n{HIDDEN}"), b"", []),
    "slash in the authority": (fields(authority="a.test/b"), b"", []),
    "user in the authority": (fields(authority="b.test@a.test"), b"", []),
    "space in the authority": (fields(authority="a.test b.test"), b"", []),
    "LF in the host": (fields(("host", "a.test\nX: y"), authority=""), b"", []),
    # Framing.
    "coding": (fields(("transfer-encoding", "chunked")), b"0\r\n\r\n" + HIDDEN.encode(), []),
    "coding and length": (fields(("transfer-encoding", "chunked"), ("content-length", "5")), b"0\r\n\r\n", []),
    "coding named as hop by hop": (fields(("connection", "transfer-encoding")), b"", []),
    "length too small": (fields(("content-length", "0")), HIDDEN.encode(), ASKED),
    "length too large": (fields(("content-length", "100")), b"abc", []),
    "length and no body": (fields(("content-length", "5")), b"", []),
    "two lengths": (fields(("content-length", "0"), ("content-length", "3")), b"abc", []),
    "two lengths in one": (fields(("content-length", "3, 3")), b"abc", []),
    "length with a sign": (fields(("content-length", "+3")), b"abc", []),
    "the same length twice": (fields(("content-length", "3"), ("content-length", "3")), b"abc", WITH_BODY),
    "a length": (fields(("content-length", "3")), b"abc", WITH_BODY),
    "no length": (fields(), HIDDEN.encode(), [("POST", "/", "a.test", HIDDEN.encode())]),
    "chunks as body": (fields(), b"0\r\n\r\n" + HIDDEN.encode(), [("POST", "/", "a.test", b"0\r\n\r\n" + HIDDEN.encode())]),
    "GET with a body": (fields(method="GET"), HIDDEN.encode(), [("GET", "/", "a.test", HIDDEN.encode())]),
    "trailer announced": (fields(("trailer", "content-length, x")), b"abc", WITH_BODY),
    # What may come once, or only here.
    "two methods": ([(":method", "GET"), *fields()], b"", []),
    "two paths": ([*fields(), (":path", "/hidden")], b"", []),
    "two authorities": ([*fields(), (":authority", "b.test")], b"", []),
    "a pseudo-header behind a field": ([*fields(("x", "y"))[:4], ("x", "y"), (":path", "/hidden")], b"", []),
    "a pseudo-header of a response": (fields((":status", "200")), b"", []),
    "authority and host differ": (fields(("host", "b.test")), b"", ASKED),
    "two hosts": (fields(("host", "b.test"), ("host", "c.test")), b"", ASKED),
    "connection": (fields(("connection", "close")), b"", []),
    "keep-alive": (fields(("keep-alive", "x")), b"", []),
    "proxy-connection": (fields(("proxy-connection", "x")), b"", []),
    "upgrade": (fields(("upgrade", "h2c")), b"", []),
    "te": (fields(("te", "chunked")), b"", []),
    "te: trailers": (fields(("te", "trailers")), b"", ASKED),
    "http2-settings": (fields(("http2-settings", "AAMAAABkAAQAAP__")), b"", ASKED),
    "CONNECT": ([(":method", "CONNECT"), (":authority", "a.test:80")], b"", [("CONNECT", "a.test:80", "a.test:80", b"")]),
    "CONNECT with CR LF": ([(":method", "CONNECT"), (":authority", f"a.test:80\r\n\r\n{HIDDEN}")], b"", []),
}  # fmt: skip


@pytest.mark.parametrize("case", CORPUS)
async def test_there_is_one_reading(front: Front, case: str) -> None:
    given, body, expected = CORPUS[case]
    front.send(HeadersFrame(1, front.block(*given), flags=["END_HEADERS"] if body else ["END_HEADERS", "END_STREAM"]))
    if body:
        front.send(DataFrame(1, body, flags=["END_STREAM"]))
    found = seen(front)
    if case in ("length too small", "length too large"):  # the begin is on its way; once the lie is out, the connection ends
        assert found in ([], [(*ASKED[0][:3], found[0][3])])
        assert HIDDEN.encode() not in front.policy.wire.written
        assert front.policy.wire.closed
    else:
        assert found == expected
