"""Which endpoints a request prefers by the hash of a header."""

from collections import Counter
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfroute.gorouter.routing_table import maglev
from cfroute.gorouter.routing_table.endpoint import Endpoint
from cfroute.gorouter.routing_table.hashing import Hashing

Make = Callable[..., Endpoint]


def endpoints(*ids: str) -> tuple[Endpoint, ...]:
    return tuple(Endpoint(host="10.0.0.1", port=port, instance_id=name) for port, name in enumerate(ids))


def test_the_slot_of_the_value_decides() -> None:
    members = endpoints("i-b", "i-a", "i-c")
    table = maglev.table(["i-a", "i-b", "i-c"])
    hashing = Hashing(b"X-Tenant", 0.0)
    for value in (b"one", b"two", b"three", b"four"):
        wanted = ["i-a", "i-b", "i-c"][table[maglev.fnv1a(value) % 3001]]
        assert next(hashing.order(members, value)).instance_id == wanted
    assert "X-Tenant" in repr(hashing)


@settings(max_examples=40)
@given(st.sets(st.text(max_size=9), min_size=1, max_size=12), st.binary(max_size=40), st.randoms())
def test_the_order_has_everyone_once_and_does_not_depend_on_that_of_registration(
    ids: set[str], value: bytes, rng: Random
) -> None:
    members = endpoints(*ids)
    shuffled = list(members)
    rng.shuffle(shuffled)
    order = list(Hashing(b"H", 0.0).order(members, value))
    assert Counter(order) == Counter(members)
    assert list(Hashing(b"H", 0.0).order(tuple(shuffled), value)) == order


def test_the_table_is_made_again_only_when_the_names_change(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[list[str]] = []
    real = maglev.table
    monkeypatch.setattr(maglev, "table", lambda names: made.append(names) or real(names))
    hashing = Hashing(b"H", 0.0)
    members = endpoints("a", "b")
    for _ in range(3):
        next(hashing.order(members, b"v"))
    replaced = endpoints("a", "b")
    assert next(hashing.order(replaced, b"v")) in replaced
    assert made == [["a", "b"]]
    next(hashing.order((*replaced, *endpoints("c")), b"v"))
    assert made == [["a", "b"], ["a", "b", "c"]]


def test_without_an_instance_id_the_address_is_the_name() -> None:
    members = endpoints("", "")
    assert Counter(Hashing(b"H", 0.0).order(members, b"v")) == Counter(members)


@pytest.mark.parametrize(
    ("balance", "connections", "imbalanced"),
    [
        (0.0, (9, 0), False),
        (1.5, (0, 0), False),
        (1.5, (3, 1), False),
        (1.5, (4, 1), True),
        (1.0, (1, 1), False),
        (1.0, (2, 1), True),
    ],
)
def test_an_imbalanced_endpoint_has_more_than_its_share(balance: float, connections: tuple[int, int], imbalanced: bool) -> None:
    members = endpoints("a", "b")
    for member, count in zip(members, connections, strict=True):
        member.connections = count
    assert Hashing(b"H", balance).is_imbalanced(members[0], members) is imbalanced
