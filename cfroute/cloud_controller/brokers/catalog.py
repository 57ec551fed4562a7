"""A broker's catalog: what of it is kept, and what is wrong with it. Pure.

Open Service Broker API 2.15, "Catalog Management"; the sentences are the Cloud Controller's.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

ROUTE_FORWARDING = "route_forwarding"
_REQUIRES = ("syslog_drain", ROUTE_FORWARDING, "volume_mount")


@dataclass(frozen=True)
class Plan:
    """One way of having a service. bindable None: as the offering says."""

    id: str
    name: str
    description: str
    free: bool = True
    bindable: bool | None = None
    plan_updateable: bool | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    schemas: Mapping[str, Any] = field(default_factory=dict)
    maintenance_info: Mapping[str, Any] = field(default_factory=dict)
    maximum_polling_duration: int | None = None
    """Seconds that an operation may take; None for the platform's own limit."""


@dataclass(frozen=True)
class Offering:
    """One service of a broker."""

    id: str
    name: str
    description: str
    bindable: bool
    plans: tuple[Plan, ...]
    requires: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    plan_updateable: bool = False
    instances_retrievable: bool = False
    bindings_retrievable: bool = False
    allow_context_updates: bool = False


class InvalidCatalog(Exception):
    """What is wrong with a catalog, service by service and plan by plan."""


def read(body: Mapping[str, Any]) -> tuple[Offering, ...]:
    """The offerings of `GET /v2/catalog`. Raises InvalidCatalog, with everything that is wrong."""
    services = body.get("services")
    if not isinstance(services, list):
        raise InvalidCatalog("Service broker catalog is invalid: 'services' must be an array")
    if problems := "\n".join(_all_problems(services)):
        raise InvalidCatalog(f"Service broker catalog is invalid: \n{problems}")
    return tuple(_offering(each) for each in services)


def _all_problems(services: list[Any]) -> Iterable[str]:
    hashes = [each for each in services if isinstance(each, dict)]
    if len(hashes) < len(services):
        yield "Service broker catalog services must be hashes"
    if _repeated(each.get("id") for each in hashes):
        yield "Service ids must be unique"
    if _repeated(each.get("name") for each in hashes):
        yield "Service names must be unique within a broker"
    plans = [plan for each in hashes for plan in _plans(each)]
    for repeated in _repeated(plan.get("id") for plan in plans):
        yield f"Plan ids must be unique. Unable to register plan with id {_shown(repeated)}: it is already in use"
    for service in hashes:
        own = list(_service_problems(service))
        of_plans = [(plan, list(_plan_problems(plan))) for plan in _plans(service)]
        if own or any(problems for _, problems in of_plans):
            yield f"Service {service.get('name')}"
            yield from (f"  {problem}" for problem in own)
        for plan, problems in of_plans:
            if problems:
                yield f"  Plan {plan.get('name')}"
                yield from (f"    {problem}" for problem in problems)


def _service_problems(service: dict[str, Any]) -> Iterable[str]:
    for key in ("id", "name", "description"):
        yield from _string(service, key, f"Service {key}")
    yield from _boolean(service, "bindable", 'Service "bindable" field', required=True)
    for key in ("plan_updateable", "instances_retrievable", "bindings_retrievable", "allow_context_updates"):
        yield from _boolean(service, key, f'Service "{key}" field')
    for key in ("tags", "requires"):
        yield from _strings(service, key, f"Service {key}" if key == "tags" else f'Service "{key}" field')
    yield from _hash(service, "metadata", "Service metadata")
    requires = service.get("requires")
    for value in requires if isinstance(requires, list) else ():
        if isinstance(value, str) and value not in _REQUIRES:
            yield f'Service "requires" field contains unsupported value "{value}"'
    plans = service.get("plans")
    if plans is not None and not isinstance(plans, list):
        yield f"Service plans list must be an array, but has value {_shown(plans)}"
    elif not plans:
        yield "At least one plan is required"
    elif any(not isinstance(plan, dict) for plan in plans):
        yield "Service plans must be hashes"
    if _repeated(plan.get("name") for plan in _plans(service)):
        yield "Plan names must be unique within a service"


def _plan_problems(plan: dict[str, Any]) -> Iterable[str]:
    for key in ("id", "name", "description"):
        yield from _string(plan, key, f"Plan {key}")
    for key in ("free", "bindable", "plan_updateable"):
        yield from _boolean(plan, key, f'Plan "{key}" field')
    for key in ("metadata", "schemas"):
        yield from _hash(plan, key, f"Plan {key}")
    yield from _hash(plan, "maintenance_info", "Maintenance info")
    limit = plan.get("maximum_polling_duration")
    if limit is not None and not _whole(limit):
        yield f"Maximum polling duration must be an integer, but has value {_shown(limit)}"


def _string(thing: dict[str, Any], key: str, what: str) -> Iterable[str]:
    value = thing.get(key)
    if value is not None and not isinstance(value, str):
        yield f"{what} must be a string, but has value {_shown(value)}"
    elif not value:
        yield f"{what} is required"


def _boolean(thing: dict[str, Any], key: str, what: str, *, required: bool = False) -> Iterable[str]:
    value = thing.get(key)
    if value is None:
        if required:
            yield f"{what} is required"
    elif not isinstance(value, bool):
        yield f"{what} must be a boolean, but has value {_shown(value)}"


def _strings(thing: dict[str, Any], key: str, what: str) -> Iterable[str]:
    value = thing.get(key)
    if value is not None and not (isinstance(value, list) and all(isinstance(each, str) for each in value)):
        yield f"{what} must be an array of strings, but has value {_shown(value)}"


def _hash(thing: dict[str, Any], key: str, what: str) -> Iterable[str]:
    value = thing.get(key)
    if value is not None and not isinstance(value, dict):
        yield f"{what} must be a hash, but has value {_shown(value)}"


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _repeated(values: Iterable[Any]) -> list[str]:
    counted = Counter(value for value in values if isinstance(value, str) and value)
    return [value for value, times in counted.items() if times > 1]


def _plans(service: dict[str, Any]) -> list[dict[str, Any]]:
    plans = service.get("plans")
    return [plan for plan in plans if isinstance(plan, dict)] if isinstance(plans, list) else []


def _shown(value: Any) -> str:
    """As Ruby would show it."""
    if value is None or isinstance(value, bool):
        return {None: "nil", True: "true", False: "false"}[value]
    return f'"{value}"' if isinstance(value, str) else str(value)


def _offering(service: dict[str, Any]) -> Offering:
    return Offering(
        id=service["id"],
        name=service["name"],
        description=service["description"],
        bindable=service["bindable"],
        plans=tuple(_plan(each) for each in service["plans"]),
        requires=tuple(service.get("requires") or ()),
        tags=tuple(service.get("tags") or ()),
        metadata=service.get("metadata") or {},
        plan_updateable=bool(service.get("plan_updateable")),
        instances_retrievable=bool(service.get("instances_retrievable")),
        bindings_retrievable=bool(service.get("bindings_retrievable")),
        allow_context_updates=bool(service.get("allow_context_updates")),
    )


def _plan(plan: dict[str, Any]) -> Plan:
    return Plan(
        id=plan["id"],
        name=plan["name"],
        description=plan["description"],
        free=plan.get("free") is not False,
        bindable=plan.get("bindable"),
        plan_updateable=plan.get("plan_updateable"),
        metadata=plan.get("metadata") or {},
        schemas=plan.get("schemas") or {},
        maintenance_info=plan.get("maintenance_info") or {},
        maximum_polling_duration=plan.get("maximum_polling_duration"),
    )
