"""Lists of processes, with what runs of them where that is asked for. Only the BBS knows."""

import asyncio
from typing import Any

import msgspec

from cfroute.cloud_controller.call import Call, Reply
from cfroute.cloud_controller.diego.desired import lrp_guid
from cfroute.cloud_controller.endpoints import Exchange, get
from cfroute.cloud_controller.errors import bad_query
from cfroute.cloud_controller.models import App, Process
from cfroute.cloud_controller.query import quoted
from cfroute.cloud_controller.resources.processes import LISTING
from cfroute.cloud_controller.resources.stats import state_of
from cfroute.diego.api import ActualLRP

_EMBED = "process_instances"


class _Wanted(msgspec.Struct, frozen=True):
    """How many instances of which LRP there are to be."""

    lrp: str
    instances: int


async def index(exchange: Exchange) -> Reply:
    """A page of processes; with `embed=process_instances`, each has an entry for each instance that is wanted."""
    reply, wanted = await exchange.run(_page, write=False)
    found = await asyncio.gather(*(_actual(exchange, each) for each in wanted))
    for process, each, actual in zip(reply.body["resources"], wanted, found, strict=False):
        process[_EMBED] = _instances(each.instances, actual)
    return reply


async def _actual(exchange: Exchange, wanted: _Wanted) -> list[ActualLRP]:
    return await exchange.platform.diego.actual_lrps(wanted.lrp) if wanted.instances else []


def _page(call: Call) -> tuple[Reply, list[_Wanted]]:
    where = [Process.app_guid == call.the(App).guid] if "guid" in call.path else []
    embed = call.query.values("embed") if "embed" in call.query else []
    if unknown := [name for name in embed if name != _EMBED]:
        raise bad_query(f"Invalid embedded resource: {quoted(unknown)}. Valid embedded resources are: '{_EMBED}'")
    reply = LISTING.page(call, *where)
    if not embed:
        return reply, []
    return reply, [_wanted(call.session.get_one(Process, each["guid"])) for each in reply.body["resources"]]


def _wanted(process: Process) -> _Wanted:
    running = process.app.state == "STARTED" and process.version != ""
    return _Wanted(lrp_guid(process.guid, process.version), process.instances if running else 0)


def _instances(number: int, actual: list[ActualLRP]) -> list[dict[str, Any]]:
    known = {lrp.index: lrp for lrp in actual}
    return [_instance(index, known.get(index)) for index in range(number)]


def _instance(index: int, lrp: ActualLRP | None) -> dict[str, Any]:
    return {"index": index, "state": state_of(lrp), "since": lrp.since // 1_000_000_000 if lrp else None}


ENDPOINTS = (
    get("/v3/processes", index),
    get("/v3/apps/{guid}/processes", index),
)
