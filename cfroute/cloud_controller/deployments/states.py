"""The states of a deployment, and what people see of them. Pure.

            ┌────────── continue ───────────┐
            ▼                               │
    PREPAUSED ──▶ PAUSED ── continue ──▶ DEPLOYING ──▶ DEPLOYED
       (canary)      │ cancel               │ cancel
                     └──────▶ CANCELING ◀───┘──▶ CANCELED

A deployment that begins while another one is active takes its place: that one is DEPLOYED when it was DEPLOYING, and CANCELED
otherwise, both because it is SUPERSEDED. A canary is PREPAUSED at the start of each of its steps.
"""

from typing import Final, Literal, NamedTuple

State = Literal["PREPAUSED", "PAUSED", "DEPLOYING", "CANCELING", "DEPLOYED", "CANCELED"]


class Status(NamedTuple):
    """`status.value` and `status.reason`."""

    value: str
    reason: str


STATUS: Final[dict[State, Status]] = {
    "PREPAUSED": Status("ACTIVE", "DEPLOYING"),
    "PAUSED": Status("ACTIVE", "PAUSED"),
    "DEPLOYING": Status("ACTIVE", "DEPLOYING"),
    "CANCELING": Status("ACTIVE", "CANCELING"),
    "DEPLOYED": Status("FINALIZED", "DEPLOYED"),
    "CANCELED": Status("FINALIZED", "CANCELED"),
}
SUPERSEDED: Final = Status("FINALIZED", "SUPERSEDED")
DEGENERATE: Final = Status("FINALIZED", "DEGENERATE")
ACTIVE: Final[tuple[State, ...]] = ("PREPAUSED", "PAUSED", "DEPLOYING", "CANCELING")
"""Those that are not over."""
FORWARD: Final[tuple[State, ...]] = ("PREPAUSED", "PAUSED", "DEPLOYING")
"""Those in which the app's web process may not be changed otherwise."""
WORKING: Final[tuple[State, ...]] = ("PREPAUSED", "DEPLOYING", "CANCELING")
"""Those that go on by themselves: a paused one waits for somebody to say so."""


def superseded(state: str) -> State:
    """What a deployment becomes when another one takes its place."""
    return "DEPLOYED" if state == "DEPLOYING" else "CANCELED"
