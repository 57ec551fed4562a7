"""When components are started again: a table of times, on a clock that is moved by hand."""

import pytest

from cfroute.foundation.policy import HEALTHY_FOR, PAUSES, Lifecycle, State, describe_exit
from cfroute.testing.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(0.0)


@pytest.fixture
def life(clock: ManualClock) -> Lifecycle:
    life = Lifecycle(clock.monotonic())
    life.start(clock.monotonic())
    return life


def fail(life: Lifecycle, clock: ManualClock) -> float:
    """Let the process end; the seconds until the next start, which is made."""
    life.exited("exit status 1", clock.monotonic())
    assert life.state is State.BACKING_OFF
    assert life.wakes_at is not None
    pause = life.wakes_at - clock.monotonic()
    assert not life.due(clock.monotonic())
    clock.advance(pause)
    assert life.due(clock.monotonic())
    life.start(clock.monotonic())
    return round(pause, 3)


def test_pauses_grow_to_the_longest(life: Lifecycle, clock: ManualClock) -> None:
    assert [fail(life, clock) for _ in range(8)] == [*PAUSES, PAUSES[-1], PAUSES[-1]]
    assert life.restarts == 8
    assert life.last_error == "exit status 1"


def test_health_for_long_enough_forgets_failures(life: Lifecycle, clock: ManualClock) -> None:
    fail(life, clock)
    fail(life, clock)
    life.probed("", clock.monotonic())
    clock.advance(HEALTHY_FOR)
    assert fail(life, clock) == PAUSES[0]


def test_a_short_health_does_not(life: Lifecycle, clock: ManualClock) -> None:
    fail(life, clock)
    life.probed("", clock.monotonic())
    clock.advance(HEALTHY_FOR - 1)
    assert fail(life, clock) == PAUSES[1]


def test_probes_decide_between_running_and_unhealthy(life: Lifecycle, clock: ManualClock) -> None:
    life.probed("connection refused", clock.monotonic())
    assert life.state is State.STARTING
    life.probed("", clock.monotonic())
    assert life.state is State.RUNNING
    clock.advance(2)
    life.probed("/health answered 503", clock.monotonic())
    assert (life.state, life.reason, life.since) == (State.UNHEALTHY, "/health answered 503", clock.monotonic())
    life.probed("", clock.monotonic())
    assert (life.state, life.reason, life.last_error) == (State.RUNNING, "", "/health answered 503")


def test_a_restart_on_purpose_does_not_wait_and_is_no_failure(life: Lifecycle, clock: ManualClock) -> None:
    life.probed("", clock.monotonic())
    life.restart(clock.monotonic())
    life.exited("exit status 0", clock.monotonic())
    assert life.due(clock.monotonic())
    assert (life.failures, life.last_error) == (0, "")


def test_a_restart_while_backing_off_ends_the_pause(life: Lifecycle, clock: ManualClock) -> None:
    life.exited("exit status 1", clock.monotonic())
    life.restart(clock.monotonic())
    assert life.due(clock.monotonic())


def test_what_was_stopped_stays_so(life: Lifecycle, clock: ManualClock) -> None:
    life.stop(clock.monotonic())
    assert life.state is State.STOPPING
    life.probed("", clock.monotonic())
    life.exited("killed by SIGTERM", clock.monotonic())
    assert (life.state, life.wakes_at, life.last_error) == (State.STOPPED, None, "")


def test_stopping_while_backing_off(life: Lifecycle, clock: ManualClock) -> None:
    life.exited("exit status 1", clock.monotonic())
    life.stop(clock.monotonic())
    assert (life.state, life.wakes_at) == (State.STOPPED, None)


def test_an_exit_in_words() -> None:
    assert describe_exit(3) == "exit status 3"
    assert describe_exit(-9, "SIGKILL") == "killed by SIGKILL"
    assert describe_exit(-40) == "killed by signal 40"
