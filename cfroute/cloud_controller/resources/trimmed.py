"""`fields[…]` of service instances: what they belong to, with the wanted ones of its keys."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from cfroute.cloud_controller.call import Call
from cfroute.cloud_controller.models import ManagedInstance, Resource, ServiceInstance, Space
from cfroute.cloud_controller.presenters import brokers as present
from cfroute.cloud_controller.presenters import tenancy

_Kind = tuple[str, str, Iterable[Resource], Any]
"""The name in `fields[…]`, the one under `included`, the things, and what presents one."""


def related(call: Call, guids: Sequence[str]) -> dict[str, Any]:
    """What stands under `included` beside these instances."""
    if not call.query.fields():
        return {}
    wanted = select(ServiceInstance).where(ServiceInstance.guid.in_(guids))
    instances = call.session.scalars(wanted.options(joinedload(ServiceInstance.space).joinedload(Space.organization))).all()
    plans = [each.managed.plan for each in instances if isinstance(each.managed, ManagedInstance)]
    offerings = [plan.offering for plan in plans]
    brokers = [offering.broker for offering in offerings]
    return _included(
        call,
        *_of_spaces([each.space for each in instances]),
        ("service_plan", "service_plans", plans, present.plan),
        ("service_plan.service_offering", "service_offerings", offerings, present.offering),
        ("service_plan.service_offering.service_broker", "service_brokers", brokers, present.broker),
    )


def spaces(call: Call, found: Sequence[Space]) -> dict[str, Any]:
    """What stands under `included` beside relationships to these spaces."""
    return _included(call, *_of_spaces(found))


def _of_spaces(found: Sequence[Space]) -> tuple[_Kind, ...]:
    return (
        ("space", "spaces", found, tenancy.space),
        ("space.organization", "organizations", [space.organization for space in found], tenancy.organization),
    )


def _included(call: Call, *kinds: _Kind) -> dict[str, Any]:
    wanted, included = call.query.fields(), {}
    for name, plural, things, make in kinds:
        if name in wanted:
            found = {thing.guid: thing for thing in things}
            included[plural] = [_trimmed(make(thing, call.urls), wanted[name]) for thing in found.values()]
    return included


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
