"""The table of consistent hashing."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfroute.gorouter.routing_table import maglev

NAMES = st.sets(st.text(min_size=1, max_size=40), min_size=2, max_size=40)


@pytest.mark.parametrize(
    ("data", "value"),
    [(b"", 0xCBF29CE484222325), (b"a", 0xAF63DC4C8601EC8C), (b"foobar", 0x85944171F73967E8)],
)
def test_the_hash_is_fnv_1a(data: bytes, value: int) -> None:
    assert maglev.fnv1a(data) == value


def owners(names: list[str]) -> list[str]:
    return [names[position] for position in maglev.table(names)]


def test_every_slot_is_filled_by_the_names_own_orders() -> None:
    """Two names take turns: each gets the slots of its order, but for those that the other had before."""
    names = ["i-1", "i-2"]
    table = maglev.table(names)
    first = maglev.fnv1a(b"i-1")
    assert table[first % 3001] == 0
    assert len(table) == 3001
    assert set(table) == {0, 1}


@settings(max_examples=25)
@given(NAMES)
def test_all_have_the_same_share(names: set[str]) -> None:
    shares = Counter(owners(sorted(names)))
    assert sum(shares.values()) == maglev.SIZE
    assert max(shares.values()) - min(shares[name] for name in names) <= 1


@settings(max_examples=25)
@given(NAMES, st.data())
def test_who_leaves_takes_little_with_it(names: set[str], data: st.DataObject) -> None:
    gone = data.draw(st.sampled_from(sorted(names)))
    before, after = owners(sorted(names)), owners(sorted(names - {gone}))
    moved = sum(1 for was, now in zip(before, after, strict=True) if was != gone and was != now)
    assert moved < maglev.SIZE * 0.2


def test_more_names_than_slots() -> None:
    names = [f"{number:05}" for number in range(maglev.SIZE + 10)]
    assert set(maglev.table(names)) == set(range(maglev.SIZE))


def test_long_keys_are_not_remembered() -> None:
    before = maglev.fnv1a.cache_info().currsize
    assert maglev.slot(b"x" * 10_000) == maglev.fnv1a.__wrapped__(b"x" * 10_000) % maglev.SIZE
    assert maglev.fnv1a.cache_info().currsize == before
