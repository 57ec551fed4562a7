"""Server-sent events, however they are divided."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.routing_api.errors import ApiError
from cfroute.routing_api.event_stream import EventStream, Message

STREAM = (
    b'id: 0\nevent: Upsert\ndata: {"route":"a"}\n\n'
    b": a comment\n\n"
    b"id: 1\nevent:Delete\ndata: one\ndata: two\n\n"
    b"data\n\n"
    b"event: Upsert\r\ndata: \xff\r\n\r\n"
)
EVENTS = [
    Message("0", "Upsert", '{"route":"a"}'),
    Message("1", "Delete", "one\ntwo"),
    Message("", "", ""),
    Message("", "Upsert", "\ufffd"),
]


@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_however_it_is_divided(cuts: list[int]) -> None:
    stream = EventStream()
    edges = [0, *sorted(cuts), len(STREAM)]
    found = [event for begin, end in itertools.pairwise(edges) for event in stream.feed(STREAM[begin:end])]
    assert found == EVENTS


def test_an_event_without_end() -> None:
    with pytest.raises(ApiError):
        EventStream().feed(b"data: " + b"x" * (1 << 20))
