"""Router groups: which ports routes may have, and which group took over from which."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.cloud_controller.router_groups import pick, ports, reservable, successors
from cfroute.routing_api.api import RouterGroup

RANGES = st.lists(st.tuples(st.integers(1024, 65000), st.integers(0, 40)), min_size=1, max_size=4)


def written(found: list[tuple[int, int]]) -> str:
    return ",".join(f"{first}-{first + more}" if more else str(first) for first, more in found)


@given(RANGES, st.integers(0, 65535))
def test_the_list_says_which_ports_may_be_had(found: list[tuple[int, int]], port: int) -> None:
    inside = any(first <= port <= first + more for first, more in found)
    assert reservable(written(found), port) is inside
    assert sum(len(each) for each in ports(written(found))) == sum(more + 1 for _, more in found)


@given(RANGES, st.sets(st.integers(1024, 65040), max_size=60), st.randoms(use_true_random=False))
def test_a_port_that_is_picked_is_free_and_one_is_found_while_there_is_one(
    found: list[tuple[int, int]], elsewhere: set[int], chance: random.Random
) -> None:
    every = {port for each in ports(written(found)) for port in each}
    taken = set(elsewhere)
    while (port := pick(written(found), taken, chance)) is not None:
        assert port in every - taken
        taken.add(port)
    assert every <= taken


@pytest.mark.parametrize("text", ["x", "1-2-3", "1-", "-"])
def test_what_is_no_list_of_ports(text: str) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        ports(text)


def test_a_group_without_ports_has_none() -> None:
    assert ports("") == ()
    assert pick("", set(), random.Random(1)) is None


def group(guid: str, name: str) -> RouterGroup:
    return RouterGroup(guid, name, "tcp", "1024-1123")


def test_a_group_that_comes_back_under_its_name_takes_over() -> None:
    known = [group("old", "default-tcp"), group("kept", "other"), group("gone", "lost")]
    seen = [group("new", "default-tcp"), group("kept", "renamed"), group("n", "x")]
    assert successors(known, seen) == {"old": "new"}


@given(*[st.lists(st.builds(group, st.sampled_from("abcd"), st.sampled_from("xyz")), unique_by=lambda g: g.name)] * 2)
def test_who_is_still_there_is_replaced_by_nobody(known: list[RouterGroup], seen: list[RouterGroup]) -> None:
    found = successors(known, seen)
    there = {each.guid for each in seen}
    assert not there & found.keys()
    assert set(found.values()) <= there
