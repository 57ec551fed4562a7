"""Requests and responses as fields of HTTP/2, and back, by the rules of Go's net/http.

A request that Go's server answers by ending the stream raises Malformed, one that it refuses with a page raises Refused. Names
come out in the canonical form that the rest of the proxy knows, and go out in lower case.
"""

import re
from typing import Final

from cfroute.clock import Clock
from cfroute.http2.hpack_blocks import Pair, field, indexed
from cfroute.proxy.answer import Answer
from cfroute.proxy.head import (
    CHUNKED,
    HOST_BYTES,
    BadRequest,
    BadResponse,
    RequestHead,
    ResponseHead,
    content_length,
    trailer_names,
)
from cfroute.proxy.headers import Headers, canonical
from cfroute.proxy.sides import RequestLine
from cfroute.proxy.target import parse
from cfroute.proxy.wire import http_date

_NAME: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+")
_TOKEN: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_REQUEST_PSEUDO: Final = frozenset((b":method", b":scheme", b":authority", b":path", b":protocol"))
_RESPONSE_PSEUDO: Final = frozenset((b":status",))
_ENTRY: Final = 32  # what a field counts more than its bytes (RFC 9113 section 6.5.2)
_OF_CONNECTION: Final = (b"Connection", b"Keep-Alive", b"Proxy-Connection", b"Transfer-Encoding", b"Upgrade")  # in Go's order
_NOT_SENT: Final = frozenset((*_OF_CONNECTION, b"Host", b"Content-Length"))
_NO_TE: Final = ((b"trailers",), (b"",))
_NEVER_TRAILERS: Final = frozenset((b"Transfer-Encoding", b"Trailer", b"Content-Length"))
_BODY_EXPECTED: Final = frozenset((b"POST", b"PUT", b"PATCH"))
_NO_BODY: Final = frozenset((204, 304))


class Malformed(Exception):
    """A message that no reader of HTTP/2 may accept: its stream ends with PROTOCOL_ERROR."""


class Refused(Exception):
    """A request that is answered before anybody gets to see it."""

    def __init__(self, status: int, body: bytes, headers: Headers) -> None:
        super().__init__(body.decode())
        self.answer = Answer(status, body, headers)


def _bad_request(text: str) -> Refused:
    headers = Headers({b"Content-Type": (b"text/plain; charset=utf-8",), b"X-Content-Type-Options": (b"nosniff",)})
    return Refused(400, text.encode() + b"\n", headers)


_TOO_LARGE: Final = b"<h1>HTTP Error 431</h1><p>Request Header Field(s) Too Large</p>"


# Reading


def request_head(fields: list[Pair], *, ended: bool, limit: int) -> RequestHead:
    """The head of a request; `ended` says that it has no body. limit is that of the header list in bytes.

    Raises Malformed and Refused.
    """
    pseudo, headers = _split(fields, _REQUEST_PSEUDO)
    head = RequestHead()
    head.version, head.keep_alive, head.headers = b"HTTP/2.0", True, headers
    _set_target(head, pseudo)
    head.trailer = []
    if b"Trailer" in headers:
        head.trailer = [name for name in trailer_names(headers.pop(b"Trailer")) if name not in _NEVER_TRAILERS]
    if b"Cookie" in headers:
        headers[b"Cookie"] = (b"; ".join(headers[b"Cookie"]),)
    _set_length(head, ended=ended)
    if sum([len(name) + len(value) + _ENTRY for name, value in fields]) > limit:
        raise Refused(431, _TOO_LARGE, Headers({b"Content-Type": (b"text/html; charset=utf-8",)}))
    _check_connection_fields(headers)
    if head.host.translate(None, HOST_BYTES):
        raise _bad_request("malformed Host header")
    return head


def _split(fields: list[Pair], known: frozenset[bytes]) -> tuple[dict[bytes, bytes], Headers]:
    """Pseudo-header fields, and the others. Raises Malformed."""
    pseudo: dict[bytes, bytes] = {}
    headers = Headers()
    repeated: dict[bytes, list[bytes]] = {}  # to put tens of thousands together at once
    for name, value in fields:
        if _CONTROL.search(value):
            raise Malformed("invalid field value")
        if name[:1] == b":":
            if headers or name in pseudo or name not in known:
                raise Malformed("invalid pseudo-header")
            pseudo[name] = value
        elif not _NAME.fullmatch(name):
            raise Malformed("invalid field name")
        else:
            title = canonical(name)
            value = value.strip(b" \t")  # nothing that reads HTTP/1 would see the difference
            if title in headers:
                repeated.setdefault(title, []).append(value)
            else:
                headers[title] = (value,)
    for title, values in repeated.items():
        headers[title] = (*headers[title], *values)
    return pseudo, headers


def _set_target(head: RequestHead, pseudo: dict[bytes, bytes]) -> None:
    """Method, target and host. Raises Malformed."""
    hosts = head.headers.pop(b"Host", (b"",))
    head.method = method = pseudo.get(b":method", b"")
    authority = pseudo.get(b":authority", b"")
    head.host = authority or hosts[0]
    path, scheme = pseudo.get(b":path", b""), pseudo.get(b":scheme", b"")
    if b":protocol" in pseudo or not _TOKEN.fullmatch(method):
        raise Malformed("extended CONNECT is not offered")
    if method == b"CONNECT":
        if path or scheme or not authority:
            raise Malformed("CONNECT with a path or a scheme")
        path = authority
    elif scheme not in (b"https", b"http"):
        raise Malformed("missing pseudo-header")
    elif path[:1] != b"/" and path != b"*":  # Go takes a whole URL, whose host a backend might believe
        raise Malformed("invalid path")
    parsed = parse(path, method)
    if parsed is None:
        raise Malformed("invalid path")
    head.target = path
    head.authority, head.path, head.query = parsed


def _set_length(head: RequestHead, *, ended: bool) -> None:
    """Raises Malformed."""
    head.length = 0 if ended else CHUNKED
    if b"Content-Length" not in head.headers:
        return
    try:
        length = content_length(head.headers)
    except BadRequest as refused:
        raise Malformed("invalid content-length") from refused
    if ended and length:
        raise Malformed("request declares a body and has none")
    head.length = length


def _check_connection_fields(headers: Headers) -> None:
    """Raises Refused for what belongs to HTTP/1."""
    for name in _OF_CONNECTION:
        if name in headers:
            raise _bad_request(f'request header "{name.decode()}" is not valid in HTTP/2')
    if headers.get(b"Te", (b"",)) not in _NO_TE:
        raise _bad_request('request header "TE" may only be "trailers" in HTTP/2')


def response_head(fields: list[Pair], method: bytes, *, ended: bool) -> ResponseHead:
    """The head of a response, final or not; `ended` says that it has no body. Raises BadResponse."""
    try:
        pseudo, headers = _split(fields, _RESPONSE_PSEUDO)
    except Malformed as error:
        raise BadResponse(f"malformed response from server: {error}") from error
    status = pseudo.get(b":status", b"")
    if len(status) != 3 or not status.isdigit():
        raise BadResponse("malformed response from server: malformed non-numeric status pseudo header")
    head = ResponseHead()
    head.version, head.status, head.headers, head.keep_alive = b"HTTP/2.0", int(status), headers, True
    declared = None
    if b"Content-Length" in headers:
        try:
            declared = content_length(headers)
        except BadRequest as refused:
            raise BadResponse("malformed response from server: invalid content-length") from refused
    if ended or method == b"HEAD" or head.status in _NO_BODY:
        head.length = 0
    else:
        head.length = CHUNKED if declared is None else declared
    return head


def trailer_fields(fields: list[Pair]) -> Headers:
    """What comes after a body. Raises Malformed."""
    return _split(fields, frozenset())[1]


# Writing


def _fields(headers: Headers) -> list[bytes]:
    names = sorted(headers if _NOT_SENT.isdisjoint(headers) else headers.keys() - _NOT_SENT)
    return [field(name, value) for name in names for value in headers[name]]


def request_block(request: RequestHead, line: RequestLine) -> bytes:
    """The fields of a request to a backend, encoded."""
    target, host, _ = line
    headers = request.headers
    parts = [indexed(b":method", request.method), field(b":authority", host)]
    if request.method != b"CONNECT":
        parts += (b"\x87", indexed(b":path", target))  # :scheme https
    if request.trailer:
        parts.append(field(b"trailer", b",".join(request.trailer)))
    parts += _fields(headers)
    if request.length > 0 or (request.length == 0 and request.method in _BODY_EXPECTED):
        parts.append(field(b"content-length", b"%d" % request.length))
    return b"".join(parts)


def response_block(request: RequestHead, head: ResponseHead, clock: Clock) -> bytes:
    """The fields of a backend's response as the client is to see it, encoded."""
    headers, status = head.headers, head.status
    parts = [indexed(b":status", b"%d" % status), *_fields(headers)]
    if status not in _NO_BODY:
        declared = headers.get(b"Content-Length")
        if declared is not None:
            parts.append(field(b"content-length", declared[0]))
        elif head.length >= 0 and request.method != b"HEAD":
            parts.append(field(b"content-length", b"%d" % head.length))
    if b"Date" not in headers:
        parts.append(field(b"date", http_date(clock.now())))
    return b"".join(parts)


def preliminary_block(status: int, headers: Headers) -> bytes:
    """The fields of a 1xx response, encoded."""
    return b"".join((field(b":status", b"%d" % status), *_fields(headers)))


def answer_block(answer: Answer, now: float) -> bytes:
    """The fields of a response of our own, encoded. now is in seconds of the epoch."""
    parts = [indexed(b":status", b"%03d" % answer.status), *_fields(answer.headers)]
    parts += (field(b"content-length", b"%d" % len(answer.body)), field(b"date", http_date(now)))
    return b"".join(parts)


def trailer_block(trailers: Headers) -> bytes:
    """The fields that follow a body, encoded; empty if there are none."""
    return b"".join(_fields(trailers))
