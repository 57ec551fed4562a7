"""What a service instance comes from: its plan, the plan's offering, and the offering's broker, all read along with it."""

from typing import NamedTuple

from cfroute.cli.access.api import Resource

FIELDS = {
    "fields[space]": "guid,name,relationships.organization",
    "fields[space.organization]": "guid,name",
    "fields[service_plan]": "guid,name,relationships.service_offering",
    "fields[service_plan.service_offering]": "guid,name,description,tags,documentation_url,relationships.service_broker",
    "fields[service_plan.service_offering.service_broker]": "guid,name",
}
"""The query for what an instance belongs to, and what a managed one comes from."""


class Parents(NamedTuple):
    """What a service instance comes from; all empty for a user-provided one."""

    plan: Resource
    offering: Resource
    broker: Resource


def parents_of(instance: Resource, included: dict[str, list[Resource]]) -> Parents:
    """Follow the relationships from the instance to its broker."""
    found: list[Resource] = []
    thing = instance
    for name in ("service_plan", "service_offering", "service_broker"):
        thing = related(thing, name, included.get(f"{name}s", []))
        found.append(thing)
    return Parents(*found)


def related(thing: Resource, name: str, candidates: list[Resource]) -> Resource:
    """The one of the candidates that the thing's relationship of that name leads to; empty if there is none."""
    guid = ((thing.get("relationships") or {}).get(name) or {}).get("data", {}).get("guid")
    return next((each for each in candidates if each["guid"] == guid), {})
