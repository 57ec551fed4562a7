"""Which bindings are outdated."""

from itertools import groupby
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cfroute.cli.services.binding_rotation import outdated


def binding(instance: str, minute: int) -> dict[str, Any]:
    made = f"2026-01-01T00:{minute:02}:00Z"
    return {"created_at": made, "relationships": {"service_instance": {"data": {"guid": instance}}}}


BINDINGS = st.lists(st.builds(binding, st.sampled_from("abc"), st.integers(0, 59)), max_size=12)


def instance_of(each: dict[str, Any]) -> str:
    return str(each["relationships"]["service_instance"]["data"]["guid"])


@given(BINDINGS, st.integers(1, 4))
def test_the_newest_of_each_instance_stay(bindings: list[dict[str, Any]], keep: int) -> None:
    gone = outdated(bindings, keep)
    kept = [each for each in bindings if not any(each is one for one in gone)]
    for guid in {instance_of(each) for each in bindings}:
        before = [each for each in bindings if instance_of(each) == guid]
        stay = [each for each in kept if instance_of(each) == guid]
        assert len(stay) == min(keep, len(before))
        newest_gone = max((each["created_at"] for each in gone if instance_of(each) == guid), default="")
        assert all(each["created_at"] >= newest_gone for each in stay)


@given(BINDINGS, st.integers(1, 4))
def test_they_are_removed_instance_by_instance_the_oldest_first(bindings: list[dict[str, Any]], keep: int) -> None:
    gone = outdated(bindings, keep)
    groups = [(guid, [each["created_at"] for each in group]) for guid, group in groupby(gone, instance_of)]
    assert [guid for guid, _ in groups] == sorted({guid for guid, _ in groups})
    assert all(times == sorted(times) for _, times in groups)
