"""The chunked coding: the same body however the bytes are cut, and nothing that two readers could take differently."""

from itertools import pairwise

import h11
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cfroute.proxy.chunked import LAST_CHUNK, ChunkedDecoder, ChunkError, chunk, last_chunk
from cfroute.proxy.headers import Headers


def decode(*parts: bytes) -> tuple[bytes, bool, bytes, Headers]:
    """Body, whether it is complete, what is left over, trailers."""
    decoder = ChunkedDecoder()
    body, rest = b"", b""
    for part in parts:
        if decoder.done:
            rest += part
        else:
            body += b"".join(decoder.feed(part))
    return body, decoder.done, decoder.rest + rest, decoder.trailers


def one_by_one(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]


GOOD = {
    b"0\r\n\r\n": (b"", {}),
    b"000\r\n\r\n": (b"", {}),
    b"3\r\nabc\r\n0\r\n\r\n": (b"abc", {}),
    b"1\r\na\r\n02\r\nbc\r\n0\r\n\r\n": (b"abc", {}),
    b"A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n": (b"01234567890123456789", {}),
    b"3 \t\r\nabc\r\n0 \r\n\r\n": (b"abc", {}),
    b'3;a=b;c="d"\r\nabc\r\n0;x\r\n\r\n': (b"abc", {}),
    b"2\r\n\r\n\r\n0\r\n\r\n": (b"\r\n", {}),
    b"5\r\n0\r\n\r\n\r\n0\r\n\r\n": (b"0\r\n\r\n", {}),
    b"3\r\nabc\r\n0\r\nx-sum: 1\r\nX-Sum:2\r\nB:\r\n\r\n": (
        b"abc",
        {
            b"X-Sum": (
                b"1",
                b"2",
            ),
            b"B": (b"",),
        },
    ),
    b"0\r\nX: a\r\n b\r\n\r\n": (b"", {b"X": (b"a b",)}),
}


@pytest.mark.parametrize("data", GOOD)
def test_good_bodies(data: bytes) -> None:
    body, trailers = GOOD[data]
    assert decode(data) == (body, True, b"", trailers)
    assert decode(*one_by_one(data)) == (body, True, b"", trailers)
    assert decode(data + b"GET /") == (body, True, b"GET /", trailers)
    for end in range(len(data)):
        assert decode(data[:end])[1] is False


BAD = {
    b"\r\n": "invalid byte in chunk length",
    b"x\r\n": "invalid byte in chunk length",
    b"0x3\r\nabc\r\n": "invalid byte in chunk length",
    b"+3\r\nabc\r\n": "invalid byte in chunk length",
    b"-3\r\nabc\r\n": "invalid byte in chunk length",
    b" 3\r\nabc\r\n": "invalid byte in chunk length",
    b"3_0\r\nabc\r\n": "invalid byte in chunk length",
    b"3 3\r\nabc\r\n": "invalid byte in chunk length",
    b"3,\r\nabc\r\n": "invalid byte in chunk length",
    b"\xb3\r\nabc\r\n": "invalid byte in chunk length",
    b"3\x00\r\nabc\r\n": "invalid byte in chunk length",
    b"3;a\rb\r\nabc\r\n": "invalid byte in chunk length",
    b"3;\x00\r\nabc\r\n": "invalid byte in chunk length",
    b"10000000000000003\r\nabc\r\n": "invalid byte in chunk length",
    b"00000000000000003\r\nabc\r\n": "invalid byte in chunk length",
    b"3\nabc\r\n": "chunked line ends with bare LF",
    b"3;a\nabc\r\n": "chunked line ends with bare LF",
    b"0\n\n": "chunked line ends with bare LF",
    b"3\r\nabc\n0\r\n\r\n": "malformed chunked encoding",
    b"3\r\nabc\r0\r\n\r\n": "malformed chunked encoding",
    b"3\r\nabcd\r\n": "malformed chunked encoding",
    b"3\r\nabc0\r\n\r\n": "malformed chunked encoding",
    b"0\r\nX\r\n\r\n": "malformed trailer",
    b"0\r\nX : y\r\n\r\n": "malformed trailer",
    b"0\r\nX: a\rb\r\n\r\n": "malformed trailer",
    b"0\r\nX: a\nY: b\r\n\r\n": "malformed trailer",
    b"0\r\n X: a\r\n\r\n": "malformed trailer",
    b"0\r\nGET /admin HTTP/1.1\r\nHost: a\r\n\r\n": "malformed trailer",
    b"0" * 5000: "header line too long",
    b"3;" + b"a" * 5000: "header line too long",
    b"0\r\nX: " + b"a" * 70_000: "http: suspiciously long trailer after chunked body",
    b"0\r\nX: " + b"a" * 70_000 + b"\r\n\r\n": "http: suspiciously long trailer after chunked body",
}


@pytest.mark.parametrize("data", BAD, ids=lambda data: data[:12])
def test_bad_bodies(data: bytes) -> None:
    with pytest.raises(ChunkError, match=f"^{BAD[data]}$"):
        decode(data)
    if len(data) < 100:
        with pytest.raises(ChunkError, match=f"^{BAD[data]}$"):
            decode(*one_by_one(data))


def test_a_chunk_may_be_huge_and_is_not_kept() -> None:
    decoder = ChunkedDecoder()
    assert decoder.feed(b"ffffffffffffffff\r\n" + b"x" * 100) == [b"x" * 100]
    assert decoder.feed(b"y" * 1000) == [b"y" * 1000]
    assert repr(decoder) == f"<ChunkedDecoder data left={0xFFFFFFFFFFFFFFFF - 1100}>"


PIECES = st.lists(st.binary(min_size=1, max_size=40), max_size=6)
VALUES = st.lists(st.sampled_from([b"1", b"two"]), min_size=1, max_size=2).map(tuple)
TRAILERS = st.dictionaries(st.sampled_from([b"X-A", b"X-B"]), VALUES)
WORDS = [b"0", b"3", b"a", b"\r\n", b"\n", b"\r", b";", b" ", b"\t", b"abc", b"X: y", b"\x00", b"f" * 8]


@given(PIECES, TRAILERS, st.binary(max_size=10), st.lists(st.integers(0, 400), max_size=12))
@example([b"\r\n0\r\n\r\n"], {}, b"", [3, 4, 5, 6])
def test_any_cut_gives_the_same(pieces: list[bytes], trailers: dict[bytes, list[bytes]], rest: bytes, cuts: list[int]) -> None:
    data = b"".join(map(chunk, pieces)) + last_chunk(Headers(trailers)) + rest
    at = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    parts = [data[begin:end] for begin, end in pairwise(at)]
    assert decode(*parts) == decode(data) == (b"".join(pieces), True, rest, trailers)


@given(st.lists(st.sampled_from(WORDS)))
def test_no_strict_reader_reads_it_in_another_way(parts: list[bytes]) -> None:
    data = b"".join(parts)
    try:
        body, done, rest, _ = decode(data)
    except ChunkError:
        return
    if done:
        assert read_strictly(data) in (None, (body, rest))


def read_strictly(data: bytes) -> tuple[bytes, bytes] | None:
    """Body and rest, or None where an independent reader refuses what we let through (such as a space before `;`)."""
    strict = h11.Connection(h11.SERVER)
    strict.receive_data(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + data)
    strict.next_event()
    body = b""
    try:
        while isinstance(event := strict.next_event(), h11.Data):
            body += event.data
    except h11.RemoteProtocolError:
        return None
    assert isinstance(event, h11.EndOfMessage)
    return body, strict.trailing_data[0]


def test_writing() -> None:
    assert chunk(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"
    assert last_chunk(Headers()) == LAST_CHUNK == b"0\r\n\r\n"
    assert (
        last_chunk(
            Headers(
                {
                    b"X-B": (b"1",),
                    b"X-A": (
                        b"2",
                        b"3",
                    ),
                }
            )
        )
        == b"0\r\nX-A: 2\r\nX-A: 3\r\nX-B: 1\r\n\r\n"
    )


def test_endless_extensions_end() -> None:
    """Chunks of a byte are fine for ever; what hangs on to them is not the body."""
    assert decode(*[b"1\r\na\r\n"] * 50_000)[0] == b"a" * 50_000
    with pytest.raises(ChunkError, match="too much non-data"):
        decode(*[b"1;" + b"x" * 1000 + b"\r\na\r\n"] * 20)
    assert decode(*[b"ff;" + b"x" * 500 + b"\r\n" + b"a" * 255 + b"\r\n"] * 100)[0] == b"a" * 25_500
