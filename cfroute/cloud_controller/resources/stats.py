"""What runs of a process: stats, and restarting an instance. Only the BBS knows."""

from collections.abc import Iterable
from typing import Any

import msgspec

from cfroute.cloud_controller.actions import app_events
from cfroute.cloud_controller.call import NO_CONTENT, Call, Reply
from cfroute.cloud_controller.diego.desired import lrp_guid
from cfroute.cloud_controller.diego.environment import FILE_DESCRIPTORS
from cfroute.cloud_controller.endpoints import Exchange, delete, get
from cfroute.cloud_controller.errors import not_found
from cfroute.cloud_controller.resources.processes import find
from cfroute.cloud_controller.times import iso
from cfroute.diego.api import ActualLRP, Port

_MEBIBYTE = 1024 * 1024
_STATES = {"RUNNING": "RUNNING", "CLAIMED": "STARTING", "CRASHED": "CRASHED"}


class Quota(msgspec.Struct, frozen=True):
    """The process that the instances are of. instances is 0 for one that is stopped."""

    lrp: str
    type: str
    instances: int
    memory_mb: int
    disk_mb: int
    log_rate_limit: int


def _quota(call: Call) -> Quota:
    process = find(call)
    running = process.app.state == "STARTED"
    return Quota(
        lrp=lrp_guid(process.guid, process.version) if process.version else "",
        type=process.type,
        instances=process.instances if running else 0,
        memory_mb=process.memory_mb,
        disk_mb=process.disk_mb,
        log_rate_limit=process.log_rate_limit,
    )


async def stats(exchange: Exchange) -> dict[str, Any]:
    quota = await exchange.run(_quota, write=False)
    actual = await exchange.platform.diego.actual_lrps(quota.lrp) if quota.instances else []
    return {"resources": instances(quota, actual, exchange.platform.clock.now_ns())}


def instances(quota: Quota, actual: Iterable[ActualLRP], now_ns: int) -> list[dict[str, Any]]:
    """One entry an instance that is wanted; those that nobody knows of are DOWN."""
    known = {lrp.index: lrp for lrp in actual}
    return [_instance(quota, index, known.get(index), now_ns) for index in range(quota.instances)]


def state_of(lrp: ActualLRP | None) -> str:
    """The API's word for what the BBS says."""
    if lrp is None or (lrp.state == "UNCLAIMED" and lrp.placement_error):
        return "DOWN"
    return _STATES.get(lrp.state, "STARTING")


def _instance(quota: Quota, index: int, lrp: ActualLRP | None, now_ns: int) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "type": quota.type,
        "index": index,
        "state": state_of(lrp),
        "uptime": max(0, (now_ns - lrp.since) // 1_000_000_000) if lrp and lrp.since else 0,
        "isolation_segment": None,
        "details": (lrp.crash_reason or lrp.placement_error or None) if lrp else None,
    }
    if lrp is None or entry["state"] == "DOWN":
        return entry
    return entry | {
        "routable": lrp.routable if lrp.state == "RUNNING" else False,
        "instance_guid": lrp.instance_guid,
        "host": lrp.address,
        "instance_internal_ip": lrp.address,
        "instance_ports": [_port(port) for port in lrp.ports],
        "mem_quota": quota.memory_mb * _MEBIBYTE,
        "disk_quota": quota.disk_mb * _MEBIBYTE,
        "log_rate_limit": quota.log_rate_limit,
        "fds_quota": FILE_DESCRIPTORS,
        "usage": _usage(lrp, now_ns),
    }


def _port(port: Port) -> dict[str, int | None]:
    return {
        "external": port.host_port,
        "internal": port.container_port,
        "external_tls_proxy_port": port.host_tls_proxy_port or None,
        "internal_tls_proxy_port": port.container_tls_proxy_port or None,
    }


def _usage(lrp: ActualLRP, now_ns: int) -> dict[str, Any]:
    if not lrp.usage:
        return {}
    return {
        "time": iso(now_ns / 1e9),
        "cpu": lrp.usage.get("cpu", 0.0),
        "cpu_entitlement": lrp.usage.get("cpu_entitlement"),
        "mem": int(lrp.usage.get("mem", 0)),
        "disk": int(lrp.usage.get("disk", 0)),
        "log_rate": int(lrp.usage.get("log_rate", 0)),
    }


async def restart_instance(exchange: Exchange) -> Reply:
    quota = await exchange.run(_quota, write=False)
    index = exchange.path["index"]
    if not (index.isascii() and index.isdigit() and len(index) < 10 and int(index) < quota.instances):
        raise not_found("Instance")
    await exchange.platform.diego.retire(quota.lrp, int(index))
    await exchange.run(_terminated, write=True)
    return NO_CONTENT


def _terminated(call: Call) -> None:
    app_events.of_process(call, "terminate_instance", find(call), process_index=int(call.path["index"]))


ENDPOINTS = (
    get("/v3/processes/{guid}/stats", stats),
    get("/v3/apps/{guid}/processes/{type}/stats", stats),
    delete("/v3/processes/{guid}/instances/{index}", restart_instance),
    delete("/v3/apps/{guid}/processes/{type}/instances/{index}", restart_instance),
)
