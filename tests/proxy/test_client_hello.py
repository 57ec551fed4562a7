"""The hello as OpenSSL sends it, in pieces, and garbage."""

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.proxy.client_hello import ClientHello, is_record, read


def hello(name: str | None = None, protocols: tuple[str, ...] = (), highest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> bytes:
    """What a client of OpenSSL begins with."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.maximum_version = highest
    if protocols:
        context.set_alpn_protocols(list(protocols))
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def test_what_a_client_says() -> None:
    assert read(hello("A.Test", ("h2", "http/1.1"))) == ClientHello("a.test", (b"h2", b"http/1.1"), (0x0304, 0x0303))
    assert read(hello()) == ClientHello("", (), (0x0304, 0x0303))
    assert read(hello("a.test", highest=ssl.TLSVersion.TLSv1_2)) == ClientHello("a.test", (), (0x0303, 0x0302, 0x0301))


def test_it_may_come_in_pieces_and_with_more_behind() -> None:
    data = hello("a.test")
    assert {read(data[:size]) for size in range(len(data))} == {None}
    assert read(data + b"\x16\x03\x01") == read(data)


@pytest.mark.parametrize("size", [1, 3, 4, 5, 100, 511])
def test_it_may_be_cut_into_several_records(size: int) -> None:
    message = hello("a.test", ("h2",))[5:]
    pieces = [message[at : at + size] for at in range(0, len(message), size)]
    data = b"".join(b"\x16\x03\x01" + len(piece).to_bytes(2, "big") + piece for piece in pieces)
    assert read(data[:-1]) is None
    found = read(data)
    assert found is not None
    assert (found.server_name, found.protocols) == ("a.test", (b"h2",))


def test_a_hello_without_extensions() -> None:
    body = b"\x03\x02" + bytes(32) + b"\0" + b"\0\x02\0\x2f" + b"\x01\0"
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    assert read(b"\x16\x03\x01" + len(message).to_bytes(2, "big") + message) == ClientHello("", (), (0x0302, 0x0301))


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x00\x04\x02\x00\x00\x00",  # another message
        b"\x16\x03\x01\x00\x04\x01\xff\xff\xff",  # longer than any hello may be
        b"\x16\x03\x01\x00\x06\x01\x00\x00\x02\x03\x03",  # cut short inside
        b"\x16\x03\x01\x00\x01\x01\x15\x03\x01\x00\x02\x02\x28",  # an alert in between
    ],
)
def test_what_is_no_hello_says_nothing(data: bytes) -> None:
    assert read(data) == ClientHello()


def test_a_name_that_is_no_text() -> None:
    data = hello("a.test").replace(b"a.test", b"a.t\xff\0t")
    found = read(data)
    assert found is not None
    assert found.server_name == "a.t\ufffd\0t"


@given(st.binary(max_size=200))
def test_nothing_makes_it_fail(data: bytes) -> None:
    read(data)
    read(b"\x16\x03\x01" + len(data).to_bytes(2, "big") + data)
    message = b"\x01" + (len(data) + 34).to_bytes(3, "big") + b"\x03\x03" + bytes(32) + data
    assert read(b"\x16\x03\x01" + len(message).to_bytes(2, "big") + message) is not None


@pytest.mark.parametrize(
    ("begin", "record"), [(b"\x16\x03\x01\x02\x00", True), (b"\x15\x03\x01\x02\x00", False), (b"SSH-2", False)]
)
def test_records(begin: bytes, record: bool) -> None:
    assert is_record(begin) is record


def test_a_hello_has_an_end() -> None:
    """Records may be empty: to wait for more of them would be to wait for ever."""
    assert read(b"\x16\x03\x01\0\0" * 1000) is None
    assert read(b"\x16\x03\x01\0\0" * 2000) == ClientHello()
