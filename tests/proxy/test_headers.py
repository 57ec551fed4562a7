"""Header names and values by the rules of Go's net/http."""

import pytest

from cfroute.proxy import headers as module
from cfroute.proxy.headers import HOP_BY_HOP, Headers, Message, canonical

CANONICAL = {
    b"host": b"Host",
    b"X-FORWARDED-for": b"X-Forwarded-For",
    b"x-LOWER_case": b"X-Lower_case",
    b"-x--y-": b"-X--Y-",
    b"1a-2B": b"1a-2b",
    b"www-authenticate": b"Www-Authenticate",
    b"a b": b"a b",
    b"X(": b"X(",
    b"": b"",
    b"\xe4": b"\xe4",
}


@pytest.mark.statement("F", "canonical names: upper case at the start and after -, else lower case; _ and digits as they are")
@pytest.mark.parametrize("name", CANONICAL)
def test_canonical_names(name: bytes) -> None:
    assert canonical(name) == CANONICAL[name] == canonical(name)


def test_clients_cannot_fill_the_memory_with_names() -> None:
    for number in range(10_000):
        assert canonical(b"n-%d" % number) == b"N-%d" % number
    assert len(module._canonical) <= module._CACHE_LIMIT


def test_lines_are_sorted_by_name_and_values_stay_in_order() -> None:
    headers = Headers(
        {
            b"B": (
                b"2",
                b"1",
            )
        }
    )
    headers.add(b"A", b"x")
    headers.add(b"B", b"3")
    assert headers.lines() == b"A: x\r\nB: 2\r\nB: 1\r\nB: 3\r\n"
    assert (headers.first(b"B"), headers.first(b"C")) == (b"2", b"")


def test_tokens_are_those_of_all_lines() -> None:
    assert Headers(
        {
            b"Connection": (
                b"A, b",
                b"",
                b"C ,,",
            )
        }
    ).tokens(b"Connection") == [b"a", b"b", b"c"]


def test_hop_by_hop_headers_are_the_set_and_what_connection_names() -> None:
    headers = Headers(dict.fromkeys(HOP_BY_HOP, (b"1",)))
    headers |= {
        b"Connection": (
            b"close, x-One",
            b"X-TWO,,",
        ),
        b"X-One": (b"1",),
        b"X-Two": (b"1",),
        b"X-Three": (b"1",),
    }
    message = Message()
    message.headers = headers
    message.remove_hop_by_hop()
    assert headers == {b"X-Three": (b"1",)}


@pytest.mark.parametrize("counted", [False, True])
@pytest.mark.parametrize("names", [[], [b"Connection"], [b"Connection", b"Te"], [b"Te"]])
def test_the_common_ones_are_removed_whether_or_not_they_were_counted(names: list[bytes], counted: bool) -> None:
    message = Message()
    message.headers = Headers({**dict.fromkeys(names, (b"keep-alive",)), b"X-One": (b"1",)})
    if counted:
        message.count_hop_by_hop()
    message.remove_hop_by_hop()
    assert message.headers == {b"X-One": (b"1",)}


def test_what_is_remembered_is_short() -> None:
    """Clients choose names: nothing of a megabyte, and no set of thousands of names, outlives its request."""
    long = b"x" * 1000
    assert canonical(long) == b"X" + long[1:]
    assert long not in module._canonical
    many = Headers((b"X-%d" % number, (b"",)) for number in range(1000))
    assert len(many.lines().splitlines()) == 1000
    assert tuple(many) not in module._orders
