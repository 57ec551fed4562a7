"""`fields[…]` of service instances: what they belong to, with the wanted ones of its keys."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select

from cfroute.cloud_controller.call import Call
from cfroute.cloud_controller.models import ManagedInstance, Resource, ServiceInstance
from cfroute.cloud_controller.presenters import brokers as present
from cfroute.cloud_controller.presenters import tenancy


def related(call: Call, guids: Sequence[str]) -> dict[str, Any]:
    """What stands under `included` beside these instances."""
    wanted = call.query.fields()
    if not wanted:
        return {}
    instances = call.session.scalars(select(ServiceInstance).where(ServiceInstance.guid.in_(guids))).all()
    included: dict[str, Any] = {}
    spaces = [each.space for each in instances]
    plans = [each.managed.plan for each in instances if isinstance(each.managed, ManagedInstance)]
    offerings = [plan.offering for plan in plans]
    kinds: tuple[tuple[str, str, Iterable[Resource], Any], ...] = (
        ("space", "spaces", spaces, tenancy.space),
        ("space.organization", "organizations", [space.organization for space in spaces], tenancy.organization),
        ("service_plan", "service_plans", plans, present.plan),
        ("service_plan.service_offering", "service_offerings", offerings, present.offering),
        (
            "service_plan.service_offering.service_broker",
            "service_brokers",
            [offering.broker for offering in offerings],
            present.broker,
        ),
    )
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
