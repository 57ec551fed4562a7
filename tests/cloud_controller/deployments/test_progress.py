"""Each step of a deployment, and whole deployments in which instances come up when they like."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfroute.cloud_controller.deployments import canary
from cfroute.cloud_controller.deployments.progress import Instance, Origin, Standing, Step, Web, first_instances, next_step
from cfroute.cloud_controller.deployments.states import ACTIVE, STATUS, State, superseded

LETTERS: dict[str, Instance] = {"r": "routable", "s": "starting", "c": "crashed", "?": "unknown"}


def web(text: str, origin: Origin = "original", guid: str = "") -> Web:
    """`web("rrs")` has two instances that requests reach, and one that starts."""
    return Web(guid or origin, tuple(LETTERS[letter] for letter in text), origin)


def new(text: str) -> Web:
    return web(text, "deploying")


def rolling(state: State = "DEPLOYING", original: int = 3, **options: object) -> Standing:
    return replace(Standing(state, original, original), **options)  # type: ignore[arg-type]


DONE = Step("DEPLOYED", {"original": None}, grown=True)


@pytest.mark.parametrize(
    ("old", "begun", "options", "expected"),
    [
        ("rrr", "s", {}, Step("DEPLOYING")),
        ("rrr", "?", {}, Step("DEPLOYING")),
        ("rrr", "c", {}, Step("DEPLOYING")),
        ("rrr", "r", {}, Step("DEPLOYING", {"original": 2, "deploying": 2}, grown=True)),
        ("rr", "rs", {}, Step("DEPLOYING")),
        ("rr", "rr", {}, Step("DEPLOYING", {"original": 1, "deploying": 3}, grown=True)),
        ("r", "rrs", {}, Step("DEPLOYING")),
        ("r", "rrr", {}, DONE),
        # two at once: the next may begin when one of them is up
        ("rrr", "ss", {"max_in_flight": 2}, Step("DEPLOYING")),
        ("rrr", "rs", {"max_in_flight": 2}, Step("DEPLOYING", {"original": 2, "deploying": 3}, grown=True)),
        ("rrr", "sss", {"max_in_flight": 3}, Step("DEPLOYING")),
        ("rrr", "rss", {"max_in_flight": 3}, Step("DEPLOYING", {"original": 2})),
        ("rrr", "rrs", {"max_in_flight": 3}, Step("DEPLOYING", {"original": 1})),
        # one that crashes holds the rest up, and what it was to replace stays
        ("rr", "rc", {}, Step("DEPLOYING")),
        ("rrr", "rc", {"max_in_flight": 3}, Step("DEPLOYING", {"original": 2})),
        # another number of instances than before
        ("rr", "r", {"original": 2, "target": 4}, Step("DEPLOYING", {"deploying": 2}, grown=True)),
        ("rr", "rrrr", {"original": 2, "target": 4}, DONE),
        ("rrr", "r", {"target": 1}, DONE),
        ("", "", {"original": 0, "target": 0}, DONE),
        # what is down before is not missed
        ("rcc", "r", {}, Step("DEPLOYING", {"original": 2, "deploying": 2}, grown=True)),
        ("ccr", "r", {}, Step("DEPLOYING", {"deploying": 2}, grown=True)),
    ],
)
def test_rolling(old: str, begun: str, options: dict[str, object], expected: Step) -> None:
    assert next_step(rolling(**options), [web(old), new(begun)]) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("old", "begun", "expected"),
    [
        ("rrr", "s", Step("PREPAUSED")),
        ("rrr", "c", Step("PREPAUSED")),
        ("rrr", "r", Step("PAUSED", grown=True)),
    ],
)
def test_a_canary_pauses_beside_all_that_there_were(old: str, begun: str, expected: Step) -> None:
    assert next_step(rolling("PREPAUSED"), [web(old), new(begun)]) == expected


@pytest.mark.parametrize(
    ("old", "begun", "step", "expected"),
    [
        ("rrrr", "r", 1, Step("PAUSED", grown=True)),
        ("rrrr", "r", 2, Step("PREPAUSED", {"deploying": 2}, grown=True)),
        ("rrrr", "rs", 2, Step("PREPAUSED")),
        ("rrrr", "rr", 2, Step("PAUSED", {"original": 3}, grown=True)),
        ("rrr", "rr", 3, Step("PREPAUSED", {"original": 2, "deploying": 3}, grown=True)),
        ("r", "rrrr", 3, Step("PAUSED", {"original": 0}, grown=True)),
    ],
)
def test_a_canary_with_steps(old: str, begun: str, step: int, expected: Step) -> None:
    standing = rolling("PREPAUSED", 4, weights=(20, 50, 100), step=step)
    assert next_step(standing, [web(old), new(begun)]) == expected


def test_a_paused_canary_waits() -> None:
    assert next_step(rolling("PAUSED"), [web("rrr"), new("r")]) == Step("PAUSED")


def test_a_canary_that_is_continued_rolls_on() -> None:
    assert next_step(rolling(), [web("rrr"), new("r")]) == Step("DEPLOYING", {"original": 2, "deploying": 2}, grown=True)


BACK = Step("CANCELED", {"original": 3, "deploying": None})


@pytest.mark.parametrize(
    ("old", "begun", "expected"),
    [
        ("rrr", "r", BACK),
        ("r", "rr", Step("CANCELING", {"original": 3})),
        ("rss", "rr", Step("CANCELING", {"original": 3})),
        ("rrs", "rr", Step("CANCELING", {"original": 3, "deploying": 1})),
        ("rrr", "rr", BACK),
        ("", "rrr", Step("CANCELING", {"original": 3})),
        ("rsc", "rr", BACK),
        ("r??", "cs", Step("CANCELING", {"original": 3, "deploying": 0})),
    ],
)
def test_cancelling(old: str, begun: str, expected: Step) -> None:
    assert next_step(rolling("CANCELING"), [web(old), new(begun)]) == expected


def test_what_nobody_knows_of_may_run_all_the_same() -> None:
    """A BBS without data: nothing goes before something else is known to be there."""
    assert next_step(rolling("CANCELING"), [web("???"), new("??")]) == Step("CANCELING", {"original": 3})
    assert next_step(rolling("CANCELING"), [web("r??"), new("??")]) == Step("CANCELING", {"original": 3})
    assert next_step(rolling(), [web("??"), new("??")]) == Step("DEPLOYING")


def test_a_stopped_app_is_back_at_once() -> None:
    assert next_step(rolling("CANCELING", running=False), [web("?"), new("??")]) == BACK


def test_cancelling_goes_back_to_what_the_deployment_before_had_got_to_run() -> None:
    processes = [web("r"), web("rr", "superseded"), new("s")]
    assert next_step(rolling("CANCELING"), processes).wanted["superseded"] == 3
    processes = [web("rrr"), web("ss", "superseded"), new("s")]
    assert next_step(rolling("CANCELING"), processes) == Step("CANCELED", {"original": 3, "superseded": None, "deploying": None})


def test_what_was_superseded_goes_as_the_new_one_comes() -> None:
    """First what nobody reaches, then what was cancelled, then the oldest."""
    processes = [web("rr"), web("rs", "superseded"), new("s")]
    assert next_step(rolling(), processes) == Step("DEPLOYING", {"superseded": 1})
    processes = [web("rrr"), web("r", "canceled"), new("s")]
    assert next_step(rolling(), processes) == Step("DEPLOYING", {"canceled": None})
    processes = [web("rr"), web("r", "superseded"), new("r")]
    assert next_step(rolling(), processes) == Step("DEPLOYING", {"original": 1, "deploying": 2}, grown=True)
    processes = [web(""), web("r", "superseded"), new("rr")]
    assert next_step(rolling(), processes) == Step("DEPLOYING", {"deploying": 3}, grown=True)
    processes = [web(""), web("r", "superseded"), new("rrr")]
    assert next_step(rolling(), processes) == Step("DEPLOYED", {"original": None, "superseded": None}, grown=True)


@pytest.mark.parametrize(
    "processes", [[web("rrr")], [new("r")], []], ids=["without a new one", "without an old one", "without any"]
)
def test_what_cannot_be_deployed_ends(processes: list[Web]) -> None:
    assert next_step(rolling(), processes) == Step("DEPLOYED", lost=True)


@pytest.mark.parametrize(
    ("instances", "weights", "expected"),
    [
        (3, None, [(1, 3)]),
        (10, (10, 50, 100), [(1, 10), (5, 6), (10, 0)]),
        (1, (1,), [(1, 1)]),
        (5, (50,), [(3, 3)]),  # 2.5 is rounded up
        (4, (12,), [(1, 4)]),
    ],
)
def test_the_pauses_of_a_canary(instances: int, weights: tuple[int, ...] | None, expected: list[tuple[int, int]]) -> None:
    assert canary.plan(instances, weights) == expected


# whole deployments


@dataclass
class Process:
    """A web process as Diego has it: instances come up one by one, and those with the highest indexes go first."""

    guid: str
    origin: Origin
    wanted: int
    up: list[bool] = field(default_factory=list)

    @property
    def seen(self) -> Web:
        states: list[Instance] = ["routable" if up else "starting" for up in self.up]
        return Web(self.guid, tuple(states[: self.wanted]) + ("unknown",) * (self.wanted - len(states)), self.origin)

    def run(self) -> None:
        self.up = self.up[: self.wanted] + [False] * (self.wanted - len(self.up))


@dataclass
class World:
    """An app under deployments, one after the other."""

    processes: list[Process]
    standing: Standing
    least: int = 0
    made: int = 0

    @classmethod
    def of(cls, instances: int, standing: Standing) -> "World":
        world = cls([Process("original", "original", instances, [True] * instances)], standing, instances)
        world.deploy(standing)
        return world

    def deploy(self, standing: Standing) -> None:
        """Begin a deployment; one that is under way is superseded."""
        for process in self.processes:
            if process.origin == "deploying":
                process.origin = "superseded" if superseded(self.standing.state) == "DEPLOYED" else "canceled"
        self.standing = standing
        self.made += 1
        self.processes.append(Process(f"process {self.made}", "deploying", first_instances(standing)))

    @property
    def routable(self) -> int:
        return sum(sum(process.up) for process in self.processes)

    @property
    def started(self) -> int:
        """Instances that are wanted, and not up."""
        return sum(process.wanted - sum(process.up) for process in self.processes)

    def come_up(self, choices: Iterable[int]) -> None:
        """Some instance gets ready, for each of the choices."""
        for choice in choices:
            waiting = [(process, index) for process in self.processes for index, up in enumerate(process.up) if not up]
            if waiting:
                process, index = waiting[choice % len(waiting)]
                process.up[index] = True

    def step(self) -> None:
        if self.standing.state not in ACTIVE:
            return
        step = next_step(self.standing, [process.seen for process in self.processes])
        for process in list(self.processes):
            count = step.wanted.get(process.guid, process.wanted)
            if count is None:
                self.processes.remove(process)
            else:
                process.wanted = count
        for process in self.processes:
            process.run()
        self.standing = replace(self.standing, state=step.state)
        assert self.routable >= self.least, self

    def go(self, choices: list[int], steps: int) -> None:
        """Take so many steps, with instances coming up in between."""
        for number in range(steps):
            self.step()
            self.come_up(choices[number * 2 : number * 2 + 2])

    def to_the_end(self, *states: State) -> None:
        """Take steps until one of the states is reached, with instances coming up one by one."""
        for _ in range(400):
            if self.standing.state in states:
                return
            self.step()
            self.come_up([0])
        raise AssertionError(f"it does not end: {self}")


counts = st.integers(1, 6)
order = st.lists(st.integers(0, 20), max_size=40)
weights = st.none() | st.lists(st.integers(1, 100), min_size=1, max_size=3).map(lambda found: tuple(sorted(found)))


@st.composite
def deployments(draw: st.DrawFn, instances: int) -> Standing:
    steps = draw(weights)
    state: State = draw(st.sampled_from(["DEPLOYING", "PREPAUSED"]))
    return Standing(state, instances, instances, draw(counts), steps if state == "PREPAUSED" else None)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    instances = draw(counts)
    return World.of(instances, draw(deployments(instances)))


def finish(world: World) -> None:
    """Continue whenever it is paused, until it is over."""
    while True:
        world.to_the_end("DEPLOYED", "CANCELED", "PAUSED")
        if world.standing.state != "PAUSED":
            return
        pauses = canary.plan(world.standing.original, world.standing.weights)
        last = world.standing.step == len(pauses)
        world.standing = replace(
            world.standing, state="DEPLOYING" if last else "PREPAUSED", step=world.standing.step + (not last)
        )


def only(world: World) -> tuple[Origin, int, int]:
    """The one process that is left: whose it is, what is wanted, and what runs."""
    (process,) = world.processes
    return process.origin, process.wanted, sum(process.up)


@given(worlds(), order)
def test_every_deployment_ends_and_never_has_fewer_instances_than_before(world: World, choices: list[int]) -> None:
    world.go(choices, 20)
    finish(world)
    assert STATUS[world.standing.state].reason == "DEPLOYED"
    assert only(world) == ("deploying", world.standing.target, world.standing.target)


@given(worlds(), order, st.integers(0, 20))
def test_cancelling_always_leads_back_and_loses_nothing(world: World, choices: list[int], steps: int) -> None:
    world.go(choices, steps)
    if world.standing.state == "DEPLOYED":
        return
    world.standing = replace(world.standing, state="CANCELING")
    world.to_the_end("CANCELED")
    assert only(world) == ("original", world.standing.original, world.standing.original)


@settings(max_examples=200)
@given(worlds(), order, st.integers(0, 8), st.data())
def test_one_deployment_after_the_other_loses_nothing(world: World, choices: list[int], steps: int, data: st.DataObject) -> None:
    for _ in range(2):
        world.go(choices, steps)
        if world.standing.state == "DEPLOYED":
            return
        world.deploy(data.draw(deployments(world.standing.original)))
    finish(world)
    assert only(world)[0] == "deploying"


@given(worlds(), order)
def test_no_more_run_than_were_asked_to_be_in_flight(world: World, choices: list[int]) -> None:
    pauses = canary.plan(world.standing.original, world.standing.weights)
    room = world.standing.target + world.standing.max_in_flight
    if world.standing.state == "PREPAUSED":
        room = max(pause.new + pause.old for pause in pauses) + world.standing.max_in_flight
    for number in range(20):
        world.step()
        assert world.routable + world.started <= room
        world.come_up(choices[number : number + 1])


@given(worlds(), order, st.integers(0, 20))
def test_a_step_that_was_taken_is_not_taken_again(world: World, choices: list[int], steps: int) -> None:
    """While nothing changes, nothing is done: a worker that was killed after a step finds the same again."""
    world.go(choices, steps)
    for _ in range(30):
        world.step()
    before = [(process.guid, process.wanted) for process in world.processes]
    state = world.standing.state
    world.step()
    assert before == [(process.guid, process.wanted) for process in world.processes]
    assert state == world.standing.state
