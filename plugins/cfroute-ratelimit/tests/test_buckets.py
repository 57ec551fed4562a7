"""How often a client may ask."""

import pytest

from cfroute_ratelimit.buckets import UNUSED, Buckets


def taken(buckets: Buckets, limit: int, now: int, tries: int, client: str = "a") -> int:
    return sum(buckets.take("/", client, limit, now) for _ in range(tries))


def test_as_many_at_once_as_a_second_and_then_one_by_one() -> None:
    buckets = Buckets()
    assert taken(buckets, 5, 0, 8) == 5
    assert taken(buckets, 5, 199, 2) == 0
    assert taken(buckets, 5, 200, 2) == 1
    assert taken(buckets, 5, 399, 2) == 0
    assert taken(buckets, 5, 10_000, 99) == 5


@pytest.mark.parametrize(("limit", "came"), [(3, 3), (501, 501), (1000, 1000), (700, 700)])
def test_tokens_come_at_whole_milliseconds(limit: int, came: int) -> None:
    """From 501 on one each millisecond, so that within a second the bucket is full again."""
    buckets = Buckets()
    taken(buckets, limit, 0, limit)
    assert taken(buckets, limit, 1000, 2000) == came
    assert taken(buckets, limit, 1010, 2000) == 10 // (1000 // limit)


def test_clients_and_services_have_their_own() -> None:
    buckets = Buckets()
    assert taken(buckets, 1, 0, 2) == 1
    assert taken(buckets, 1, 0, 2, "b") == 1
    assert buckets.take("/other", "a", 1, 0)
    assert buckets.stats(0) == [{"ip": name, "available": 0} for name in ("a", "b", "a")]


def test_what_is_not_used_is_forgotten() -> None:
    gone: list[str] = []
    buckets = Buckets(gone.append)
    buckets.take("/", "a", 1, 0)
    buckets.take("/", "b", 1, UNUSED - 1)
    assert gone == []
    assert [each["ip"] for each in buckets.stats(UNUSED + 1000)] == ["b"]
    assert gone == ["a"]
