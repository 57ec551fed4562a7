"""What a cell has to do, so that what runs on it is what the BBS says."""

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from cfroute.diego.api import ActualLRP


class Take(NamedTuple):
    """Claim this instance and start it."""

    lrp: ActualLRP


class Stop(NamedTuple):
    """Drain and stop the instance."""

    instance_guid: str


class Announce(NamedTuple):
    """Tell the BBS once more that the instance runs; it will say if it is not wanted."""

    instance_guid: str


class Remove(NamedTuple):
    """Tell the BBS that this instance is gone: it is not here, whatever the BBS believes."""

    lrp: ActualLRP


Step = Take | Stop | Announce | Remove


def on_change(cell_id: str, before: ActualLRP | None, after: ActualLRP | None, running: Collection[str]) -> Iterator[Step]:
    """What one change in the BBS asks for. `running` are the guids of the instances that run here."""
    if before and before.instance_guid in running and _is_another(before, after):
        yield Announce(before.instance_guid)
    if after and after.cell_id == cell_id:
        if after.state == "UNCLAIMED":
            yield Take(after)
        elif after.retired:
            yield Stop(after.instance_guid)


def on_list(cell_id: str, lrps: Iterable[ActualLRP], present: Collection[str], running: Collection[str]) -> Iterator[Step]:
    """What the list of this cell's instances asks for.

    `present` are all instances here, also those that just start or end; `running` those that had been announced before
    the list was asked for.
    """
    listed = set()
    for lrp in lrps:
        listed.add(lrp.instance_guid)
        yield from on_change(cell_id, None, lrp, running)
        if lrp.state in ("CLAIMED", "RUNNING") and lrp.instance_guid not in present:
            yield Remove(lrp)
    for instance_guid in running:
        if instance_guid not in listed:
            yield Announce(instance_guid)


def _is_another(before: ActualLRP, after: ActualLRP | None) -> bool:
    return after is None or after.instance_guid != before.instance_guid
