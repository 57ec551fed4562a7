"""What the next step of a deployment is. Pure.

A deployment scales its own web process up, at most `max_in_flight` instances ahead of those that requests reach, and the others
down by as many as have come up; at the end the others go, and it is the app's web process. Cancelled, it does the same backwards.
What is wanted changes only by steps from here, and each is computed anew from what runs: it does not matter who took the last
one, or how often one is taken. No step stops an instance that is needed to keep the number that is promised.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from cfroute.cloud_controller.deployments import canary
from cfroute.cloud_controller.deployments.states import State

Instance = Literal["routable", "starting", "crashed", "unknown"]
Origin = Literal["deploying", "original", "superseded", "canceled"]
# A BBS that has just lost its data does not know of instances that run all the same.
_MAYBE_REACHED: Final = ("routable", "unknown")


@dataclass(frozen=True)
class Web:
    """One of the app's web processes. instances are those that are wanted, by their index.

    origin: it is the deployment's own, the one from before all deployments, or that of an earlier one, which was superseded
    while it was going forward, or had been paused or cancelled.
    """

    guid: str
    instances: tuple[Instance, ...]
    origin: Origin = "original"

    @property
    def wanted(self) -> int:
        return len(self.instances)

    def count(self, *kinds: Instance) -> int:
        """How many instances are of these kinds."""
        return sum(each in kinds for each in self.instances)

    @property
    def routable(self) -> int:
        """How many instances requests reach."""
        return self.count("routable")


@dataclass(frozen=True)
class Standing:
    """A deployment that is under way.

    original is how many instances there were, target how many there are to be. weights and step are a canary's; step is from 1.
    running: the app is started.
    """

    state: State
    original: int
    target: int
    max_in_flight: int = 1
    weights: tuple[int, ...] | None = None
    step: int = 1
    running: bool = True


@dataclass(frozen=True)
class Step:
    """What to change: how many instances of which process are wanted (None: the process goes), and the state.

    grown: everything that was started is up, and more was asked for. lost: there is nothing that could be deployed.
    """

    state: State
    wanted: dict[str, int | None] = field(default_factory=dict)
    grown: bool = False
    lost: bool = False


def next_step(standing: Standing, processes: Sequence[Web]) -> Step:
    """The step from here; processes in the order in which they were made."""
    new = next((each for each in processes if each.origin == "deploying"), None)
    old = [each for each in processes if each is not new]
    if new is None or not old:
        return Step("DEPLOYED", lost=True)
    return _STEPS[standing.state](standing, new, old)


def first_instances(standing: Standing) -> int:
    """How many instances a new deployment begins with."""
    pauses = canary.plan(standing.original, standing.weights)
    most = pauses[0].new if standing.state == "PREPAUSED" else standing.target
    return min(standing.max_in_flight, most)


def _to_pause(standing: Standing, new: Web, old: Sequence[Web]) -> Step:
    pause = canary.plan(standing.original, standing.weights)[standing.step - 1]
    wanted = _replaced(new, old, pause.new + pause.old) | _grown(new, pause.new, standing.max_in_flight)
    return _step(standing.state, "PAUSED", new, pause.new, wanted)


def _to_end(standing: Standing, new: Web, old: Sequence[Web]) -> Step:
    if new.wanted >= standing.target <= new.routable:
        return Step("DEPLOYED", {each.guid: None for each in old}, grown=True)
    wanted = _replaced(new, old, standing.target) | _grown(new, standing.target, standing.max_in_flight)
    return _step(standing.state, standing.state, new, standing.target, wanted)


def _step(now: State, then: State, new: Web, goal: int, wanted: dict[str, int | None]) -> Step:
    there = new.wanted >= goal <= new.routable
    return Step(then if there else now, wanted, grown=there or new.guid in wanted)


def _paused(standing: Standing, _new: Web, _old: Sequence[Web]) -> Step:
    return Step(standing.state)


def _back(standing: Standing, new: Web, old: Sequence[Web]) -> Step:
    """Back to what ran before: upstream does not wait for it, and loses requests."""
    kept = _before(old)
    others = [new, *(each for each in reversed(old) if each is not kept)]
    if not standing.running or kept.count("crashed") or (kept.wanted >= standing.original <= kept.routable):
        return Step("CANCELED", {kept.guid: standing.original, **{each.guid: None for each in others}})
    spare = kept.routable + sum(each.routable for each in others) - standing.original
    shrunk = _shrunk(others, sum(each.wanted for each in others), spare)
    return Step(standing.state, {**{guid: count or 0 for guid, count in shrunk.items()}, kept.guid: standing.original})


def _before(old: Sequence[Web]) -> Web:
    """What is gone back to: the newest that an earlier deployment got to run, or what was there before all of them."""
    known = (each for each in reversed(old) if each.origin == "superseded" and each.routable)
    return next(known, old[0])


def _replaced(new: Web, old: Sequence[Web], total: int) -> dict[str, int | None]:
    """Fewer old instances, so that `total` are wanted in all: first of what was cancelled, then of the oldest process."""
    surplus = sum(each.wanted for each in old) - max(total - new.routable, 0)
    spare = new.routable + sum(each.routable for each in old) - total
    return _shrunk(sorted(old, key=lambda each: each.origin != "canceled"), surplus, spare)


def _grown(new: Web, most: int, max_in_flight: int) -> dict[str, int | None]:
    """More instances of the new process, when those that were asked for are there."""
    late = new.count("starting") >= max_in_flight or new.count("crashed", "unknown")
    behind = new.routable < new.wanted - max_in_flight
    goal = min(new.routable + max_in_flight, most)
    return {} if late or behind or goal <= new.wanted else {new.guid: goal}


def _shrunk(processes: Sequence[Web], surplus: int, spare: int) -> dict[str, int | None]:
    """Fewer instances of these: at most `surplus` in all, of which at most `spare` may be reached.

    What is at the end of a process and reached by nobody goes first. A process of an earlier deployment goes with its last one.
    """
    left = {each.guid: list(each.instances) for each in processes}
    for kept in left.values():
        while surplus > 0 and kept and kept[-1] not in _MAYBE_REACHED:
            kept.pop()
            surplus -= 1
    for kept in left.values():
        while surplus > 0 and kept and (kept[-1] not in _MAYBE_REACHED or spare > 0):
            if kept.pop() in _MAYBE_REACHED:
                spare -= 1
            surplus -= 1
    return dict(_changes(processes, left))


def _changes(processes: Iterable[Web], left: dict[str, list[Instance]]) -> Iterable[tuple[str, int | None]]:
    for each in processes:
        count = len(left[each.guid])
        if not count and each.origin in ("superseded", "canceled"):
            yield each.guid, None
        elif count != each.wanted:
            yield each.guid, count


_STEPS: Final[dict[State, Callable[[Standing, Web, Sequence[Web]], Step]]] = {
    "PREPAUSED": _to_pause,
    "PAUSED": _paused,
    "DEPLOYING": _to_end,
    "CANCELING": _back,
}
