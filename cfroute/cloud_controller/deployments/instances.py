"""What the BBS knows of a process, as deployments see it. Pure."""

from collections.abc import Iterable

from cfroute.cloud_controller.deployments.progress import Instance
from cfroute.diego.api import ActualLRP


def instances(wanted: int, actual: Iterable[ActualLRP]) -> tuple[Instance, ...]:
    """The instances that are wanted, by their index. One that the BBS has not heard of yet is unknown."""
    known = {lrp.index: _instance(lrp) for lrp in actual if not lrp.retired}
    return tuple(known.get(index, "unknown") for index in range(wanted))


def problem(actual: Iterable[ActualLRP]) -> str | None:
    """What keeps an instance from running."""
    for lrp in actual:
        if _instance(lrp) == "crashed":
            return f"Instance {lrp.index}: {lrp.crash_reason or lrp.placement_error or 'crashed'}"
    return None


def _instance(lrp: ActualLRP) -> Instance:
    if lrp.state == "RUNNING" and lrp.routable:
        return "routable"
    crashed = lrp.state == "CRASHED" or (lrp.state == "UNCLAIMED" and lrp.placement_error)
    return "crashed" if crashed else "starting"
