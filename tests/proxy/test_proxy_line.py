"""PROXY lines: byte by byte, with more behind, and what is none."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.proxy.proxy_line import PREFIX, BadLineError, Beginning, read

LINE = b"PROXY TCP4 203.0.113.7 10.0.0.1 51324 443\r\n"


def test_a_line_byte_by_byte_and_with_more_behind() -> None:
    assert {read(LINE[:size]) for size in range(len(LINE))} == {None}
    assert read(LINE) == read(LINE + b"GET / HTTP/1.1\r\n") == Beginning(("203.0.113.7", 51324), len(LINE))


@pytest.mark.parametrize(
    "data", [b"GET / HTTP/1.1\r\n", b"P\r\n", b"PROXY\r\n", b"PROXy TCP4", b"\x16\x03\x01", b"\r\n\r\n\0\r\nQUIT\n"]
)
def test_what_does_not_begin_like_one(data: bytes) -> None:
    assert read(data) == Beginning()


def test_a_line_without_carriage_return_loses_its_last_byte() -> None:
    """So it is in the library that upstream uses."""
    assert read(b"PROXY TCP4 1.1.1.1 2.2.2.2 3 45\n") == Beginning(("1.1.1.1", 3), 32)


@pytest.mark.parametrize(
    ("addresses", "source"),
    [
        ("TCP6 ::1 ::2 3 4", ("::1", 3)),
        ("TCP4 ::1 1.1.1.1 3 4", ("::1", 3)),
        ("TCP6 ::FFFF:1.2.3.4 ::2 +3 -4", ("1.2.3.4", 3)),
        ("TCP4 1.1.1.1 2.2.2.2 70000 4", ("1.1.1.1", 70000)),
    ],
)
def test_addresses(addresses: str, source: tuple[str, int]) -> None:
    line = f"PROXY {addresses}\r\n".encode()
    assert read(line) == Beginning(source, len(line))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"PROXY \n", "Invalid header line: PROXY"),
        (b"PROXY UNKNOWN\r\n", "Invalid UNKNOWN header line: PROXY UNKNOWN"),
        (b"PROXY  TCP4 1.1.1.1 2.2.2.2 3 4\r\n", "Unhandled address type: "),
        (b"PROXY TCP4 1.1.1.1 2.2.2.2 3 4 5\r\n", "Invalid header line: PROXY TCP4 1.1.1.1 2.2.2.2 3 4 5"),
        (b"PROXY TCP4 01.1.1.1 2.2.2.2 3 4\r\n", "Invalid source ip: 01.1.1.1"),
        (b"PROXY TCP6 fe80::1%eth0 ::2 3 4\r\n", "Invalid source ip: fe80::1%eth0"),
        (b"PROXY TCP4 1.1.1.1 2.2.2 3 4\r\n", "Invalid destination ip: 2.2.2"),
        (b"PROXY TCP4 1.1.1.1 2.2.2.2 3.0 4\r\n", "Invalid source port: 3.0"),
        (b"PROXY TCP4 1.1.1.1 2.2.2.2 3 x\r\n", "Invalid destination port: x"),
        (b"PROXY " + b"x" * 5000, "Invalid header line: too long"),
    ],
)
def test_bad_lines(line: bytes, reason: str) -> None:
    with pytest.raises(BadLineError) as bad:
        read(line)
    assert str(bad.value) == reason


@given(st.binary(max_size=120))
def test_nothing_else_makes_it_fail(data: bytes) -> None:
    for line in (data, PREFIX + data, PREFIX + b"TCP4 1.1.1.1 2.2.2.2 " + data + b"\r\n"):
        if line.startswith(PREFIX):
            with contextlib.suppress(BadLineError):
                read(line)
        else:
            read(line)
