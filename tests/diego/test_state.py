import itertools
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cfroute.diego.api import ActualLRP, CellPresence, DesiredLRP, InstanceUsage, Port, Task
from cfroute.diego.bbs.lrps import Refused
from cfroute.diego.bbs.state import State
from cfroute.testing.clock import ManualClock

CELL = CellPresence("a", "127.0.0.1", memory_mb=1000)


def desired(guid: str = "p", instances: int = 2, **changes: Any) -> DesiredLRP:
    return DesiredLRP(guid, "app", instances, "http://droplet", "run", memory_mb=100, **changes)


def running(index: int = 0, guid: str = "i-0", cell: str = "a") -> ActualLRP:
    return ActualLRP("p", index, guid, cell, "127.0.0.1", (Port(8080, 1),), availability_zone="z1")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def state(clock: ManualClock) -> State:
    numbers = itertools.count()
    return State(clock, lambda: f"guid-{next(numbers)}")


def states(state: State) -> dict[int, str]:
    return {lrp.index: lrp.state for lrp in state.instances()}


def test_what_is_desired_is_placed_and_can_be_claimed(state: State) -> None:
    state.heartbeat(CELL)
    state.desire(desired())
    state.place()

    assert [lrp.cell_id for lrp in state.instances()] == ["a", "a"]
    state.claim("p", 1, "a", "i-1")
    assert states(state) == {0: "UNCLAIMED", 1: "CLAIMED"}


def test_what_cannot_be_placed_says_why_until_a_cell_comes(state: State) -> None:
    state.desire(desired(instances=1))
    state.place()
    [lrp] = state.instances()
    assert lrp.placement_error == "found no compatible cell"

    state.heartbeat(CELL)
    [lrp] = state.instances()
    assert (lrp.cell_id, lrp.placement_error) == ("a", "")


def test_an_evacuating_cell_gets_nothing(state: State) -> None:
    state.heartbeat(CellPresence("a", "127.0.0.1", evacuating=True))
    state.desire(desired(instances=1))
    state.place()

    assert next(state.instances()).cell_id == ""


def test_scaling_down_retires_the_highest_indexes(state: State) -> None:
    state.desire(desired(instances=3))
    for index in range(3):
        state.start(running(index, f"i-{index}"))
    state.take()
    state.update("p", {"instances": 1})

    assert {lrp.index: lrp.retired for lrp in state.instances()} == {0: False, 1: True, 2: True}
    state.gone("p", 2, "i-2")
    assert states(state) == {0: "RUNNING", 1: "RUNNING"}


def test_removing_retires_everything(state: State) -> None:
    state.desire(desired(instances=2))
    state.start(running())
    state.remove("p")

    assert [(lrp.index, lrp.retired) for lrp in state.instances()] == [(0, True)]
    state.crash("p", 0, "a", "i-0", "it was killed")
    assert states(state) == {}


def test_restarting_an_instance_puts_a_new_one_in_its_place(state: State) -> None:
    state.desire(desired(instances=1))
    state.start(running())
    state.retire("p", 0)
    state.gone("p", 0, "i-0")

    assert states(state) == {0: "UNCLAIMED"}
    state.gone("p", 0, "i-0")  # heard twice
    assert states(state) == {0: "UNCLAIMED"}


def test_sync_keeps_what_is_equal(state: State) -> None:
    state.desire(desired("p"))
    state.desire(desired("q"))
    state.desire(desired("other", domain="tasks"))
    state.take()

    assert state.sync([desired("p"), desired("r")]) == {"created": 1, "changed": 0, "removed": 1}
    assert set(state.desired) == {"p", "r", "other"}
    assert state.sync([desired("p", 5), desired("r")]) == {"created": 0, "changed": 1, "removed": 0}
    tag = state.desired["p"].modification_tag
    assert tag.index == 1


def test_a_lost_cell_loses_its_instances_to_another(state: State, clock: ManualClock) -> None:
    state.heartbeat(CELL)
    state.desire(desired(instances=1))
    state.start(running())
    clock.advance(10)
    state.heartbeat(CellPresence("b", "127.0.0.2"))
    clock.advance(6)
    state.converge()

    [lrp] = state.instances()
    assert (lrp.state, lrp.cell_id, list(state.cells)) == ("UNCLAIMED", "b", ["b"])
    state.claim("p", 0, "b", "x")
    with pytest.raises(Refused):
        state.start(running())


def test_after_a_restart_cells_have_time_to_say_that_they_live(clock: ManualClock, state: State) -> None:
    state.desire(desired(instances=1))
    state.start(running())
    again = State(clock, str)
    again.load([*state.desired.values(), *state.instances()])
    clock.advance(14)
    again.converge()
    assert states(again) == {0: "RUNNING"}
    clock.advance(2)
    again.converge()
    assert states(again) == {0: "UNCLAIMED"}


def test_crashes_are_restarted_when_their_pause_is_over(state: State, clock: ManualClock) -> None:
    state.desire(desired(instances=1))
    for number in range(3):
        state.claim("p", 0, "a", f"i-{number}")
        state.crash("p", 0, "a", f"i-{number}", "exit 1")
    assert states(state) == {0: "CRASHED"}
    clock.advance(29.9)
    state.converge()
    assert states(state) == {0: "CRASHED"}
    clock.advance(0.2)
    state.converge()
    assert states(state) == {0: "UNCLAIMED"}


def test_instances_that_nobody_knows_are_kept_while_the_domain_is_not_fresh(state: State, clock: ManualClock) -> None:
    state.start(running())
    assert states(state) == {0: "RUNNING"}
    state.upsert_domain("cf-apps", 120)
    state.converge()
    assert next(state.instances()).retired
    with pytest.raises(Refused, match="not wanted"):
        state.start(running(1, "i-1"))
    clock.advance(121)
    assert state.domains() == []


def test_a_failed_placement_is_tried_again_by_the_next_round_only(state: State) -> None:
    state.heartbeat(CELL)
    state.desire(desired(instances=1))
    state.place()
    state.fail("p", 0, "no port is free")
    state.place()
    assert next(state.instances()).placement_error == "no port is free"
    state.converge()
    assert next(state.instances()).cell_id == "a"


def test_usage_goes_with_the_instance(state: State) -> None:
    state.desire(desired(instances=1))
    state.start(running())
    state.take()
    state.report([InstanceUsage("i-0", {"mem": 5}), InstanceUsage("gone", {"mem": 1})])
    state.converge()
    assert state.usage == {"i-0": {"mem": 5}}
    assert state.take() == []


def test_updates_that_make_no_sense_are_refused(state: State) -> None:
    state.desire(desired())
    for changes in ({"instances": "two"}, {"process_guid": "q"}, {"colour": 1}, {"instances": -1}):
        with pytest.raises(Refused) as refusal:
            state.update("p", changes)
        assert refusal.value.status == 400
    with pytest.raises(Refused) as refusal:
        state.update("q", {"instances": 1})
    assert refusal.value.status == 404


def task(guid: str = "t") -> Task:
    return Task(guid, "app", "http://package", "http://droplet", "http://done")


def test_a_task_runs_on_one_cell_once(state: State) -> None:
    state.heartbeat(CELL)
    state.desire_task(task())
    state.place()
    assert state.tasks["t"].cell_id == "a"
    with pytest.raises(Refused):
        state.desire_task(task())
    state.start_task("t", "a")
    with pytest.raises(Refused):
        state.start_task("t", "b")
    done = Task("t", "app", "", "", "", cell_id="a", result="{}")
    state.complete_task(done)
    assert (state.tasks["t"].state, state.tasks["t"].completion_url) == ("COMPLETED", "http://done")
    state.resolve_task("t")
    assert state.tasks == {}


def test_the_task_of_a_lost_cell_fails(state: State, clock: ManualClock) -> None:
    state.heartbeat(CELL)
    for guid in ("started", "waiting"):
        state.desire_task(task(guid))
    state.place()
    state.start_task("started", "a")
    clock.advance(16)
    state.converge()
    assert state.tasks["started"].failure_reason == "cell disappeared before completion"
    assert state.tasks["waiting"].cell_id == ""


class Anything(RuleBasedStateMachine):
    """Whatever order things come in: changes can be taken back, and the indexes are those that are wanted."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        numbers = itertools.count()
        self.state = State(self.clock, lambda: f"guid-{next(numbers)}")
        self.state.upsert_domain("cf-apps", 0)
        self.mirror: dict[Any, Any] = {}

    def do(self, work: Any, undo: bool) -> None:
        before = self.picture()
        try:
            work(self.state)
            self.state.place()
        except Refused:
            undo = True
        changes = self.state.take()
        if undo:
            self.state.undo(changes)
            assert self.picture() == before

    def picture(self) -> Any:
        return dict(self.state.desired), {(lrp.process_guid, lrp.index): lrp for lrp in self.state.instances()}

    guids = st.sampled_from(["p", "q"])
    indexes = st.integers(0, 3)
    cells = st.sampled_from(["a", "b"])

    @rule(guid=guids, count=st.integers(0, 4), undo=st.booleans())
    def desire(self, guid: str, count: int, undo: bool) -> None:
        self.do(lambda state: state.desire(desired(guid, count)), undo)

    @rule(guid=guids, undo=st.booleans())
    def remove(self, guid: str, undo: bool) -> None:
        self.do(lambda state: state.remove(guid), undo)

    @rule(guid=guids, index=indexes, cell=cells)
    def claim(self, guid: str, index: int, cell: str) -> None:
        self.do(lambda state: state.claim(guid, index, cell, f"{guid}{index}{cell}"), False)

    @rule(guid=guids, index=indexes, cell=cells, undo=st.booleans())
    def start(self, guid: str, index: int, cell: str, undo: bool) -> None:
        lrp = ActualLRP(guid, index, f"{guid}{index}{cell}", cell, "h", (Port(1, 2),))
        self.do(lambda state: state.start(lrp), undo)

    @rule(guid=guids, index=indexes, cell=cells, undo=st.booleans())
    def crash(self, guid: str, index: int, cell: str, undo: bool) -> None:
        self.do(lambda state: state.crash(guid, index, cell, f"{guid}{index}{cell}", "x"), undo)

    @rule(guid=guids, index=indexes, cell=cells)
    def gone(self, guid: str, index: int, cell: str) -> None:
        self.do(lambda state: state.gone(guid, index, f"{guid}{index}{cell}"), False)

    @rule(guid=guids, index=indexes)
    def retire(self, guid: str, index: int) -> None:
        self.do(lambda state: state.retire(guid, index), False)

    @rule(cell=cells, seconds=st.sampled_from([0, 10, 40]))
    def live(self, cell: str, seconds: int) -> None:
        self.do(lambda state: state.heartbeat(CellPresence(cell, "h")), False)
        self.clock.advance(seconds)
        self.do(State.converge, False)

    @invariant()
    def the_wanted_indexes_are_there(self) -> None:
        for guid, lrp in self.state.desired.items():
            present = self.state.actual.get(guid, {})
            assert set(range(lrp.instances)) <= set(present)
            assert all(each.retired for index, each in present.items() if index >= lrp.instances)
        for guid, present in self.state.actual.items():
            assert guid in self.state.desired or all(each.retired for each in present.values())


TestAnything = Anything.TestCase
TestAnything.settings = settings(max_examples=40, stateful_step_count=25)
