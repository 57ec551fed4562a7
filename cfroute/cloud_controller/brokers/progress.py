"""Where an operation at a broker stands after an answer, and what is to be done next. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from cfroute.cloud_controller.brokers.outcomes import Failed, InProgress, Outcome
from cfroute.cloud_controller.brokers.refusals import CONCURRENCY_ERROR

NOT_RETRIEVABLE = "The broker responded asynchronously but does not support fetching binding data"
_LONGEST_INTERVAL = 24 * 60 * 60.0  # seconds
_VERBS = {
    ("instance", "create"): "provision",
    ("instance", "update"): "update",
    ("instance", "delete"): "deprovision",
    ("binding", "create"): "bind",
    ("binding", "delete"): "unbind",
}
_TOLD = {**_VERBS, ("instance", "delete"): "delete"}


def told_verb(kind: str, type: str) -> str:  # noqa: A002 - the API's word
    """What jobs call it that could not be done."""
    return _TOLD["instance" if kind == "instance" else "binding", type]


@dataclass(frozen=True)
class Limits:
    """How often is asked how far something has come, and how long it may take at most; in seconds."""

    interval: float
    longest: float

    def within(self, longest: float | None) -> "Limits":
        """The same for a plan that says itself how long an operation may take at most; it cannot make that longer."""
        return self if longest is None else Limits(self.interval, min(longest, self.longest))

    def pause(self, again_in: float | None) -> float:
        """How long to wait when the broker wants to be asked again in so many seconds: not less than usual, nor for days."""
        return max(self.interval, min(again_in or 0.0, _LONGEST_INTERVAL))


@dataclass(frozen=True)
class Standing:
    """An operation before the answer. asked: whether the broker has begun; waits: whether it may finish later.

    about: what a refusal is told after. busy: what is told instead when the broker has other work with the same thing.
    """

    kind: str
    type: str
    asked: bool
    deadline: float | None = None
    waits: bool = True
    about: str = ""
    busy: str = ""

    @property
    def verb(self) -> str:
        """What the Open Service Broker API calls it."""
        kind = "instance" if self.kind == "instance" else "binding"
        return _VERBS[kind, self.type]


class Failure(Enum):
    """Why an operation has failed, as far as its job has to know."""

    BROKER = "the broker has not done it"
    BUSY = "the broker has other work with the instance"
    LATE = "it took too long"
    NOT_RETRIEVABLE = "what was made in the background cannot be fetched"


@dataclass(frozen=True)
class Verdict:
    """An operation after the answer. due_at and deadline are those of one that goes on, the last four of one that failed."""

    state: str
    description: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    broker_operation: str | None = None
    due_at: float = 0.0
    deadline: float | None = None
    orphan: bool = False
    status: int = 502
    error: str = ""
    failure: Failure = Failure.BROKER


def judge(standing: Standing, outcome: Outcome, now: float, limits: Limits) -> Verdict:
    """What the broker's answer makes of the operation."""
    if not standing.asked:
        return _begun(standing, outcome, now, limits)
    if isinstance(outcome, InProgress) or (isinstance(outcome, Failed) and outcome.repeatable):
        return _goes_on(standing, outcome, now, limits)
    if isinstance(outcome, Failed):
        return Verdict("failed", outcome.detail)
    if outcome.values.get("state") == "gone" and standing.type != "delete":
        return _goes_on(standing, InProgress({}), now, limits)
    return Verdict("succeeded", _text(outcome.values.get("description")), outcome.values)


def _begun(standing: Standing, outcome: Outcome, now: float, limits: Limits) -> Verdict:
    if isinstance(outcome, Failed) and outcome.error == CONCURRENCY_ERROR and standing.busy:
        return Verdict("failed", standing.busy, failure=Failure.BUSY if standing.kind == "instance" else Failure.BROKER)
    if isinstance(outcome, Failed):
        orphan = outcome.orphan and standing.type == "create"
        return Verdict("failed", standing.about + outcome.detail, orphan=orphan, status=outcome.status, error=outcome.error)
    if not isinstance(outcome, InProgress):
        return Verdict("succeeded", values=outcome.values)
    if not standing.waits:
        return Verdict("failed", NOT_RETRIEVABLE, orphan=True, failure=Failure.NOT_RETRIEVABLE)
    return Verdict(
        "in progress",
        values=outcome.values,
        broker_operation=outcome.operation,
        due_at=now,
        deadline=now + limits.longest,
    )


def _goes_on(standing: Standing, outcome: InProgress | Failed, now: float, limits: Limits) -> Verdict:
    again_in = outcome.again_in if isinstance(outcome, InProgress) else None
    due = now + limits.pause(again_in)
    if standing.deadline is not None and due > standing.deadline:
        late = f"Service Broker failed to {standing.verb} within the required time."
        return Verdict("failed", late, orphan=standing.type == "create", failure=Failure.LATE)
    description = outcome.description if isinstance(outcome, InProgress) else outcome.detail
    return Verdict("in progress", description, due_at=due, deadline=standing.deadline)


def retry_at(attempts: int, now: float) -> float | None:
    """When an orphan is to be removed after so many vain tries: 2, 4, 8 … minutes later; None after the eleventh."""
    return now + 60 * 2**attempts if attempts < 11 else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
