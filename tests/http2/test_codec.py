"""Frames and header blocks as bytes, against hyperframe and hpack."""

import contextlib

import pytest
from hpack import Decoder, Encoder
from hyperframe.frame import DataFrame, Frame
from hypothesis import given
from hypothesis import strategies as st

from cfroute.http2 import frames
from cfroute.http2.budget import Budget
from cfroute.http2.frames import ConnectionProblem, FrameReader, error_name
from cfroute.http2.hpack_blocks import BlockDecoder, BlockEncoder, field, indexed
from cfroute.proxy.head import RequestHead

NAMES = st.sampled_from([b"x", b"content-type", b"cookie", b":path", b"set-cookie", b"x-" + b"n" * 200])
FIELDS = st.lists(st.tuples(NAMES, st.one_of(st.sampled_from([b"", b"/", b"a"]), st.binary(max_size=300))), max_size=8)


@given(st.lists(st.binary(max_size=50), max_size=5), st.integers(1, 30))
def test_frames_however_they_are_cut(payloads: list[bytes], size: int) -> None:
    data = b"".join(DataFrame(number, payload).serialize() for number, payload in enumerate(payloads, 1))
    reader, seen = FrameReader(), []
    for position in range(0, len(data), size):
        seen += reader.feed(data[position : position + size])
    assert [(frame.kind, frame.stream_id, frame.payload) for frame in seen] == [
        (0, number, payload) for number, payload in enumerate(payloads, 1)
    ]
    assert not reader.unfinished


@given(st.binary(max_size=300), st.integers(20, 100), st.booleans())
def test_a_block_is_cut_into_frames(block: bytes, size: int, end: bool) -> None:
    data, pieces, flags = frames.headers(7, block, end_stream=end, frame_size=size), [], []
    while data:
        frame, length = Frame.parse_frame_header(memoryview(data[:9]))
        pieces.append(data[9 : 9 + length])
        flags.append(frame.flags)
        data = data[9 + length :]
    assert (b"".join(pieces), "END_STREAM" in flags[0]) == (block, end)
    assert ["END_HEADERS" in each for each in flags] == [*([False] * (len(flags) - 1)), True]


@given(FIELDS)
def test_others_read_what_we_write(fields: list[tuple[bytes, bytes]]) -> None:
    encoder, decoder = BlockEncoder(), Decoder(1 << 20)
    for write in (field, indexed):
        block = encoder.block(b"".join(write(name, value) for name, value in fields))
        assert [tuple(pair) for pair in decoder.decode(block, raw=True)] == fields
        assert decoder.header_table_size == 0


def test_names_become_lower_case() -> None:
    decoder = Decoder()
    assert decoder.decode(field(b"Content-Type", b"a") + field(b"X-Upper-CASE", b"b"), raw=True) == [
        (b"content-type", b"a"), (b"x-upper-case", b"b"),
    ]  # fmt: skip


@given(st.lists(FIELDS, max_size=8))
def test_what_is_remembered_of_a_block_holds(messages: list[list[tuple[bytes, bytes]]]) -> None:
    """A block that comes again means the same, unless the table may have changed meanwhile: then nothing is remembered."""
    encoder, ours = Encoder(), BlockDecoder(1 << 20)
    for fields in messages:
        block = encoder.encode(fields)
        known = ours.known.get((block, False))
        if known is not None:
            assert isinstance(known, RequestHead)
            assert known.target == repr(fields).encode()
            continue
        decoded = ours.decode(block)
        assert [tuple(pair) for pair in decoded] == fields
        head = RequestHead()
        head.target = repr(fields).encode()
        ours.keep((block, False), head)


def test_only_blocks_that_change_nothing_are_remembered() -> None:
    encoder, decoder = Encoder(), BlockDecoder(1 << 20)
    first, second = (encoder.encode([(b":method", b"GET"), (b"x", b"1")]) for _ in range(2))
    head = RequestHead()
    decoder.decode(first)
    assert not decoder.keep((first, True), head)
    decoder.decode(second)
    assert decoder.keep((second, True), head)
    decoder.decode(encoder.encode([(b"y", b"2")]))
    assert decoder.known == {}


NO_BLOCKS = [b"\xff\xff\xff\xff\xff\xff", b"\x40\x85", b"\x80", b"\x3f\xff\xff\xff\xff\x0f", b"\x40\x01a\xff"]


@pytest.mark.parametrize("block", NO_BLOCKS)
def test_what_is_no_block(block: bytes) -> None:
    with pytest.raises(ConnectionProblem):
        BlockDecoder(1000).decode(block)


@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_else(block: bytes) -> None:
    with contextlib.suppress(ConnectionProblem):
        BlockDecoder(1000).decode(block)


def test_error_names() -> None:
    assert (error_name(8), error_name(99)) == ("CANCEL", "unknown error code 0x63")


def test_a_budget_is_spent_and_grows_again() -> None:
    budget = Budget(2, 1.0)
    assert [budget.spend(now) for now in (10.0, 10.0, 10.0, 10.5, 11.5, 11.5, 100.0, 100.0, 100.0)] == [
        True, True, False, False, True, False, True, True, False,
    ]  # fmt: skip
