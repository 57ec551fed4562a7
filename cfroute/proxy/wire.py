"""Requests and answers as bytes, in the order in which Go's net/http writes them."""

from datetime import UTC, datetime
from typing import Final

from cfroute.clock import Clock
from cfroute.proxy.answer import Answer
from cfroute.proxy.head import CHUNKED, RequestHead, ResponseHead
from cfroute.proxy.headers import Fields, in_order
from cfroute.proxy.sides import RequestLine
from cfroute.proxy.status import status_line

_WRITTEN_FIRST: Final = frozenset((b"User-Agent", b"Content-Length"))
_NO_BODY: Final = frozenset((204, 304))
_BODY_EXPECTED: Final = frozenset((b"POST", b"PUT", b"PATCH"))


def address(host: str, port: int) -> str:
    """Both together as Go writes them: an IPv6 address is in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def request_bytes(request: RequestHead, line: RequestLine) -> bytes:
    """The head of a request to a backend."""
    target, host, close = line
    fields: Fields = request.headers
    parts = [b"%b %b HTTP/1.1\r\nHost: %b\r\n" % (request.method, target, host)]
    agent = fields.get(b"User-Agent")
    if agent is not None:
        parts.append(b"User-Agent: %b\r\n" % agent[0])
    if request.length == CHUNKED:
        parts.append(b"Transfer-Encoding: chunked\r\n")
    elif request.length or request.method in _BODY_EXPECTED:
        parts.append(b"Content-Length: %d\r\n" % request.length)
    if request.trailer:
        parts.append(b"Trailer: %b\r\n" % b",".join(request.trailer))
    for name in in_order(fields):
        if name not in _WRITTEN_FIRST:
            for value in fields[name]:
                parts.append(b"%b: %b\r\n" % (name, value))
    # Go does not ask for the end of a connection that is to change its protocol.
    parts.append(b"Connection: close\r\n\r\n" if close and b"Upgrade" not in fields else b"\r\n")
    return b"".join(parts)


def response_bytes(request: RequestHead, head: ResponseHead, clock: Clock, *, chunked: bool, keep_alive: bool) -> bytes:
    """The head of a backend's response as the client is to see it."""
    length = head.length
    fields: Fields = head.headers
    if head.status in _NO_BODY:
        fields.pop(b"Content-Length", None)
        if head.status == 304:
            fields.pop(b"Content-Type", None)
    data = status_line(client_version(request), head.status) + head.headers.lines()
    if b"Date" not in fields:
        data += b"Date: %b\r\n" % http_date(clock.now())
    if length >= 0 and b"Content-Length" not in fields and request.method != b"HEAD" and head.status not in _NO_BODY:
        data += b"Content-Length: %d\r\n" % length  # the backend named its own in `Connection`
    if not keep_alive or request.version == b"HTTP/1.0":
        data += connection_line(request, keep_alive=keep_alive)
    return data + (b"Transfer-Encoding: chunked\r\n\r\n" if chunked else b"\r\n")


def answer_bytes(answer: Answer, request: RequestHead, now: float, *, keep_alive: bool) -> bytes:
    """A response of our own. now is in seconds of the epoch."""
    if answer.bare is not None:
        return answer.bare
    parts = [status_line(client_version(request), answer.status), answer.headers.lines()]
    if b"Date" not in answer.headers:
        parts.append(b"Date: %b\r\n" % http_date(now))
    parts.append(b"Content-Length: %d\r\n" % len(answer.body))
    parts.append(connection_line(request, keep_alive=keep_alive))
    parts.append(b"\r\n")
    if request.method != b"HEAD":
        parts.append(answer.body)
    return b"".join(parts)


def options_bytes(request: RequestHead, now: float, *, keep_alive: bool) -> bytes:
    """The response of Go's server to `OPTIONS *`."""
    line, connection = status_line(client_version(request), 200), connection_line(request, keep_alive=keep_alive)
    return b"%bContent-Length: 0\r\nDate: %b\r\n%b\r\n" % (line, http_date(now), connection)


def client_version(request: RequestHead) -> bytes:
    """The version that a response to this request carries."""
    return b"HTTP/1.0" if request.version == b"HTTP/1.0" else b"HTTP/1.1"


def connection_line(request: RequestHead, *, keep_alive: bool) -> bytes:
    """The `Connection` line of a response, empty where the version's default says it already."""
    if not keep_alive:
        return b"Connection: close\r\n"
    return b"Connection: keep-alive\r\n" if request.version == b"HTTP/1.0" else b""


_date: tuple[int, bytes] = (-1, b"")


def http_date(now: float) -> bytes:
    """The time in the form of the Date header; formatted once a second."""
    global _date
    second = int(now)
    if second != _date[0]:
        _date = second, datetime.fromtimestamp(second, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT").encode()
    return _date[1]
