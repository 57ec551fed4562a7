"""What would go with an org, a space or the orphaned routes: for `--dry-run`."""

import msgspec

from cfroute.cli import lookup, render
from cfroute.cli.access.api import Api, Resource
from cfroute.cli.options import option

dry_run = option("--dry-run", is_flag=True, help="Show what would be deleted, and delete nothing")

_OF_SPACE = {
    "app": ("/v3/apps", "name"),
    "route": ("/v3/routes", "url"),
    "service instance": ("/v3/service_instances", "name"),
    "service broker": ("/v3/service_brokers", "name"),
}


class Doomed(msgspec.Struct):
    """One thing that would be deleted."""

    kind: str
    name: str
    guid: str


def of_org(api: Api, org: Resource) -> list[Doomed]:
    """The org, its private domains, and its spaces with all that is in them."""
    found = [Doomed("org", org["name"], org["guid"])]
    owned = api.list("/v3/domains", organization_guids=[org["guid"]])
    found += [Doomed("domain", domain["name"], domain["guid"]) for domain in owned]
    for space in api.list("/v3/spaces", organization_guids=[org["guid"]]):
        found += of_space(api, space)
    return found


def of_space(api: Api, space: Resource) -> list[Doomed]:
    """The space, and all that is in it."""
    inside = [
        Doomed(kind, each[name], each["guid"])
        for kind, (path, name) in _OF_SPACE.items()
        for each in api.list(path, space_guids=[space["guid"]])
    ]
    return [Doomed("space", space["name"], space["guid"]), *inside]


def orphaned_routes(api: Api, space: Resource) -> list[Doomed]:
    """Routes of the space that lead to no app, and that no service instance is bound to."""
    routes = api.list("/v3/routes", space_guids=[space["guid"]])
    empty = [route for route in routes if not route["destinations"]]
    bindings = api.list("/v3/service_route_bindings", route_guids=[route["guid"] for route in empty]) if empty else []
    bound = {lookup.related(binding, "route") for binding in bindings}
    return [Doomed("route", route["url"], route["guid"]) for route in empty if route["guid"] not in bound]


def text(found: list[Doomed]) -> str:
    """For people."""
    if not found:
        return "Nothing would be deleted."
    return "This would be deleted:\n\n" + render.table(("kind", "name"), ((each.kind, each.name) for each in found))
