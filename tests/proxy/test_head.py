"""Heads of requests and responses: what is refused and how, what is let through, and that nothing can be read in two ways."""

import re

import h11
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cfroute.proxy import head as heads
from cfroute.proxy.head import (
    CHUNKED,
    UNTIL_CLOSE,
    BadRequest,
    BadResponse,
    RequestHead,
    may_be_complete,
    parse_request,
    parse_response,
)
from cfroute.proxy.wire import request_bytes

LIMIT = 1 << 20


def parse(data: bytes, limit: int = LIMIT) -> RequestHead:
    """A complete head: read whole, with bytes behind it, and byte by byte."""
    read = parse_request(data, limit)
    assert read is not None
    assert read[1] == len(data)
    followed = parse_request(data + b"GET /smuggled HTTP/1.1\r\n\r\n", limit)
    assert followed is not None
    assert followed[1] == len(data)
    assert seen(followed[0]) == seen(read[0])
    for end in range(len(data)):
        assert parse_request(data[:end], limit) is None, data[:end]
    return read[0]


def seen(request: RequestHead) -> dict[str, object]:
    """All that is known of a request."""
    return vars(request)


def refusal(data: bytes, limit: int = LIMIT) -> BadRequest:
    """How a head is refused, the same for the head alone, with bytes behind it and byte by byte."""
    with pytest.raises(BadRequest) as whole:
        parse_request(data, limit)
    with pytest.raises(BadRequest) as followed:
        parse_request(data + b"x" * 10, limit)
    assert followed.value.answer() == whole.value.answer()
    early = next(filter(None, (refused(data[:end], limit) for end in range(1, len(data) + 1))))
    assert early.answer() == whole.value.answer()
    return whole.value


def refused(data: bytes, limit: int) -> BadRequest | None:
    try:
        parse_request(data, limit)
    except BadRequest as refused:
        return refused
    return None


def request(*lines: str, first: str = "GET / HTTP/1.1") -> bytes:
    return "\r\n".join((first, *lines, "", "")).encode("latin-1")


PLAIN = "400 Bad Request"
UNSUPPORTED = "505 HTTP Version Not Supported: unsupported protocol version"
REFUSED = {
    "no Host": (request(), "400 Bad Request: missing required Host header"),
    "no Host in 1.2": (request(first="GET / HTTP/1.2"), "400 Bad Request: missing required Host header"),
    "slash in Host": (request("Host: a/b"), "400 Bad Request: malformed Host header"),
    "space in Host": (request("Host: a b"), "400 Bad Request: malformed Host header"),
    "user in Host": (request("Host: a@b"), "400 Bad Request: malformed Host header"),
    "Host not ASCII": (request("Host: \xe4.test"), "400 Bad Request: malformed Host header"),
    "quote in a target": (request("Host: a", first='GET http://a"b/ HTTP/1.1'), "400 Bad Request: malformed Host header"),
    "two Hosts": (request("Host: a", "Host: a"), PLAIN),
    "bracket in the method": (request("Host: a", first="G(T / HTTP/1.1"), PLAIN),
    "no method": (request("Host: a", first=" / HTTP/1.1"), PLAIN),
    "no target": (request("Host: a", first="GET  HTTP/1.1"), PLAIN),
    "target without slash": (request("Host: a", first="GET a HTTP/1.1"), PLAIN),
    "space in target": (request("Host: a", first="GET /a b HTTP/1.1"), PLAIN),
    "two spaces": (request("Host: a", first="GET  / HTTP/1.1"), PLAIN),
    "space after version": (request("Host: a", first="GET / HTTP/1.1 "), PLAIN),
    "tab for space": (request("Host: a", first="GET\t/ HTTP/1.1"), PLAIN),
    "bad escape": (request("Host: a", first="GET /%zz HTTP/1.1"), PLAIN),
    "cut escape": (request("Host: a", first="GET /% HTTP/1.1"), PLAIN),
    "bad escape in absolute form": (request("Host: a", first="GET http://a/%zz HTTP/1.1"), PLAIN),
    "bad escape in one-slash form": (request("Host: a", first="GET http:/%zz HTTP/1.1"), PLAIN),
    "ASCII escaped in host": (request("Host: a", first="GET http://%41/ HTTP/1.1"), PLAIN),
    "control in target": (request("Host: a", first="GET /\x01 HTTP/1.1"), PLAIN),
    "NUL in target": (request("Host: a", first="GET /\x00 HTTP/1.1"), PLAIN),
    "CR in target": (request("Host: a", first="GET /\r HTTP/1.1"), PLAIN),
    "DEL in target": (request("Host: a", first="GET /\x7f HTTP/1.1"), PLAIN),
    "NUL in value": (request("Host: a", "X: a\x00b"), PLAIN),
    "CR in value": (request("Host: a", "X: a\rb"), PLAIN),
    "CR before the end of a line": (request("Host: a", "X: a\r"), PLAIN),
    "bell in value": (request("Host: a", "X: \x07"), PLAIN),
    "DEL in value": (request("Host: a", "X: \x7f"), PLAIN),
    "lengths differ": (request("Host: a", "Content-Length: 1", "Content-Length: 2"), PLAIN),
    "lengths differ by a zero": (request("Host: a", "Content-Length: 1", "Content-Length: 01"), PLAIN),
    "list of lengths": (request("Host: a", "Content-Length: 1, 1"), PLAIN),
    "empty length": (request("Host: a", "Content-Length:"), PLAIN),
    "negative length": (request("Host: a", "Content-Length: -1"), PLAIN),
    "length with plus": (request("Host: a", "Content-Length: +1"), PLAIN),
    "length in hex": (request("Host: a", "Content-Length: 0x1"), PLAIN),
    "length with space": (request("Host: a", "Content-Length: 1 1"), PLAIN),
    "length with underscore": (request("Host: a", "Content-Length: 1_1"), PLAIN),
    "length in other digits": (request("Host: a", "Content-Length: \xb2"), PLAIN),
    "length too large": (request("Host: a", "Content-Length: 9223372036854775808"), PLAIN),
    "bad length beside chunked": (request("Host: a", "Content-Length: x", "Transfer-Encoding: chunked"), PLAIN),
    "lengths differ beside chunked": (
        request("Host: a", "Content-Length: 1", "Transfer-Encoding: chunked", "Content-Length: 2"), PLAIN),
    "leading CRLF": (b"\r\n" + request("Host: a"), PLAIN),
    "leading LF": (b"\n" + request("Host: a"), PLAIN),
    "HTTP/0.9": (b"GET /\r\n", PLAIN),
    "version in lower case": (request("Host: a", first="GET / http/1.1"), PLAIN),
    "version of two digits": (request("Host: a", first="GET / HTTP/1.10"), PLAIN),
    "not HTTP": (b"hello\n", PLAIN),
    "line without colon": (request("Host: a", "X"), PLAIN),
    "folded first line": (request(" Host: a"), PLAIN),
    "length announced as trailer": (request("Host: a", "Transfer-Encoding: chunked", "Trailer: X, content-length"), PLAIN),
    "coding announced as trailer": (request("Host: a", "Transfer-Encoding: chunked", "Trailer: Transfer-Encoding"), PLAIN),
    "space before colon": (request("Host : a"), "400 Bad Request: invalid header name"),
    "tab before colon": (request("Host: a", "Transfer-Encoding\t: chunked"), "400 Bad Request: invalid header name"),
    "no name": (request("Host: a", ": x"), "400 Bad Request: invalid header name"),
    "space in name": (request("Host: a", "X Y: x"), "400 Bad Request: invalid header name"),
    "NUL in name": (request("Host: a", "X\x00: x"), "400 Bad Request: invalid header name"),
    "name not ASCII": (request("Host: a", "X\xe4: x"), "400 Bad Request: invalid header name"),
    "bracket in name": (request("Host: a", "X(: x"), "400 Bad Request: invalid header name"),
    "HTTP/2.0": (request("Host: a", first="GET / HTTP/2.0"), UNSUPPORTED),
    "HTTP/0.9 spelled out": (request("Host: a", first="GET / HTTP/0.9"), UNSUPPORTED),
    "another target with HTTP/2's preface": (request("Host: a", first="PRI / HTTP/2.0"), UNSUPPORTED),
    "another version with HTTP/2's preface": (request("Host: a", first="PRI * HTTP/2.1"), UNSUPPORTED),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case: str) -> None:
    data, status = REFUSED[case]
    assert refusal(data).answer() == (
        f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n{status}".encode()
    )


CODINGS = (
    "gzip", "identity", "chunked, identity", "identity, chunked", "chunked,chunked", "xchunked", "chunked;q=1", '"chunked"',
    "chunked,", ",chunked", "", "chun\tked", "chunked\xa0", "\u00a0chunked",
)  # fmt: skip


@pytest.mark.parametrize("coding", CODINGS)
def test_one_chunked_is_the_only_transfer_encoding(coding: str) -> None:
    for lines in ((f"Transfer-Encoding: {coding}",), ("Transfer-Encoding: chunked", f"Transfer-Encoding: {coding}")):
        refused = refusal(request("Host: a", *lines))
        assert refused.status == "501 Not Implemented"
        assert refused.answer().endswith(b"\r\n\r\nUnsupported transfer encoding")


@pytest.mark.parametrize("control", ["\x0b", "\x0c", "\x00", "\x08"])
def test_a_coding_behind_a_control_byte_is_refused(control: str) -> None:
    assert refusal(request("Host: a", f"Transfer-Encoding:{control}chunked")).status == PLAIN


LENIENT = {
    "bare LF": (b"GET / HTTP/1.1\nHost: a\nX: y\n\n", {b"X": (b"y",)}),
    "LF and CRLF mixed": (b"GET / HTTP/1.1\r\nHost: a\nX: y\r\n\n", {b"X": (b"y",)}),
    "folded": (request("Host: a", "X: y", "  z", "\t w \t"), {b"X": (b"y z w",)}),
    "folded with an empty line": (request("Host: a", "X: y", " "), {b"X": (b"y",)}),
    "folded from the start": (request("Host: a", "X:", " y"), {b"X": (b"y",)}),
    "value not ASCII": (request("Host: a", "X: \xff\xe4"), {b"X": (b"\xff\xe4",)}),
    "value with tab": (request("Host: a", "X: \t a\tb \t"), {b"X": (b"a\tb",)}),
    "empty value": (request("Host: a", "X:"), {b"X": (b"",)}),
    "names in any case": (
        request("hOsT: a", "x-a_b: 1", "X-A_B: 2"),
        {
            b"X-A_b": (
                b"1",
                b"2",
            )
        },
    ),
    "colons in value": (request("Host: a", "X::y:"), {b"X": (b":y:",)}),
}


@pytest.mark.parametrize("case", LENIENT)
def test_leniency(case: str) -> None:
    data, headers = LENIENT[case]
    read = parse(data)
    assert read.host == b"a"
    assert read.headers == headers


def test_equal_lengths_are_one() -> None:
    read = parse(request("Host: a", "Content-Length: 7", "Content-Length: 7"))
    assert (read.length, read.headers) == (7, {b"Content-Length": (b"7",)})


@pytest.mark.parametrize("coding", ["chunked", "CHUNKED", " \tchunked\t "])
def test_chunked_overrides_a_length(coding: str) -> None:
    read = parse(request("Host: a", "Content-Length: 7", f"Transfer-Encoding: {coding}"))
    assert (read.length, read.headers) == (CHUNKED, {})


def test_a_folded_transfer_encoding_counts() -> None:
    assert parse(request("Host: a", "Transfer-Encoding:", " chunked")).length == CHUNKED


def test_version_1_0_has_no_transfer_encoding() -> None:
    read = parse(request("Transfer-Encoding: gzip", "Content-Length: 7", first="POST / HTTP/1.0"))
    assert (read.length, read.headers) == (7, {b"Content-Length": (b"7",)})


@pytest.mark.parametrize("method", ["get", "X", "M-SEARCH", "!#$%&'*+-.^_`|~", "CHUNKED"])
def test_any_token_is_a_method(method: str) -> None:
    assert parse(request("Host: a", first=f"{method} / HTTP/1.1")).method == method.encode()


TARGETS = {
    "GET http://b.test/p?q HTTP/1.1": (b"b.test", b"/p", b"q"),
    "GET http://u:p@b.test:81 HTTP/1.1": (b"b.test:81", b"", None),
    "GET ws://[::1]:80/ HTTP/1.1": (b"[::1]:80", b"/", None),
    "CONNECT b.test:443 HTTP/1.1": (b"b.test:443", b"", None),
    "CONNECT /p HTTP/1.1": (b"a", b"/p", None),
    "GET //b.test/p HTTP/1.1": (b"a", b"//b.test/p", None),
    "GET /p? HTTP/1.1": (b"a", b"/p", b""),
    "GET /?a?b HTTP/1.1": (b"a", b"/", b"a?b"),
    "GET /#f HTTP/1.1": (b"a", b"/#f", None),
    "GET /\xff HTTP/1.1": (b"a", b"/\xff", None),
    "GET * HTTP/1.1": (b"a", b"*", None),
    "GET mailto:x HTTP/1.1": (b"a", b"", None),
    "PRI * HTTP/2.0": (b"a", b"*", None),
}


@pytest.mark.parametrize("line", TARGETS)
def test_targets_decide_the_host(line: str) -> None:
    read = parse(request("Host: a", first=line))
    assert (read.host, read.path, read.query) == TARGETS[line]
    assert read.target == line.split(" ")[1].encode("latin-1")


@pytest.mark.parametrize("line", ["GET / HTTP/1.0", "CONNECT b.test:443 HTTP/1.1", "PRI * HTTP/2.0"])
def test_some_need_no_host(line: str) -> None:
    assert parse(request(first=line)).host in (b"", b"b.test:443")


def test_an_empty_host_is_the_policys_affair() -> None:
    assert parse(request("Host:")).host == b""


KEEPING = {
    ("1.1", None): True,
    ("1.1", "close"): False,
    ("1.1", "Close , x"): False,
    ("1.1", "x"): True,
    ("1.1", "keep-alive, close"): False,
    ("1.0", None): False,
    ("1.0", "keep-alive"): True,
    ("1.0", "Keep-Alive, close"): False,
    ("1.2", None): True,
}


@pytest.mark.parametrize(("version", "connection"), KEEPING)
def test_keep_alive(version: str, connection: str | None) -> None:
    lines = [] if connection is None else [f"Connection: {connection}"]
    assert parse(request("Host: a", *lines, first=f"GET / HTTP/{version}")).keep_alive is KEEPING[version, connection]


def test_nothing_is_read_after_the_preface_of_http_2() -> None:
    assert parse(request(first="PRI * HTTP/2.0")).keep_alive is False


def test_announced_trailers_belong_to_chunked_bodies() -> None:
    lines = ("Trailer: x-b,  X-A", "Trailer: X-A,")
    read = parse(request("Host: a", "Transfer-Encoding: chunked", *lines))
    assert (read.trailer, read.headers) == ([b"X-A", b"X-B"], {})
    assert parse(request("Host: a", "Content-Length: 1", *lines)).trailer == []


def test_a_head_may_be_as_large_as_the_limit_and_the_slack() -> None:
    limit = 1000
    largest = limit + heads.LINE_SLACK
    start = b"GET / HTTP/1.1\r\nHost: a\r\nX: "
    exactly = start + b"x" * (largest - len(start) - 4) + b"\r\n\r\n"
    read = parse_request(exactly, limit)
    assert read is not None
    assert read[1] == largest
    with pytest.raises(BadRequest, match="431 Request Header Fields Too Large"):
        parse_request(exactly.replace(b"X: ", b"X: x"), limit)
    with pytest.raises(BadRequest, match="431"):
        parse_request(b"G" * (largest + 1), limit)
    assert parse_request(b"G" * largest, limit) is None


@given(st.binary(max_size=30), st.integers(0, 40))
@example(b"GET / HTTP/1.1\n\r\n", 15)
def test_no_head_is_complete_before_it_is_said_that_it_may_be(end: bytes, cut: int) -> None:
    data = b"GET / HTTP/1.0\r\n" + end
    cut = min(cut, len(data))
    if outcome(data[:cut]) == "incomplete" and b"\n" in data[:cut] and not may_be_complete(data, cut, LIMIT):
        assert outcome(data) == "incomplete"


def outcome(data: bytes) -> str:
    try:
        return "incomplete" if parse_request(data, LIMIT) is None else "complete"
    except BadRequest as refused:
        return refused.status


# Nothing is read in two ways

TOKEN = st.from_regex(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,8}", fullmatch=True)
NAMES = st.one_of(
    st.sampled_from([
        b"Host", b"Content-Length", b"Transfer-Encoding", b"Connection", b"Trailer", b"Expect", b"Te", b"Upgrade", b"User-Agent",
    ]),
    TOKEN,
)  # fmt: skip
VALUES = st.one_of(
    st.sampled_from([b"a.test", b"0", b"3", b"5", b"chunked", b"close", b"keep-alive", b"x", b"content-length", b""]),
    st.binary(max_size=8).filter(lambda value: not re.search(rb"[\r\n]", value)),
)
LINES = st.tuples(NAMES, st.sampled_from([b": ", b":", b":\t", b" : ", b":  "]), VALUES).map(b"".join)
ENDS = st.sampled_from([b"\r\n"] * 6 + [b"\n", b"\r\n ", b"\r\n\t", b"\r", b"\r\r\n"])
METHODS = st.one_of(st.sampled_from([b"GET", b"POST", b"HEAD", b"PUT"]), TOKEN)
PATHS = st.one_of(
    st.sampled_from([b"/", b"/a?b", b"*", b"http://b.test/", b"//x", b"/%41"]),
    st.binary(max_size=6).map(lambda path: b"/" + path),
)
VERSIONS = st.sampled_from([b"HTTP/1.1"] * 4 + [b"HTTP/1.0", b"HTTP/1.2"])


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """Heads that are mostly right."""
    data = b" ".join((draw(METHODS), draw(PATHS), draw(VERSIONS))) + draw(ENDS)
    if draw(st.booleans()):
        data += b"Host: a.test\r\n"
    for line in draw(st.lists(LINES, max_size=5)):
        data += line + draw(ENDS)
    return data + draw(st.sampled_from([b"\r\n", b"\n"]))


NEVER = re.compile(rb"(?!)")


def read_slowly(data: bytes, patch: pytest.MonkeyPatch) -> object:
    with patch.context() as context:
        context.setattr(heads, "_REQUEST", NEVER)
        return read_anyhow(data)


def read_anyhow(data: bytes) -> object:
    try:
        read = parse_request(data, LIMIT)
    except BadRequest as refused:
        return refused.answer()
    return read and (seen(read[0]), read[1])


@given(st.one_of(messages(), messages().map(lambda data: data + b"rest")))
@settings(max_examples=150)
def test_both_readers_agree(data: bytes) -> None:
    patch = pytest.MonkeyPatch()
    assert read_anyhow(data) == read_slowly(data, patch)


@given(messages(), st.binary(min_size=1, max_size=5))
@settings(max_examples=200)
def test_what_a_backend_gets_is_the_one_request_that_was_counted(data: bytes, body: bytes) -> None:
    try:
        read = parse_request(data, LIMIT)
    except BadRequest:
        return
    if read is None:
        return
    head = read[0]
    length = len(body) if head.length == CHUNKED else head.length
    if length > 100 or head.version not in (b"HTTP/1.0", b"HTTP/1.1") or not head.host or not head.target.isascii():
        return
    head.remove_hop_by_hop()
    sent = request_bytes(head, (head.target, head.host, False))
    framed = b"%x\r\n%b\r\n0\r\n\r\n" % (length, body) if head.length == CHUNKED else b"x" * length
    assert counted(sent + framed) == (head.method, length)


def counted(data: bytes) -> tuple[bytes, int] | None:
    """The method and the size of the body of the only request in `data`, as a strict reader of HTTP/1.1 sees it."""
    strict = h11.Connection(h11.SERVER)
    strict.receive_data(data)
    first = strict.next_event()
    assert isinstance(first, h11.Request)
    size = 0
    while isinstance(event := strict.next_event(), h11.Data):
        size += len(event.data)
    assert isinstance(event, h11.EndOfMessage)
    assert strict.trailing_data == (b"", False)
    return first.method, size


# Responses

RESPONSES = {
    b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n": (200, 3, True),
    b"HTTP/1.1 200\r\nContent-Length: 3\r\n\r\n": (200, 3, True),
    b"HTTP/1.1 200 \r\nContent-Length: 3\r\n\r\n": (200, 3, True),
    b"HTTP/1.1  200 OK\r\nContent-Length: 3\r\n\r\n": (200, 3, True),
    b"HTTP/1.1 200 OK\nContent-Length: 3\n\n": (200, 3, True),
    b"HTTP/1.1 200 \xe4\xff\r\nContent-Length: 3\r\n\r\n": (200, 3, True),
    b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n": (200, 3, True),
    b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n": (200, CHUNKED, True),
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n Chunked\r\n\r\n": (200, CHUNKED, True),
    b"HTTP/1.1 200 OK\r\n\r\n": (200, UNTIL_CLOSE, False),
    b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 3\r\n\r\n": (200, 3, False),
    b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n": (200, 3, False),
    b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\n": (200, 3, True),
    b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n": (200, UNTIL_CLOSE, False),
    b"HTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\n": (204, 0, True),
    b"HTTP/1.1 304 No\r\nTransfer-Encoding: chunked\r\n\r\n": (304, 0, True),
    b"HTTP/1.1 103 Hint\r\n\r\n": (103, 0, True),
    b"HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n": (999, 0, True),
    b"HTTP/1.1 099 What\r\nContent-Length: 0\r\n\r\n": (99, 0, True),
}


@pytest.mark.parametrize("data", RESPONSES)
def test_responses(data: bytes) -> None:
    for end in range(len(data)):
        assert parse_response(data[:end], LIMIT, b"GET") is None
    for read in (parse_response(data, LIMIT, b"GET"), parse_response(data + b"HTTP/1.1 500 Rest\r\n\r\n", LIMIT, b"GET")):
        assert read is not None
        head, end = read
        assert (head.status, head.length, head.keep_alive, end) == (*RESPONSES[data], len(data))


def test_the_response_to_head_has_no_body() -> None:
    read = parse_response(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", LIMIT, b"HEAD")
    assert read is not None
    assert (read[0].length, read[0].headers) == (0, {b"Content-Length": (b"3",)})


MALFORMED = {
    b"hello\r\n": 'malformed HTTP response "hello"',
    b"SSH-2.0-OpenSSH_9.2\r\n": 'malformed HTTP response "SSH-2.0-OpenSSH_9.2"',
    b"\r\nHTTP/1.1 200 OK\r\n\r\n": 'malformed HTTP response ""',
    b"HTTP/1.1\r\n": 'malformed HTTP response "HTTP/1.1"',
    b"HTTP/1.1 \r\n": 'malformed HTTP status code ""',
    b"HTTP/1.1 20 OK\r\n": 'malformed HTTP status code "20"',
    b"HTTP/1.1 2000 OK\r\n": 'malformed HTTP status code "2000"',
    b"HTTP/1.1  2x0 OK\r\n": 'malformed HTTP status code "2x0"',
    b"HTTP/1.1 -10 OK\r\n": 'malformed HTTP status code "-10"',
    b"HTTP/11 200 OK\r\n": 'malformed HTTP version "HTTP/11"',
    b"http/1.1 200 OK\r\n": 'malformed HTTP version "http/1.1"',
    b"\x15\x03\x01\x00\x02\x02\n": 'malformed HTTP response "\x15\x03\x01\x00\x02\x02"',
    b"HTTP/1.1 200 OK\r\nX\r\n\r\n": 'malformed MIME header: missing colon: "X"',
    b"HTTP/1.1 200 OK\r\n X: y\r\n\r\n": "malformed MIME header initial line:  X: y",
    b"HTTP/1.1 200 OK\r\nX(: y\r\n\r\n": "malformed MIME header line: X(: y",
    b"HTTP/1.1 200 OK\r\nX: \x00\r\n\r\n": "malformed MIME header line: X: \x00",
    b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n": 'bad Content-Length "x"',
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n": 'bad Content-Length "1,2"',
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n": 'unsupported transfer encoding: "gzip"',
}


@pytest.mark.parametrize("data", MALFORMED)
def test_malformed_responses(data: bytes) -> None:
    with pytest.raises(BadResponse) as bad:
        parse_response(data, LIMIT, b"GET")
    assert str(bad.value) == MALFORMED[data]


def test_a_response_head_has_a_limit() -> None:
    with pytest.raises(BadResponse, match=r"^net/http: server response headers exceeded 1000 bytes; aborted$"):
        parse_response(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 6000, 1000, b"GET")


@given(st.binary(max_size=60).map(lambda rest: b"HTTP/1.1 200 OK\r\n" + rest + b"\r\n\r\n"))
@settings(max_examples=150)
def test_both_readers_of_responses_agree(data: bytes) -> None:
    def read() -> object:
        try:
            parsed = parse_response(data, LIMIT, b"GET")
        except BadResponse as bad:
            return str(bad)
        return parsed and (parsed[0].status, parsed[0].length, parsed[0].headers, parsed[0].keep_alive, parsed[1])

    with pytest.MonkeyPatch.context() as patch:
        fast = read()
        patch.setattr(heads, "_RESPONSE", NEVER)
        assert fast == read()
