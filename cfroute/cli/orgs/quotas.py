"""What the commands for org quotas and space quotas share: cf's options, the bodies that they become, and how quotas look."""

import re
from collections.abc import Callable
from typing import Any

import click
import msgspec

from cfroute.cli import render
from cfroute.cli.access.api import ApiError, Resource
from cfroute.cli.misuse import apart
from cfroute.cli.options import Function, option
from cfroute.cli.session import Session
from cfroute.cli.sizes import MIB, UNREADABLE, octets
from cfroute.errors import NotFound

_UNLIMITED = "unlimited"
UNLIMITED = -1


def _limit(text: str) -> int:
    """A number; -1 is no limit. Raises BadParameter."""
    if not re.fullmatch(r"-1|\d{1,12}", text):
        raise click.BadParameter("invalid integer limit (expected int >= -1)")
    return int(text)


def _memory(text: str) -> int:
    """A size in MB; -1 is no limit. Raises BadParameter."""
    return _size_limit(text, MIB, "M, MB, G, or GB")


def _octets(text: str) -> int:
    """A size in bytes; -1 is no limit. Raises BadParameter."""
    return _size_limit(text, 1, "B, K, KB, M, MB, G, or GB")


def _size_limit(text: str, unit: int, known: str) -> int:
    if text == str(UNLIMITED):
        return UNLIMITED
    size = octets(text)
    if size is None:
        raise click.BadParameter(UNREADABLE.format(known))
    return size // unit


_OPTIONS: tuple[tuple[tuple[str, ...], Callable[[str], int], str, int | None], ...] = (
    (("-a", "app_instances"), _limit, "Total number of application instances", None),
    (("-i", "instance_memory"), _memory, "Maximum amount of memory a process can have (e.g. 1024M, 1G, 10G)", None),
    (("-l", "log_volume"), _octets, "Total log volume per second all processes can have, in bytes (e.g. 128B, 4K, 1M)", None),
    (("-m", "total_memory"), _memory, "Total amount of memory all processes can have (e.g. 1024M, 1G, 10G)", 0),
    (("-r", "routes"), _limit, "Total number of routes", 0),
    (("--reserved-route-ports",), _limit, "Maximum number of routes that may be created with ports", 0),
    (("-s", "service_instances"), _limit, "Total number of service instances", 0),
)
"""The options with their types, their words, and what a new quota has without them (None: no limit)."""

_FIELDS = {
    "app_instances": ("apps", "total_instances"),
    "instance_memory": ("apps", "per_process_memory_in_mb"),
    "log_volume": ("apps", "log_rate_limit_in_bytes_per_second"),
    "total_memory": ("apps", "total_memory_in_mb"),
    "routes": ("routes", "total_routes"),
    "reserved_route_ports": ("routes", "total_reserved_ports"),
    "service_instances": ("services", "total_service_instances"),
}
"""Where in the API's body an option stands."""


def usage(*, new: bool) -> str:
    """The options in cf's order."""
    name = "" if new else " [-n NEW_NAME]"
    paid = "--allow-paid-service-plans" if new else "--allow-paid-service-plans | --disallow-paid-service-plans"
    return (
        f"[-m TOTAL_MEMORY] [-i INSTANCE_MEMORY]{name} [-r ROUTES] [-s SERVICE_INSTANCES] [-a APP_INSTANCES] [{paid}] "
        "[--reserved-route-ports RESERVED_ROUTE_PORTS] [-l LOG_VOLUME]"
    )


def limits(*, new: bool) -> Callable[[Function], Function]:
    """The options of a new quota, or of a change of one."""

    def add(function: Function) -> Function:
        if not new:
            disallow = "Disallow provisioning instances of paid service plans"
            function = option("--disallow-paid-service-plans", "disallowed", is_flag=True, help=disallow)(function)
        allow = "Allow provisioning instances of paid service plans" + (". (Default: disallowed)" if new else "")
        function = option("--allow-paid-service-plans", "allowed", is_flag=True, help=allow)(function)
        for names, kind, text, default in reversed(_OPTIONS):
            unset = f". (Default: {_UNLIMITED if default is None else default})" if new else ""
            explained = f"{text}. -1 represents an unlimited amount{unset}"
            function = option(*names, type=kind, complete="text", help=explained)(function)
        return function

    return add


def new_limits(given: dict[str, Any]) -> Resource:
    """The body for a new quota: what is not given is 0 or without a limit, as with cf."""
    defaults = {names[-1].lstrip("-").replace("-", "_"): default for names, _, _, default in _OPTIONS}
    chosen = {name: defaults[name] if given[name] is None else given[name] for name in defaults}
    return _sections({name: value for name, value in chosen.items() if value is not None}, allowed=given["allowed"])


def changed_limits(given: dict[str, Any]) -> Resource:
    """The body for a change: what is not given stays. Raises Misuse."""
    if given["allowed"] and given["disallowed"]:
        raise apart("--allow-paid-service-plans", "--disallow-paid-service-plans")
    allowed = given["allowed"] if given["allowed"] or given["disallowed"] else None
    return _sections({name: given[name] for name in _FIELDS if given[name] is not None}, allowed=allowed)


def _sections(chosen: dict[str, int], allowed: bool | None) -> Resource:
    body: Resource = {}
    for name, value in chosen.items():
        section, field = _FIELDS[name]
        body.setdefault(section, {})[field] = None if value == UNLIMITED else value
    if allowed is not None:
        body.setdefault("services", {})["paid_services_allowed"] = allowed
    return body


def create(session: Session, path: str, body: Resource) -> Resource:
    """A new quota; one of that name that there is already is told, and is no failure."""
    try:
        return dict(session.api.post(path, body))
    except ApiError as error:
        if not error.says(detail="Quota") or not error.says(detail="already exists."):
            raise
        session.warn(error.message)
        return {"name": body["name"], "created": False}


def delete(session: Session, path: str, name: str, find: Callable[[], Resource]) -> Resource:
    """Delete the quota that `find` finds. One that there is not is told, and is no failure."""
    try:
        found = find()
    except NotFound as error:
        session.warn(error.message)
        session.ok()
        return {"name": name, "deleted": False}
    session.api.change("DELETE", f"{path}/{found['guid']}")
    session.ok()
    return {"name": name, "deleted": True}


class Quota(msgspec.Struct):
    """A quota as it is shown; None is no limit. Memory in MB, the log volume in bytes a second."""

    guid: str
    name: str
    total_memory: int | None
    instance_memory: int | None
    routes: int | None
    service_instances: int | None
    paid_service_plans: bool
    app_instances: int | None
    route_ports: int | None
    log_volume_per_second: int | None


def shown(quota: Resource) -> Quota:
    apps, services, routes = quota["apps"], quota["services"], quota["routes"]
    return Quota(
        guid=quota["guid"],
        name=quota["name"],
        total_memory=apps["total_memory_in_mb"],
        instance_memory=apps["per_process_memory_in_mb"],
        routes=routes["total_routes"],
        service_instances=services["total_service_instances"],
        paid_service_plans=services["paid_services_allowed"],
        app_instances=apps["total_instances"],
        route_ports=routes["total_reserved_ports"],
        log_volume_per_second=apps["log_rate_limit_in_bytes_per_second"],
    )


_HEADERS = (
    "total memory", "instance memory", "routes", "service instances", "paid service plans", "app instances", "route ports",
    "log volume per second",
)  # fmt: skip


def _cells(quota: Quota) -> tuple[str, ...]:
    return (
        _size(quota.total_memory, MIB),
        _size(quota.instance_memory, MIB),
        _number(quota.routes),
        _number(quota.service_instances),
        "allowed" if quota.paid_service_plans else "disallowed",
        _number(quota.app_instances),
        _number(quota.route_ports),
        _size(quota.log_volume_per_second, 1),
    )


def _number(limit: int | None) -> str:
    return _UNLIMITED if limit is None else str(limit)


def _size(limit: int | None, unit: int) -> str:
    return _UNLIMITED if limit is None else render.size(limit * unit) if limit else "0"


def block(quota: Quota) -> str:
    """One quota."""
    return render.block(zip(_HEADERS, _cells(quota), strict=True))


def table(found: list[Quota], none: str) -> str:
    """Several quotas, or what is said when there are none."""
    return render.table(("name", *_HEADERS), ((each.name, *_cells(each)) for each in found)) if found else none
