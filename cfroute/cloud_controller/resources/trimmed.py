"""`fields[…]`: related things, with the wanted ones of their keys."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from cfroute.cloud_controller.call import Call
from cfroute.cloud_controller.models import ManagedInstance, Resource, ServiceInstance, Space
from cfroute.cloud_controller.presenters import brokers as present
from cfroute.cloud_controller.presenters import tenancy
from cfroute.cloud_controller.query import Fields

BROKER_OF_OFFERING: Final = {"service_broker": ("guid", "name")}
BROKER_OF_PLAN: Final = {"service_offering.service_broker": ("guid", "name")}
SPACES: Final = {"space": ("name", "guid", "relationships.organization"), "space.organization": ("name", "guid")}
OF_INSTANCES: Final = {
    "space": ("guid", "name", "relationships.organization"),
    "space.organization": ("name", "guid"),
    "service_plan": ("guid", "name", "relationships.service_offering"),
    "service_plan.service_offering": (
        "name",
        "guid",
        "description",
        "documentation_url",
        "tags",
        "relationships.service_broker",
    ),
    "service_plan.service_offering.service_broker": ("name", "guid"),
}
OF_INSTANCE: Final = {
    "space": ("name", "guid"),
    "space.organization": ("name", "guid"),
    "service_plan": ("name", "guid", "broker_catalog.id"),
    "service_plan.service_offering": ("name", "guid", "description", "tags", "documentation_url", "broker_catalog.id"),
    "service_plan.service_offering.service_broker": ("name", "guid"),
}
"""Upstream shows other keys beside one instance than beside a list of them."""

_Kind = tuple[str, str, Iterable[Resource], Any]
"""The name in `fields[…]`, the one under `included`, the things, and what presents one."""


def related(call: Call, allowed: Fields, guids: Sequence[str]) -> dict[str, Any]:
    """What stands under `included` beside these instances."""
    if not call.query.fields(allowed):
        return {}
    wanted = select(ServiceInstance).where(ServiceInstance.guid.in_(guids))
    instances = call.session.scalars(wanted.options(joinedload(ServiceInstance.space).joinedload(Space.organization))).all()
    plans = [each.managed.plan for each in instances if isinstance(each.managed, ManagedInstance)]
    offerings = [plan.offering for plan in plans]
    brokers = [offering.broker for offering in offerings]
    return included(
        call,
        allowed,
        *_of_spaces([each.space for each in instances]),
        ("service_plan", "service_plans", plans, present.plan),
        ("service_plan.service_offering", "service_offerings", offerings, present.offering),
        ("service_plan.service_offering.service_broker", "service_brokers", brokers, present.broker),
    )


def spaces(call: Call, found: Sequence[Space]) -> dict[str, Any]:
    """What stands under `included` beside relationships to these spaces."""
    return included(call, SPACES, *_of_spaces(found))


def _of_spaces(found: Sequence[Space]) -> tuple[_Kind, ...]:
    return (
        ("space", "spaces", found, tenancy.space),
        ("space.organization", "organizations", [space.organization for space in found], tenancy.organization),
    )


def included(call: Call, allowed: Fields, *kinds: _Kind) -> dict[str, Any]:
    """Of each kind that is asked for, the things with the keys that are asked for. Raises 10005 for others than `allowed`."""
    wanted, answer = call.query.fields(allowed), {}
    for name, plural, things, make in kinds:
        if name in wanted:
            found = {thing.guid: thing for thing in things}
            answer[plural] = [_trimmed(make(thing, call.urls), wanted[name]) for thing in found.values()]
    return answer


def _trimmed(thing: dict[str, Any], wanted: list[str]) -> dict[str, Any]:
    """The wanted keys; `relationships.x` is one relationship."""
    answer: dict[str, Any] = {}
    for name in wanted:
        key, _, inner = name.partition(".")
        if inner and isinstance(thing.get(key), dict):
            answer.setdefault(key, {})[inner] = thing[key].get(inner)
        elif key in thing:
            answer[key] = thing[key]
    return answer
