"""Targets that read bytes: each takes any bytes at all, and raises only when a promise is broken.

Promises: nothing but the reader's own exception; the same result whole and in pieces; what is understood can be written anew so
that another reader understands the same.
"""

import contextlib
import gzip
import io
from collections.abc import Callable, Iterable
from typing import Any

import h11

from cfroute.cloud_controller.bits.multipart import FormReader, NoForm
from cfroute.cloud_controller.bits.staging_info import UnreadableDroplet, process_types
from cfroute.go.html import escape
from cfroute.go.quoting import quote
from cfroute.go.template import RenderError, TemplateError, render
from cfroute.go.template_parser import parse as parse_template
from cfroute.gorouter import tracing
from cfroute.gorouter.config import Config
from cfroute.gorouter.config_error import ConfigError
from cfroute.gorouter.config_file import parse
from cfroute.gorouter.logs.access_log import shown
from cfroute.gorouter.nats import messages
from cfroute.gorouter.signature import RouteServiceCrypto, SignatureError, parse_forwarded_url
from cfroute.gorouter.sticky import StickySessions, cookies, decoded, sticky_id
from cfroute.nats import wire as nats_wire
from cfroute.proxy import client_hello, proxy_line
from cfroute.proxy.chunked import ChunkedDecoder, ChunkError
from cfroute.proxy.head import BadRequest, BadResponse, RequestHead, may_be_complete, parse_request, parse_response
from cfroute.proxy.headers import Headers
from cfroute.proxy.wire import request_bytes

LIMIT = 4096
_LONGEST = 300  # bytes that are cut at every place
_PAGE = {"Status": 404, "StatusText": "Not Found", "Message": "<b>&'\"", "Header": {"Get": lambda name: f"<{name}>"}}
_CRYPTO = RouteServiceCrypto("secret")
_STICKY = StickySessions(parse("cfroute: {vcap_id_meta: true}"), lambda: 1.7e9)


def _outcome(read: Callable[[bytes], Any], data: bytes, refusals: tuple[type[Exception], ...]) -> tuple[str, str]:
    """What became of it: nothing yet, something, or a refusal."""
    try:
        found = read(data)
    except refusals:
        return "refused", ""
    return ("nothing", "") if found is None else ("something", repr(found))


def _grows(read: Callable[[bytes], Any], data: bytes, *refusals: type[Exception]) -> None:
    """Whatever is decided about the begin of the data is decided for good."""
    data = data[:_LONGEST]
    whole = _outcome(read, data, refusals)
    for end in range(len(data)):
        begin = _outcome(read, data[:end], refusals)
        assert begin in (("nothing", ""), whole), data[:end]


def request(data: bytes) -> None:
    """The head of a request."""

    def read(part: bytes) -> object:
        found = parse_request(part, LIMIT)
        return None if found is None else (found[0], found[0].headers, found[1])

    _grows(read, data, BadRequest)
    _is_looked_at_in_time(data[:_LONGEST])
    with contextlib.suppress(BadRequest):
        found = parse_request(data, LIMIT)
        if found is not None and found[0].target.isascii() and found[0].version == b"HTTP/1.1" and found[0].host:
            _is_read_alike(found[0])


def _is_looked_at_in_time(data: bytes) -> None:
    """A head is complete, or refused, at none of the bytes at which nobody would look."""
    for seen in range(1, len(data)):
        if _outcome(lambda part: parse_request(part, LIMIT), data[:seen], (BadRequest,))[0] != "nothing":
            return
        if not may_be_complete(data[: seen + 1], seen, LIMIT):
            again = _outcome(lambda part: parse_request(part, LIMIT), data[: seen + 1], (BadRequest,))
            assert again[0] == "nothing", data[: seen + 1]


def _is_read_alike(head: RequestHead) -> None:
    strict = h11.Connection(h11.SERVER)
    strict.receive_data(request_bytes(head, (head.target, head.host, False)))
    event = strict.next_event()
    assert isinstance(event, h11.Request)
    assert (event.method, event.target) == (head.method, head.target)
    assert sum(name == b"host" for name, _ in event.headers) == 1


def response(data: bytes) -> None:
    """The head of a response."""

    def read(part: bytes) -> object:
        found = parse_response(part, LIMIT, b"GET")
        return None if found is None else (found[0], found[0].headers, found[1])

    _grows(read, data, BadResponse)


def chunked(data: bytes) -> None:
    """A chunked body."""

    def read(size: int) -> tuple[bytes, bool, bytes, Any]:
        decoder, body = ChunkedDecoder(), b""
        try:
            for position in range(0, len(data), size):
                if decoder.done:
                    return body, True, decoder.rest + data[position:], decoder.trailers
                body += b"".join(decoder.feed(data[position : position + size]))
                assert len(decoder._buffer) <= 66_000
        except ChunkError:
            return b"", False, b"", "refused"
        return body, decoder.done, decoder.rest, decoder.trailers

    whole = read(len(data) or 1)
    for size in (1, 2, 3, 7):
        assert read(size) == whole


def proxy(data: bytes) -> None:
    """A line of the PROXY protocol."""
    _grows(proxy_line.read, data, proxy_line.BadLineError)


def hello(data: bytes) -> None:
    """A TLS client's hello, in its record or without one."""
    message = b"\x01" + len(data).to_bytes(3, "big") + data
    for whole in (data, b"\x16\x03\x01" + len(message).to_bytes(2, "big") + message):
        _grows(client_hello.read, whole)


def nats(data: bytes) -> None:
    """What a NATS server says."""

    def read(size: int) -> list[Any]:
        parser, found = nats_wire.Parser(), []
        try:
            for position in range(0, len(data), size):
                found += parser.feed(data[position : position + size])
        except nats_wire.ProtocolError:
            found.append("refused")
        return found

    whole = read(len(data) or 1)
    for size in (1, 2, 5):
        pieces = read(size)
        assert pieces == whole or (whole == ["refused"] and pieces[-1] == "refused")
    with contextlib.suppress(nats_wire.ProtocolError):
        nats_wire.info(data)


def registration(data: bytes) -> None:
    """A message on router.register."""
    with contextlib.suppress(messages.MessageError):
        message = messages.decode(data)
        messages.to_endpoint(message, stale_threshold=120.0, http2=True)


def configuration(data: bytes) -> None:
    """A configuration file."""
    with contextlib.suppress(ConfigError):
        assert isinstance(parse(data), Config)


def quoted(data: bytes) -> None:
    """What is shown in a log line."""
    line = shown(data)
    assert b"\n" not in line
    assert b"\r" not in line
    text = quote(data.decode("utf-8", "surrogateescape"))
    inner = text[1:-1].replace("\\\\", "").replace('\\"', "")
    assert '"' not in inner
    assert all(char.isprintable() for char in inner)


def template(data: bytes) -> None:
    """An error page, of which nothing that a request chose gets out of its place."""
    with contextlib.suppress(TemplateError, RenderError):
        nodes = escape(parse_template(data.decode("utf-8", "replace")))
        render(nodes, _PAGE)


def traces(data: bytes) -> None:
    """Tracing headers."""
    with contextlib.suppress(tracing.TraceError):
        tracing.parse_single(data).single()
    parts = [*data.split(b"\n", 4), b"", b"", b"", b"", b""]
    with contextlib.suppress(tracing.TraceError):
        tracing.parse_multiple(*parts[:5]).single()
    parent = tracing.parse_traceparent(data)
    if parent is not None:
        assert len(parent.with_parent(b"0" * 16)) == 55
    assert tracing.tracestate(data, b"gorouter", b"1" * 16).startswith(b"gorouter=" + b"1" * 16)
    tracing.request_id_of(data)


def sessions(data: bytes) -> None:
    """Cookies of requests and of responses."""
    asked, _, told = data.partition(b"\n")
    found = cookies(Headers({b"Cookie": (asked,)}))
    sticky_id(found, ("JSESSIONID",))
    decoded(data.decode("latin-1"), 1.7e9)
    answer = Headers({b"Set-Cookie": (told, b"JSESSIONID=" + told)})
    _STICKY.stick("", asked.decode("latin-1"), "/", Headers({b"Cookie": (asked,)}), answer)
    assert not any(b"\n" in value or b"\r" in value for value in answer[b"Set-Cookie"][2:])


def signatures(data: bytes) -> None:
    """What a route service sends back."""
    signature, _, metadata = data.decode("latin-1").partition("\n")
    for one, other in ((signature, metadata), (_CRYPTO.seal("https://a.test/", 0, b"0" * 12)[0], metadata)):
        with contextlib.suppress(SignatureError):
            _CRYPTO.open(one, other)
    with contextlib.suppress(SignatureError):
        parse_forwarded_url(signature)


def form(data: bytes) -> None:
    """A multipart form, whole and byte by byte."""

    def read(pieces: Iterable[bytes]) -> tuple[bytes, list[str], str | None] | None:
        reader = FormReader("multipart/form-data; boundary=XX", "bits")
        try:
            content = b"".join([reader.feed(piece) for piece in pieces])
            reader.end()
        except NoForm:
            return None
        return content, reader.names, reader.file_name

    assert read([data]) == read(bytes((each,)) for each in data)


def droplet(data: bytes) -> None:
    """The archive of a droplet."""
    with contextlib.suppress(UnreadableDroplet):
        found = process_types(io.BytesIO(gzip.compress(data)), largest=1 << 20)
        assert all(isinstance(text, str) for pair in found.items() for text in pair)
    with contextlib.suppress(UnreadableDroplet):
        process_types(io.BytesIO(data))
