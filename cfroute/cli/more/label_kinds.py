"""The things that can have labels: how they are called, and how one is found by its name."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from cfroute.cli import lookup
from cfroute.cli.access.api import Resource
from cfroute.cli.session import Session
from cfroute.errors import CfrouteError, NotFound


class Wanted(NamedTuple):
    """What the command line names; stack, broker and offering tell apart what has the same name."""

    kind: str
    name: str
    stack: str | None = None
    broker: str | None = None
    offering: str | None = None


class Kind(NamedTuple):
    """Where things of a kind are, what in the API, how one is found, and which flags narrow the search."""

    place: Literal["space", "org", "platform"]
    path: str
    find: Callable[[Session, Wanted], Resource]
    flags: tuple[str, ...] = ()


def _first(path: str, missing: str, **filters: str) -> Callable[[Session, Wanted], Resource]:
    """Finds the only one of its name; `missing` is told of none, `filters` are more filters, and what is wanted of them."""

    def find(session: Session, wanted: Wanted) -> Resource:
        query = {name: [value] for name, field in filters.items() if (value := getattr(wanted, field)) is not None}
        found = session.api.list(path, names=[wanted.name], **query)
        if not found:
            raise NotFound(missing.format(wanted.name))
        if len(found) > 1:
            hint = "tell which one is meant: --broker, --offering or --stack"
            raise CfrouteError(f"There are several of kind '{wanted.kind}' called '{wanted.name}'", hint)
        return found[0]

    return find


def _route(session: Session, wanted: Wanted) -> Resource:
    routes = session.api.list("/v3/routes", space_guids=[session.target.space["guid"]])
    for route in routes:
        if route["url"] == wanted.name:
            return route
    raise NotFound(f"Route '{wanted.name}' not found.")


def _in_space(find: Callable[[Any, Resource, str], Resource]) -> Callable[[Session, Wanted], Resource]:
    return lambda session, wanted: find(session.api, session.target.space, wanted.name)


_BROKER, _OFFERING = "service_broker_names", "service_offering_names"

LABELLED = {
    "app": Kind("space", "/v3/apps", _in_space(lookup.app)),
    "buildpack": Kind("platform", "", _first("/v3/buildpacks", "Buildpack '{}' not found", stacks="stack"), ("stack",)),
    "domain": Kind("platform", "/v3/domains", lambda session, wanted: lookup.domain(session.api, wanted.name)),
    "org": Kind("platform", "/v3/organizations", lambda session, wanted: lookup.org(session.api, wanted.name)),
    "route": Kind("space", "/v3/routes", _route),
    "service-broker": Kind("platform", "/v3/service_brokers", _first("/v3/service_brokers", "Service broker '{}' not found")),
    "service-instance": Kind("space", "/v3/service_instances", _in_space(lookup.service_instance)),
    "service-offering": Kind(
        "platform",
        "/v3/service_offerings",
        _first("/v3/service_offerings", "Service offering '{}' not found", **{_BROKER: "broker"}),
        ("broker",),
    ),
    "service-plan": Kind(
        "platform",
        "/v3/service_plans",
        _first("/v3/service_plans", "Service plan '{}' not found", **{_BROKER: "broker", _OFFERING: "offering"}),
        ("broker", "offering"),
    ),
    "space": Kind("org", "/v3/spaces", lambda session, wanted: lookup.space(session.api, session.target.org, wanted.name)),
    "stack": Kind("platform", "", _first("/v3/stacks", "Stack '{}' not found.")),
}
"""By the names that cf has for them; without a path their labels are the platform's own."""
