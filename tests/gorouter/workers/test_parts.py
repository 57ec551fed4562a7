"""Slots, tallies, pauses: what of the workers is numbers."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from cfroute.gorouter.routing_table.endpoint import Backend, Endpoint
from cfroute.gorouter.workers.pauses import Pauses
from cfroute.gorouter.workers.slots import Slots
from cfroute.gorouter.workers.tally import CELL, Tally


def test_a_backend_keeps_its_number_as_long_as_a_route_has_it() -> None:
    slots = Slots(10, lambda slot: False)
    one, two = Backend(), Backend()
    slots.hold(one)
    slots.hold(two)
    slots.hold(one)
    assert (one.slot, two.slot, slots.reached) == (0, 1, 2)
    assert slots.release(one) is None
    assert slots.release(one) == 0
    slots.hold(another := Backend())
    assert (another.slot, slots.reached) == (0, 2)


def test_a_number_is_not_given_again_while_requests_are_counted_under_it() -> None:
    busy = {0}
    slots = Slots(2, busy.__contains__)
    slots.hold(gone := Backend())
    assert slots.release(gone) == 0
    slots.hold(next_one := Backend())
    slots.hold(too_many := Backend())
    assert (next_one.slot, too_many.slot) == (1, -1)
    assert slots.release(too_many) is None
    busy.clear()
    slots.hold(later := Backend())
    assert later.slot == 0


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), max_size=60))
def test_no_two_backends_have_one_number(steps: list[tuple[bool, int]]) -> None:
    slots = Slots(4, lambda slot: False)
    held: dict[int, tuple[Backend, int]] = {}
    for holds, which in steps:
        backend, routes = held.get(which, (Backend(), 0))
        if holds:
            slots.hold(backend)
            held[which] = backend, routes + 1
        elif routes:
            slots.release(backend)
            held[which] = backend, routes - 1
            if routes == 1:
                del held[which]
    numbers = [backend.slot for backend, _ in held.values() if backend.slot >= 0]
    assert len(numbers) == len(set(numbers))
    assert slots.reached <= 4


def tallies(workers: int, slots: int = 8) -> list[Tally]:
    memory = memoryview(bytearray(CELL * workers * slots))
    return [Tally(memory, workers, worker) for worker in range(workers)]


def test_all_workers_count_together(endpoint: Callable[..., Endpoint]) -> None:
    tally = tallies(3)
    app, other = endpoint(1), endpoint(2)
    app.backend.slot, other.backend.slot = 3, 4
    for each in (*tally, tally[0]):
        each.began(app.backend)
    tally[2].began(other.backend)
    tally[1].ended(app.backend)
    tally[1].refresh([app, other])
    assert (app.connections, other.connections) == (3, 1)
    assert [each.own(app.backend) for each in tally] == [2, 0, 1]


def test_what_an_ended_worker_had_under_way_counts_no_more(endpoint: Callable[..., Endpoint]) -> None:
    one, two = tallies(2)
    for slot in range(3):
        made = endpoint(slot)
        made.backend.slot = slot
        one.began(made.backend)
        two.began(made.backend)
    two.forget(0, 2)
    assert [two.total(slot) for slot in range(4)] == [1, 1, 2, 0]
    two.forget(0, 0)
    assert two.total(2) == 2


def test_a_backend_without_a_number_counts_for_one_worker_only(endpoint: Callable[..., Endpoint]) -> None:
    tally, _ = tallies(2)
    app = endpoint(1)
    tally.began(app.backend)
    tally.ended(app.backend)
    app.connections = 2
    tally.refresh([app])
    assert (app.connections, tally.own(app.backend), tally.total(0)) == (2, 2, 0)
    tally.close()


def test_a_worker_is_replaced_at_once_but_not_over_and_over() -> None:
    pauses = Pauses()
    assert [pauses.after(1.0) for _ in range(9)] == [0.0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert [pauses.after(11.0), pauses.after(1.0)] == [0.0, 0.1]
