"""Whatever a client sends: nothing raises, what waits is bounded, and each exchange ends once."""

import asyncio
import struct
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cfroute.http2.front import MOST_STREAMS
from cfroute.http2.hpack_blocks import field

from .plumbing import REQUEST, Front

BLOCK = b"".join(field(name.encode(), value.encode()) for name, value in REQUEST)
WORDS = st.integers(0, 2**32 - 1).map(struct.Struct(">L").pack)
PAYLOADS = st.one_of(st.just(BLOCK), st.just(b""), st.binary(max_size=20), WORDS)
FRAMES = st.tuples(st.integers(0, 10), st.sampled_from([0, 1, 4, 5, 8, 0x25, 0xFF]), st.integers(0, 9), PAYLOADS)


@given(st.lists(FRAMES, max_size=30), st.booleans(), st.integers(1, 200))
@settings(max_examples=300)
def test_any_frames(sequence: list[Any], answers: bool, size: int) -> None:
    asyncio.run(_send(sequence, answers, size))


async def _send(sequence: list[Any], answers: bool, size: int) -> None:
    front = Front()
    if not answers:
        front.policy.answer = None
    data = b"".join(
        struct.pack(">HBBBL", 0, len(payload), kind, flags, stream_id) + payload for kind, flags, stream_id, payload in sequence
    )
    for position in range(0, len(data), size):
        front.send(data[position : position + size])
    front.frames()
    assert len(front.front.streams) <= MOST_STREAMS
    front.front.connection_lost(None)
    assert not front.front.streams
    assert not front.front.waiting
    ends = Counter(map(id, front.policy.finished_ones))
    assert len(ends) == len(front.policy.requests)
    assert set(ends.values()) <= {1}
