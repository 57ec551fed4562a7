"""The life of one instance, as Diego has it.

            claim            start
    UNCLAIMED ──▶ CLAIMED ──▶ RUNNING
        ▲  ▲         │ crash     │ crash
        │  └─────────┴───────────┘  (the first crashes: at once)
        │ restart                └──▶ CRASHED
        └──────────────────────────────┘  (later ones: after a pause)

A cell that is lost makes its instances UNCLAIMED again. What the tables do not hold is refused.
"""

from typing import Literal

import msgspec

from cfroute.diego.api import ActualLRP, LRPState, ModificationTag, Port, PreferredAddress
from cfroute.errors import CfrouteError

Action = Literal["claim", "start", "crash", "lose", "restart"]

# Upstream: bbs/models/restart_calculator.go
IMMEDIATE_RESTARTS = 3
MAX_RESTARTS = 200
SHORTEST_PAUSE = 30  # s
LONGEST_PAUSE = 16 * 60  # s
CRASH_RESET = 5 * 60  # s an instance must have run for its earlier crashes to be forgotten

SECOND = 1_000_000_000  # ns

ALLOWED: dict[Action, frozenset[LRPState]] = {
    "claim": frozenset({"UNCLAIMED", "CLAIMED"}),
    "start": frozenset({"UNCLAIMED", "CLAIMED", "RUNNING", "CRASHED"}),
    "crash": frozenset({"CLAIMED", "RUNNING"}),
    "lose": frozenset({"UNCLAIMED", "CLAIMED", "RUNNING"}),
    "restart": frozenset({"CRASHED"}),
}

ERRORS: dict[Action, str] = {
    "claim": "ActualLRPCannotBeClaimed",
    "start": "ActualLRPCannotBeStarted",
    "crash": "ActualLRPCannotBeCrashed",
}


class Refused(CfrouteError):
    """The BBS will not do it.

    `type` is Diego's name of the error, `status` the HTTP status that goes with it.
    """

    def __init__(self, type_: str, message: str, status: int = 409) -> None:
        super().__init__(message)
        self.type = type_
        self.status = status


def successor(tag: ModificationTag) -> ModificationTag:
    """The tag of the next version of the same thing."""
    return ModificationTag(tag.epoch, tag.index + 1)


def claim(lrp: ActualLRP, cell_id: str, instance_guid: str, now: int) -> ActualLRP:
    """The cell takes the instance.

    Raises Refused; asking twice is no error. `now` is in ns here and below.
    """
    _check(lrp, "claim", cell_id, instance_guid)
    if lrp.state == "CLAIMED":
        return lrp
    return _changed(lrp, state="CLAIMED", cell_id=cell_id, instance_guid=instance_guid, since=now, placement_error="")


def start(
    lrp: ActualLRP,
    cell_id: str,
    instance_guid: str,
    now: int,
    *,
    address: str,
    ports: tuple[Port, ...],
    routable: bool,
    availability_zone: str,
    instance_address: str = "",
    preferred_address: PreferredAddress = "UNKNOWN",
) -> ActualLRP:
    """The instance runs at `address`. Raises Refused when it belongs to another cell, or is another one."""
    _check(lrp, "start", cell_id, instance_guid)
    if lrp.retired:
        routable = False
    started = msgspec.structs.replace(
        lrp,
        state="RUNNING",
        cell_id=cell_id,
        instance_guid=instance_guid,
        address=address,
        ports=ports,
        routable=routable,
        availability_zone=availability_zone,
        instance_address=instance_address,
        preferred_address=preferred_address,
        crash_reason="",
        placement_error="",
        since=lrp.since if lrp.state == "RUNNING" else now,
    )
    return lrp if started == lrp else _changed(started)


def crash(lrp: ActualLRP, cell_id: str, instance_guid: str, reason: str, now: int) -> ActualLRP:
    """The instance died: it is to start again at once, or is CRASHED for a while. Raises Refused."""
    _check(lrp, "crash", cell_id, instance_guid)
    forgiven = lrp.state == "RUNNING" and now - lrp.since >= CRASH_RESET * SECOND
    count = 1 if forgiven else lrp.crash_count + 1
    state: LRPState = "UNCLAIMED" if count < IMMEDIATE_RESTARTS else "CRASHED"
    return _vacant(lrp, state, now, crash_count=count, crash_reason=reason)


def lose(lrp: ActualLRP, now: int) -> ActualLRP:
    """The cell is gone: the instance is to start elsewhere. That is no crash."""
    return _vacant(lrp, "UNCLAIMED", now)


def restart(lrp: ActualLRP, now: int) -> ActualLRP:
    """A crashed instance is to start again; it keeps its count of crashes."""
    return _vacant(lrp, "UNCLAIMED", now, crash_reason=lrp.crash_reason)


def due(lrp: ActualLRP, now: int) -> bool:
    """Whether a crashed instance has waited long enough."""
    if lrp.state != "CRASHED" or lrp.crash_count >= MAX_RESTARTS:
        return False
    return now >= lrp.since + pause(lrp.crash_count) * SECOND


def pause(crash_count: int) -> int:
    """Seconds between this crash and the restart: none for the first two, then 30 s, 1 min, … 16 min."""
    if crash_count < IMMEDIATE_RESTARTS:
        return 0
    return int(min(SHORTEST_PAUSE * 2 ** min(crash_count - IMMEDIATE_RESTARTS, 16), LONGEST_PAUSE))


def retire(lrp: ActualLRP) -> ActualLRP | None:
    """Nobody wants the instance any more: its cell is to drain and stop it.

    None: no cell has it, so it is gone.
    """
    if lrp.state in ("UNCLAIMED", "CRASHED"):
        return None
    return lrp if lrp.retired else _changed(lrp, retired=True, routable=False)


def _check(lrp: ActualLRP, action: Action, cell_id: str, instance_guid: str) -> None:
    if lrp.retired and action == "claim":
        raise Refused(ERRORS[action], "the instance is not wanted any more")
    if lrp.state not in ALLOWED[action]:
        raise Refused(ERRORS[action], f"the instance is {lrp.state}")
    if lrp.state in ("CLAIMED", "RUNNING") and (lrp.cell_id, lrp.instance_guid) != (cell_id, instance_guid):
        raise Refused(ERRORS[action], f"the instance is {lrp.state} on {lrp.cell_id} as {lrp.instance_guid}")


def _vacant(lrp: ActualLRP, state: LRPState, now: int, *, crash_count: int | None = None, crash_reason: str = "") -> ActualLRP:
    return ActualLRP(
        lrp.process_guid,
        lrp.index,
        state=state,
        since=now,
        crash_count=lrp.crash_count if crash_count is None else crash_count,
        crash_reason=crash_reason,
        modification_tag=successor(lrp.modification_tag),
    )


def _changed(lrp: ActualLRP, **changes: object) -> ActualLRP:
    return msgspec.structs.replace(lrp, **changes, modification_tag=successor(lrp.modification_tag))
