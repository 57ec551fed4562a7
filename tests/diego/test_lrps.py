from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.diego.api import ActualLRP, ModificationTag, Port
from cfroute.diego.bbs import lrps
from cfroute.diego.bbs.lrps import SECOND, Refused

CELL = "diego_cell/0"
LRP = ActualLRP("p", 0, modification_tag=ModificationTag("e", 0))


def started(lrp: ActualLRP, cell: str = CELL, guid: str = "i", now: int = 5) -> ActualLRP:
    return lrps.start(lrp, cell, guid, now, address="a", ports=(Port(8080, 1),), routable=True, availability_zone="z1")


def running(since: int = 0) -> ActualLRP:
    return started(lrps.claim(LRP, CELL, "i", since), now=since)


def test_claim_and_start_take_the_instance_and_raise_its_tag() -> None:
    claimed = lrps.claim(LRP, CELL, "i", 3)
    assert (claimed.state, claimed.cell_id, claimed.instance_guid, claimed.since) == ("CLAIMED", CELL, "i", 3)

    lrp = started(claimed, now=7)
    assert (lrp.state, lrp.address, lrp.since, lrp.availability_zone) == ("RUNNING", "a", 7, "z1")
    assert [claimed.modification_tag.index, lrp.modification_tag.index] == [1, 2]
    assert lrp.modification_tag.succeeds(claimed.modification_tag)


def test_saying_it_twice_changes_nothing() -> None:
    claimed = lrps.claim(LRP, CELL, "i", 3)
    assert lrps.claim(claimed, CELL, "i", 9) is claimed
    lrp = started(claimed)
    assert started(lrp, now=99) is lrp


@pytest.mark.parametrize("lrp", [lrps.claim(LRP, CELL, "i", 0), running()])
@pytest.mark.parametrize(
    "attempt",
    [
        lambda lrp: lrps.claim(lrp, "other", "i", 0),
        lambda lrp: started(lrp, "other"),
        lambda lrp: started(lrp, CELL, "another-instance"),
        lambda lrp: lrps.crash(lrp, "other", "i", "", 0),
    ],
)
def test_what_one_cell_has_is_refused_to_another(lrp: ActualLRP, attempt: Callable[[ActualLRP], ActualLRP]) -> None:
    with pytest.raises(Refused):
        attempt(lrp)


def test_an_unclaimed_instance_that_runs_already_is_believed() -> None:
    assert started(LRP).state == "RUNNING"


def test_the_third_crash_waits_as_in_diego() -> None:
    lrp, states = LRP, []
    for _ in range(4):
        lrp = lrps.crash(lrps.claim(_unclaimed(lrp), CELL, "i", 0), CELL, "i", "why", 100)
        states.append((lrp.state, lrp.crash_count))

    assert states == [("UNCLAIMED", 1), ("UNCLAIMED", 2), ("CRASHED", 3), ("CRASHED", 4)]
    assert (lrp.cell_id, lrp.instance_guid, lrp.crash_reason) == ("", "", "why")


def _unclaimed(lrp: ActualLRP) -> ActualLRP:
    return lrps.restart(lrp, 0) if lrp.state == "CRASHED" else lrp


def test_the_pauses_double_up_to_sixteen_minutes() -> None:
    assert [lrps.pause(count) for count in range(1, 11)] == [0, 0, 30, 60, 120, 240, 480, 960, 960, 960]
    assert lrps.pause(199) == 960


def test_a_restart_is_due_after_its_pause_and_never_after_200_crashes() -> None:
    crashed = ActualLRP("p", 0, state="CRASHED", since=0, crash_count=4)
    assert not lrps.due(crashed, 60 * SECOND - 1)
    assert lrps.due(crashed, 60 * SECOND)
    assert not lrps.due(ActualLRP("p", 0, state="CRASHED", crash_count=200), 10**20)


@pytest.mark.parametrize(("ran_for", "count"), [(299, 3), (300, 1)])
def test_five_minutes_of_running_make_up_for_earlier_crashes(ran_for: int, count: int) -> None:
    lrp = running()
    before = ActualLRP(**{field: getattr(lrp, field) for field in lrp.__struct_fields__} | {"crash_count": 2})

    assert lrps.crash(before, CELL, "i", "", ran_for * SECOND).crash_count == count


def test_retiring_takes_it_out_of_the_routes() -> None:
    retired = lrps.retire(running())
    assert retired is not None
    assert (retired.retired, retired.routable) == (True, False)
    assert lrps.retire(retired) is retired
    assert lrps.retire(LRP) is None
    with pytest.raises(Refused):
        lrps.claim(ActualLRP("p", 0, retired=True), CELL, "i", 0)


def test_a_lost_instance_starts_again_and_keeps_its_count() -> None:
    lost = lrps.lose(running(), 9)
    assert (lost.state, lost.cell_id, lost.ports, lost.since) == ("UNCLAIMED", "", (), 9)


Step = Callable[[ActualLRP], ActualLRP | None]
STEPS: dict[str, Step] = {
    "claim": lambda lrp: lrps.claim(lrp, CELL, "i", 1),
    "claim by another": lambda lrp: lrps.claim(lrp, "other", "j", 1),
    "start": started,
    "crash": lambda lrp: lrps.crash(lrp, CELL, "i", "r", 2),
    "lose": lambda lrp: lrps.lose(lrp, 3),
    "restart": lambda lrp: lrps.restart(lrp, 4) if lrp.state == "CRASHED" else lrp,
    "retire": lrps.retire,
}


@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=30))
def test_whatever_happens_the_instance_stays_consistent(names: list[str]) -> None:
    lrp = LRP
    for name in names:
        try:
            after = STEPS[name](lrp)
        except Refused:
            continue
        if after is None:
            return
        assert after is lrp or after.modification_tag.succeeds(lrp.modification_tag)
        assert (after.state in ("CLAIMED", "RUNNING")) == bool(after.instance_guid)
        assert (after.state == "RUNNING") == bool(after.ports)
        lrp = after
