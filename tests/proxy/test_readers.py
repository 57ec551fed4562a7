"""Readers that remember say what those say that do not."""

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cfroute.proxy.head import BadRequest, BadResponse, RequestHead, ResponseHead, parse_request, parse_response
from cfroute.proxy.readers import RequestReader, ResponseReader

from .plumbing import get
from .test_head import MALFORMED, RESPONSES, messages

LIMIT = 1 << 20


def seen(head: RequestHead | ResponseHead) -> dict[str, object]:
    """All that is known of a message."""
    known = {name: value for name, value in vars(head).items() if name not in ("escaped", "hop_by_hop")}
    return {**known, "headers": dict(head.headers)}


def spoil(head: RequestHead | ResponseHead) -> None:
    """What policies do to the heads that they get."""
    head.headers.add(b"X-Spoilt", b"1")
    head.headers.pop(b"Content-Length", None)
    head.headers[b"Connection"] = (b"close",)
    head.keep_alive = False


def outcome(read: Callable[..., tuple[RequestHead | ResponseHead, int] | None], *arguments: Any) -> object:
    """What is read, or how it is refused; what is handed out is edited afterwards."""
    try:
        parsed = read(*arguments)
    except BadRequest as refused:
        return refused.answer()
    except BadResponse as bad:
        return str(bad)
    if parsed is None:
        return None
    result = seen(parsed[0]), parsed[1]
    spoil(parsed[0])
    return result


@given(st.lists(messages(), min_size=1, max_size=3), st.lists(st.integers(0, 2), max_size=8), st.binary(max_size=5))
@settings(max_examples=150)
def test_requests(heads: list[bytes], order: list[int], rest: bytes) -> None:
    reader = RequestReader()
    for number in order:
        data = heads[number % len(heads)] + rest
        assert outcome(reader.read, data, LIMIT) == outcome(parse_request, data, LIMIT)


@given(st.lists(st.tuples(st.sampled_from([*RESPONSES, *MALFORMED]), st.sampled_from([b"GET", b"HEAD", b"POST"])), max_size=10))
def test_responses(order: list[tuple[bytes, bytes]]) -> None:
    reader = ResponseReader()
    for data, method in [pair for pair in order for _ in range(3)]:
        assert outcome(reader.read, data, LIMIT, method) == outcome(parse_response, data, LIMIT, method)


def test_a_head_that_only_begins_like_the_last_is_another() -> None:
    reader = RequestReader()
    for _ in range(3):
        assert reader.read(get(), LIMIT) is not None
    assert reader.read(get()[:-2], LIMIT) is None
    longer = reader.read(get("/", "X: y"), LIMIT)
    assert longer is not None
    assert longer[0].headers == {b"X": (b"y",)}
