"""The protocol of NATS, however its bytes are divided."""

import contextlib
import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.nats import wire as wire
from cfroute.nats.wire import Control, Message, Parser, ProtocolError

STREAM = (
    b'INFO {"server_id":"x"} \r\n'
    b"MSG router.register 2 5\r\nhello\r\n"
    b"PING\r\nping\r\n"
    b"MSG router.greet 1 _INBOX.1 0\r\n\r\n"
    b"HMSG a 1 12 16\r\nNATS/1.0\r\n\r\nbody\r\n"
    b"HMSG a 1 r 12 16\r\nNATS/1.0\r\n\r\nbody\r\n"
    b"+OK\r\n"
    b"-ERR 'Authorization Violation'\r\n"
    b"msg a 1 2\r\n\r\n\r\n"
)
ITEMS = [
    Control(b"INFO", b'{"server_id":"x"}'),
    Message(b"router.register", b"2", b"", b"hello"),
    Control(b"PING", b""),
    Control(b"PING", b""),
    Message(b"router.greet", b"1", b"_INBOX.1", b""),
    Message(b"a", b"1", b"", b"body"),
    Message(b"a", b"1", b"r", b"body"),
    Control(b"+OK", b""),
    Control(b"-ERR", b"'Authorization Violation'"),
    Message(b"a", b"1", b"", b"\r\n"),
]


@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_however_it_is_divided(cuts: list[int]) -> None:
    parser = Parser()
    edges = [0, *sorted(cuts), len(STREAM)]
    found = [item for begin, end in itertools.pairwise(edges) for item in parser.feed(STREAM[begin:end])]
    assert found == ITEMS


def test_byte_by_byte() -> None:
    parser = Parser()
    assert [item for byte in STREAM for item in parser.feed(bytes((byte,)))] == ITEMS


@given(st.binary(max_size=200))
def test_nonsense_is_refused_or_waits(data: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        Parser().feed(data)


@pytest.mark.parametrize(
    "line",
    [b"MSG a 1 x", b"MSG a 1", b"MSG a 1 r s 2", b"MSG a 1 -1", b"MSG a 1 99999999999", b"HMSG a 1 5 4", b"HMSG a 1 4"],
)
def test_sizes_that_cannot_be(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        Parser().feed(line + b"\r\n" + b"x" * 20)


def test_a_line_without_end() -> None:
    parser = Parser()
    parser.feed(b"x" * 60_000)
    with pytest.raises(ProtocolError, match="too long"):
        parser.feed(b"x" * 60_000)


def test_what_a_server_tells_of_itself() -> None:
    told = wire.info(b'{"tls_required":true,"headers":true,"client_id":7,"connect_urls":["10.0.0.1:4222"],"new":1}')
    assert (told.tls_required, told.headers, told.client_id, told.connect_urls) == (True, True, 7, ["10.0.0.1:4222"])
    for bad in (b"", b"[]", b'{"client_id":"x"}', b"\xff"):
        with pytest.raises(ProtocolError):
            wire.info(bad)


def test_what_is_written() -> None:
    assert wire.publish(b"router.start", b"{}") == b"PUB router.start 2\r\n{}\r\n"
    assert wire.subscribe(b"router.*", b"2") == b"SUB router.* 2\r\n"
    assert json.loads(wire.connect({"user": "u"}).removeprefix(b"CONNECT ")) == {"user": "u"}
    assert wire.error_text(b"'Authorization Violation'") == "Authorization Violation"
