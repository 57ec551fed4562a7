"""Request and response heads: bytes -> values.

Strategy: the common head (CRLF line ends, nothing folded, origin form) is recognised as a whole by one regular expression;
only what it does not match goes through the slow reader, which knows Go's leniency (bare LF, folded lines) and Go's refusals.
Whatever is accepted is written anew by us, so a backend never gets to read a message in another way than we did.
Facts: Go's net/http server.go, request.go, transfer.go and textproto, as Gorouter shows them on the wire.

`None` means that more bytes are needed. Refusals are exceptions that carry the answer.
"""

import re
from collections.abc import Iterable
from typing import Final, cast

from cfroute.proxy.headers import TOKEN, Field, Headers, Message, canonical, known_fields, split_field
from cfroute.proxy.target import parse

_REQUEST: Final = re.compile(
    rb"([A-Z]+) (/[!-$&->@-~]*)(?:\?([!-~]*))? HTTP/1\.1\r\n"
    rb"((?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[^\x00-\x08\x0a-\x1f\x7f]*\r\n)*)\r\n"
)
_RESPONSE: Final = re.compile(
    rb"HTTP/1\.1 ([1-9][0-9][0-9])(?: [^\r\n]*)?\r\n((?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[^\x00-\x08\x0a-\x1f\x7f]*\r\n)*)\r\n"
)
_END: Final = re.compile(rb"\n\r?\n")
_VERSION: Final = re.compile(rb"HTTP/\d\.\d")
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
HOST_BYTES: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!$%&'()*+,-.:;=[]_~"
_MOST_DIGITS: Final = 18  # of a length: more would not fit Go's int64
_KEEP_ALIVE: Final = (b"keep-alive",)

_FRAMING: Final = frozenset((b"Connection", b"Content-Length", b"Trailer", b"Transfer-Encoding"))
_NEVER_TRAILERS: Final = frozenset((b"Content-Length", b"Trailer", b"Transfer-Encoding"))  # they decide where a message ends

CHUNKED: Final = -1
UNTIL_CLOSE: Final = -2
_MOST_LINES: Final = 250_000  # of a head: those of a response could keep everybody waiting for seconds
_MOST_AT_ONCE: Final = 1 << 20  # bytes, which cannot have many more lines
LINE_SLACK: Final = 4096  # Go reads this much more than the limit before it refuses


class BadRequest(Exception):
    """A request that is refused before anybody gets to see it: the text of the status line, and the body if that is another.

    problem is what Go's client says when it finds the same in a response.
    """

    def __init__(self, status: str = "400 Bad Request", body: str | None = None, problem: str = "") -> None:
        super().__init__(status)
        self.status = status
        self.body = status if body is None else body
        self.problem = problem

    def answer(self) -> bytes:
        """The whole response, as Go's server writes it (no Date)."""
        return (
            f"HTTP/1.1 {self.status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n{self.body}"
        ).encode()


class BadResponse(Exception):
    """A backend's answer that is no HTTP; the text is Go's."""


class RequestHead(Message):
    """A request without its body.

    target is as it came; authority, path and query are its parts; host is what is routed on (from an absolute target, or the
    Host header, which is not among the headers any more). length is that of the body, or CHUNKED; trailer the names of the
    fields that are announced to follow a chunked one. escaped is the path as `target.escaped` gives it, where that is known.
    """

    method: bytes
    target: bytes
    authority: bytes
    path: bytes
    query: bytes | None
    version: bytes
    host: bytes
    length: int
    keep_alive: bool
    trailer: list[bytes]
    escaped = b""

    def copy(self) -> "RequestHead":
        """Another with the same content, whose fields can be edited on their own."""
        head = RequestHead()
        head.method, head.target, head.version = self.method, self.target, self.version
        head.authority, head.path, head.query, head.host = self.authority, self.path, self.query, self.host
        head.length, head.keep_alive, head.trailer = self.length, self.keep_alive, self.trailer
        head.escaped, head.hop_by_hop = self.escaped, self.hop_by_hop
        head.headers = Headers(self.headers)
        return head

    def __repr__(self) -> str:
        return f"<{self.method!r} {self.target!r} host={self.host!r} length={self.length}>"


class ResponseHead(Message):
    """A response without its body. length is that of the body, or CHUNKED, or UNTIL_CLOSE."""

    version: bytes
    status: int
    length: int
    keep_alive: bool

    def copy(self) -> "ResponseHead":
        """Another with the same content, whose fields can be edited on their own."""
        head = ResponseHead()
        head.version, head.status, head.length, head.keep_alive = self.version, self.status, self.length, self.keep_alive
        head.hop_by_hop = self.hop_by_hop
        head.headers = Headers(self.headers)
        return head

    def __repr__(self) -> str:
        return f"<{self.status} length={self.length}>"


def parse_request(data: bytes, limit: int) -> tuple[RequestHead, int] | None:
    """The head at the start of `data` and its length in bytes, or None while it is incomplete.

    limit is the largest size of request line and headers, in bytes. Raises BadRequest.
    """
    common = _REQUEST.match(data)
    if common is None or (end := common.end()) > limit:
        return _parse_slowly(data, limit)
    head = RequestHead()
    head.method, path, query, block = common.groups()
    head.target = path if query is None else path + b"?" + query
    head.version = b"HTTP/1.1"
    head.authority, head.path, head.query = b"", path, query
    head.headers = _common_fields(block)
    _complete(head)
    return head, end


def _parse_slowly(data: bytes, limit: int) -> tuple[RequestHead, int] | None:
    head = RequestHead()
    read = _read(data, limit)
    if read is None:
        if (newline := data.find(b"\n")) >= 0:  # Go refuses a bad line as soon as it is there
            _set_first_line(head, data[:newline].removesuffix(b"\r"))
        return None
    end, first, head.headers = read
    _set_first_line(head, first)
    _complete(head)
    if head.method == b"PRI" and head.version == b"HTTP/2.0":
        head.keep_alive = False  # what follows would not be HTTP/1
    return head, end


def _complete(head: RequestHead) -> None:
    """Derive from first line and fields where the request goes, and where it ends."""
    headers = head.headers
    _set_host(head)
    if _FRAMING.isdisjoint(headers):
        head.length, head.trailer, head.keep_alive = 0, [], head.version != b"HTTP/1.0"
        return
    _set_request_length(head)
    if b"Connection" not in headers:
        head.keep_alive = head.version != b"HTTP/1.0"
        return
    tokens = headers.tokens(b"Connection")
    head.keep_alive = b"close" not in tokens and (head.version != b"HTTP/1.0" or b"keep-alive" in tokens)


def may_be_complete(data: bytes, seen: int, limit: int) -> bool:
    """Whether `data` has to be read again now that it is longer than its first `seen` bytes, which were an incomplete head.

    It looks at no more than what is new, so that a head which trickles in costs as much as one that comes at once.
    """
    if len(data) > limit + LINE_SLACK:
        return True
    first = data.find(b"\n")
    return first >= seen or (first >= 0 and _END.search(data, max(seen - 2, 0)) is not None)


def _common_fields(block: bytes) -> Headers:
    """The fields of a block that is known to be well-formed, without folded lines."""
    lines = block.split(b"\r\n")
    lines.pop()
    known = list(map(known_fields.get, lines))
    if None in known:
        return _gathered([field or split_field(line) for field, line in zip(known, lines, strict=True)])
    return _gathered(cast(list[Field], known))


def _gathered(fields: list[Field]) -> Headers:
    headers = Headers(fields)
    if len(headers) < len(fields):  # some name came twice
        values: dict[bytes, list[bytes]] = {}
        for name, (value,) in fields:
            values.setdefault(name, []).append(value)
        headers.update((name, tuple(several)) for name, several in values.items())
    return headers


def _set_first_line(head: RequestHead, line: bytes) -> None:
    parts = line.split(b" ", 2)
    if len(parts) != 3 or not TOKEN.fullmatch(parts[0]):
        raise BadRequest
    head.method, head.target, head.version = parts
    _check_version(head)
    parsed = parse(head.target, head.method)
    if parsed is None:
        raise BadRequest
    head.authority, head.path, head.query = parsed


def _read(data: bytes, limit: int) -> tuple[int, bytes, Headers] | None:
    """The end of the head, its first line and its fields, with all of Go's leniency and refusals."""
    if data[:1] in (b"\r", b"\n"):
        raise BadRequest
    end = _END.search(data)
    if (end.end() if end else len(data)) > limit + LINE_SLACK:
        raise BadRequest("431 Request Header Fields Too Large")
    if end is None:
        return None
    if data.count(b"\n", 0, end.end()) > _MOST_LINES:
        raise BadRequest("431 Request Header Fields Too Large")
    lines = [line.removesuffix(b"\r") for line in data[: end.start()].split(b"\n")]
    return end.end(), lines[0], fields(lines[1:])


def fields(lines: list[bytes]) -> Headers:
    """Header or trailer lines (without line ends) as fields. Raises BadRequest."""
    read: list[Field] = []
    folded: list[list[bytes]] = []
    for line in lines:
        if line[:1] not in (b" ", b"\t"):
            folded.append([line])
        elif folded:
            folded[-1].append(line)
        else:
            raise BadRequest(problem=f"malformed MIME header initial line: {_shown(line)}")
    for first, *more in folded:
        line = b" ".join([first.rstrip(b" \t"), *(piece.strip(b" \t") for piece in more)]) if more else first
        name, colon, value = line.partition(b":")
        if not colon:
            raise BadRequest(problem=f'malformed MIME header: missing colon: "{_shown(line)}"')
        if not TOKEN.fullmatch(name):
            raise BadRequest("400 Bad Request: invalid header name", problem=f"malformed MIME header line: {_shown(line)}")
        if _CONTROL.search(value):
            raise BadRequest(problem=f"malformed MIME header line: {_shown(line)}")
        read.append((canonical(name), (value.strip(b" \t"),)))
    return _gathered(read)


def _shown(line: bytes) -> str:
    """A line of the wire as part of a message."""
    return line[:200].decode("utf-8", "backslashreplace")


def _check_version(head: RequestHead) -> None:
    version = head.version
    if version in (b"HTTP/1.1", b"HTTP/1.0"):
        return
    if not _VERSION.fullmatch(version):
        raise BadRequest
    if not version.startswith(b"HTTP/1") and (head.method, head.target, version) != (b"PRI", b"*", b"HTTP/2.0"):
        raise BadRequest("505 HTTP Version Not Supported: unsupported protocol version")


def _set_host(head: RequestHead) -> None:
    hosts = head.headers.pop(b"Host", None)
    if hosts is None:
        if head.version != b"HTTP/1.0" and head.method not in (b"CONNECT", b"PRI"):
            raise BadRequest("400 Bad Request: missing required Host header")
        hosts = (b"",)
    if len(hosts) > 1:
        raise BadRequest
    head.host = head.authority or hosts[0]
    if hosts[0].translate(None, HOST_BYTES) or head.authority.translate(None, HOST_BYTES):
        raise BadRequest("400 Bad Request: malformed Host header")


def _set_request_length(head: RequestHead) -> None:
    headers = head.headers
    trailer = headers.pop(b"Trailer", None)
    head.trailer = []
    codings = headers.pop(b"Transfer-Encoding", None)
    if codings is not None and head.version != b"HTTP/1.0":
        if len(codings) != 1 or codings[0].lower() != b"chunked":
            raise BadRequest("501 Not Implemented", "Unsupported transfer encoding")
        if b"Content-Length" in headers:
            content_length(headers)
            del headers[b"Content-Length"]  # RFC 9112 section 6.3: the coding overrides the length
        head.length = CHUNKED
        if trailer is not None:
            head.trailer = trailer_names(trailer)
            if not _NEVER_TRAILERS.isdisjoint(head.trailer):
                raise BadRequest
        return
    head.length = content_length(headers) if b"Content-Length" in headers else 0


def trailer_names(announced: Iterable[bytes]) -> list[bytes]:
    """The names in `Trailer` lines, canonical and sorted, each once."""
    names = (name.strip(b" \t") for line in announced for name in line.split(b","))
    return sorted({canonical(name) for name in names if name})


def content_length(headers: Headers) -> int:
    """The declared length; equal repetitions are folded into one. Raises BadRequest for anything unclear."""
    values = headers[b"Content-Length"]
    if len(values) > 1:
        if any(value != values[0] for value in values):
            raise BadRequest
        headers[b"Content-Length"] = values[:1]
    if not _is_length(values[:1]):
        raise BadRequest
    return int(values[0])


def parse_response(data: bytes, limit: int, method: bytes) -> tuple[ResponseHead, int] | None:
    """The response head at the start of `data` and its length, or None while it is incomplete. Raises BadResponse."""
    head = ResponseHead()
    common = _RESPONSE.match(data)
    if common is not None and (end := common.end()) <= limit and end <= _MOST_AT_ONCE:
        code, block = common.groups()
        head.version, head.status = b"HTTP/1.1", int(code)
        head.headers = headers = _common_fields(block)
    else:
        read = _read_response(data, limit)
        if read is None:
            return None
        end, first, headers = read
        head.headers = headers
        head.version, head.status = _status(first)
    declared = headers.get(b"Content-Length")
    if declared is not None and b"Transfer-Encoding" not in headers and _bodied(head.status, method) and _is_length(declared):
        head.length = int(declared[0])
    else:
        head.length = _response_length(head, method)
    connection = headers.get(b"Connection")
    if connection is None or connection == _KEEP_ALIVE:
        head.keep_alive = (head.version != b"HTTP/1.0" or connection is not None) and head.length != UNTIL_CLOSE
        return head, end
    tokens = headers.tokens(b"Connection")
    if head.version == b"HTTP/1.0":
        head.keep_alive = b"keep-alive" in tokens and head.length != UNTIL_CLOSE
    else:
        head.keep_alive = b"close" not in tokens and head.length != UNTIL_CLOSE
    return head, end


def _read_response(data: bytes, limit: int) -> tuple[int, bytes, Headers] | None:
    try:
        read = _read(data, limit)
    except BadRequest as refused:
        if refused.status.startswith("431"):
            raise BadResponse(f"net/http: server response headers exceeded {limit} bytes; aborted") from None
        raise BadResponse(refused.problem or _malformed(data)) from None
    if read is None and (newline := data.find(b"\n")) >= 0:
        _status(data[:newline].removesuffix(b"\r"))  # what is not HTTP may never send an empty line
    return read


def _malformed(data: bytes) -> str:
    line = data.partition(b"\n")[0].rstrip(b"\r")
    return f'malformed HTTP response "{_shown(line)}"'


def _status(line: bytes) -> tuple[bytes, int]:
    version, space, rest = line.partition(b" ")
    if not space:
        raise BadResponse(_malformed(line))
    code = rest.lstrip(b" ").partition(b" ")[0]
    if len(code) != 3 or not code.isdigit():
        raise BadResponse(f'malformed HTTP status code "{_shown(code)}"')
    if not _VERSION.fullmatch(version):
        raise BadResponse(f'malformed HTTP version "{_shown(version)}"')
    return version, int(code)


def _bodied(status: int, method: bytes) -> bool:
    return status >= 200 and status != 304 and status != 204 and method != b"HEAD"


def _is_length(values: tuple[bytes, ...]) -> bool:
    return len(values) == 1 and values[0].isdigit() and len(values[0]) <= _MOST_DIGITS


def _response_length(head: ResponseHead, method: bytes) -> int:
    headers = head.headers
    codings = headers.pop(b"Transfer-Encoding", None)
    try:
        declared = content_length(headers) if b"Content-Length" in headers else None
    except BadRequest:
        values = b",".join(headers[b"Content-Length"]).decode("utf-8", "backslashreplace")
        raise BadResponse(f'bad Content-Length "{values}"') from None
    if not _bodied(head.status, method):
        return 0
    if codings is not None and head.version != b"HTTP/1.0":
        if len(codings) != 1 or codings[0].lower() != b"chunked":
            raise BadResponse(f'unsupported transfer encoding: "{codings[0].decode("latin-1")}"')
        headers.pop(b"Content-Length", None)
        return CHUNKED
    return UNTIL_CLOSE if declared is None else declared
