"""Which backend a connection gets, and what is counted."""

from hypothesis import given
from hypothesis import strategies as st

from cfroute.relay.counts import Average
from cfroute.relay.routes import Attempts, Port, Rotation
from cfroute.relay.values import Backend, Listener, Pool, Settings

POOLS = st.lists(st.integers(1, 6), max_size=6, unique=True).map(lambda ports: tuple(Backend("h", port) for port in ports))


@given(POOLS, st.integers(1, 40))
def test_all_take_turns(pool: Pool, connections: int) -> None:
    rotation = Rotation(pool)
    chosen = [rotation.next() for _ in range(connections)]
    if not pool:
        assert set(chosen) == {None}
        return
    assert [member.backend for member in chosen if member] == [pool[number % len(pool)] for number in range(connections)]


@given(st.lists(POOLS, min_size=2, max_size=10), st.integers(0, 10))
def test_a_changing_pool_gives_only_its_own_and_keeps_counts(pools: list[Pool], taken: int) -> None:
    rotation = Rotation(pools[0])
    counted: dict[Backend, int] = {}
    for pool in pools:
        rotation.replace(pool)
        counted = {backend: count for backend, count in counted.items() if backend in pool}
        for _ in range(taken):
            member = rotation.next()
            assert (member is None) is (not pool)
            if member is not None:
                assert member.backend in pool
                member.counts.begun()
                counted[member.backend] = counted.get(member.backend, 0) + 1
        assert {m.backend: m.counts.sessions for m in rotation.members if m.counts.sessions} == counted


@given(POOLS, st.integers(0, 6), st.sampled_from([None, 1.0]))
def test_dials_of_one_connection(pool: Pool, retries: int, pause: float | None) -> None:
    attempts = Attempts(Rotation(pool), Settings(retries=retries, redial_pause=pause))
    made = []
    while chosen := attempts.next():
        made.append(chosen)
    most = 0 if not pool else retries + 1
    assert len(made) == (min(most, len(pool)) if pause is None else most)
    first = made[: len(pool)]
    assert len({member.backend for member, _ in first}) == len(first)
    assert [wait for _, wait in made] == [0.0] * len(first) + [pause] * (len(made) - len(first))


def test_names_and_the_default() -> None:
    one, two = (Backend("1.1.1.1", 1),), (Backend("b.test", 2),)
    port = Port(1024, Listener(one, {"two.test": two}))
    assert [name for name, _ in port.rotations()] == ["", "two.test"]
    default, named = port.choose(""), port.choose("two.test")
    assert port.choose("three.test") is default is port.default
    assert named is not None
    assert named.pool == two
    assert [member.literal for _, rotation in port.rotations() for member in rotation.members] == [True, False]
    port.replace(Listener(None, {"two.test": one}))
    assert port.choose("") is None
    assert port.choose("two.test") is named
    assert named.pool == one


@given(st.lists(st.floats(0, 1000), max_size=2000))
def test_an_average(values: list[float]) -> None:
    average = Average()
    for value in values:
        average.add(value)
    if not values:
        assert average.value == 0
    elif len(values) <= 1024:
        assert abs(average.value - sum(values) / len(values)) < 1e-6
    else:
        assert min(values) - 1e-6 <= average.value <= max(values) + 1e-6


def test_an_average_follows_what_changes() -> None:
    average = Average()
    for value in [10.0] * 2000 + [20.0] * 5000:
        average.add(value)
    assert 19.9 < average.value <= 20.0
