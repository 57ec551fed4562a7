"""Letting organizations use plans of brokers, or not."""

from collections.abc import Callable, Iterable

from cfroute.cli import lookup, render
from cfroute.cli.access.api import Api, Resource
from cfroute.cli.command import command
from cfroute.cli.options import Function, argument, option
from cfroute.cli.session import Session
from cfroute.errors import CfrouteError, NotFound


def _choice(verb: str) -> Callable[[Function], Function]:
    """SERVICE_OFFERING, -b, -o and -p."""

    def add(function: Function) -> Function:
        function = option("-p", "plan", help=f"{verb} access to a specified service plan")(function)
        function = option("-o", "org", help=f"{verb} access for a specified organization")(function)
        function = option("-b", "broker", help=f"{verb} access to a service offering from a particular service broker")(function)
        return argument("service_offering")(function)

    return add


def _plans(api: Api, offering: str, plan: str | None, broker: str | None) -> list[Resource]:
    """The plans that are meant. Raises NotFound, and CfrouteError for those of a space's own broker."""
    owner = lookup.service_offering(api, offering, broker)
    found = api.list("/v3/service_plans", service_offering_guids=[owner["guid"]], names=[plan] if plan else None)
    if not found:
        raise NotFound(f"The plan '{plan}' could not be found for service offering '{offering}'.")
    if found[0]["visibility_type"] == "space":
        raise CfrouteError("You cannot change access for space-scoped service plans.")
    return found


def _announce(session: Session, verb: str, offering: str, plan: str | None, broker: str | None, org: str | None) -> None:
    what = f"plan {render.name(plan)} of" if plan else "all plans of"
    whose = f" from broker {render.name(broker)}" if broker else ""
    whom = f"org {render.name(org)}" if org else "all orgs"
    session.say(f"{verb} access to {what} service offering {render.name(offering)}{whose} for {whom} as {session.target.user}...")


def _tell_skipped(session: Session, plans: Iterable[Resource], visibility: str) -> None:
    skipped = [render.name(plan["name"]) for plan in plans]
    if skipped:
        session.say()
        for name in skipped:
            session.say(f"Did not update plan {name} as it already has visibility {render.name(visibility)}.")
        session.say()


@command(
    "enable-service-access",
    usage="cfroute enable-service-access SERVICE_OFFERING [-b BROKER] [-p PLAN] [-o ORG]",
    examples=("cfroute enable-service-access ratelimit", "cfroute enable-service-access ratelimit -p default -o acme"),
    see_also=("disable-service-access", "marketplace", "service-access", "service-brokers"),
)
@_choice("Enable")
def enable_service_access(
    session: Session, service_offering: str, broker: str | None, org: str | None, plan: str | None
) -> Resource:
    _announce(session, "Enabling", service_offering, plan, broker, org)
    plans = _plans(session.api, service_offering, plan, broker)
    body: Resource = {"type": "public"}
    if org:
        body = {"type": "organization", "organizations": [{"guid": lookup.org(session.api, org)["guid"]}]}
    skipped = [each for each in plans if org and each["visibility_type"] == "public"]
    for each in plans:
        if each not in skipped:
            session.api.post(f"/v3/service_plans/{each['guid']}/visibility", body)
    _tell_skipped(session, skipped, "all")
    session.ok()
    return {"offering": service_offering, "enabled": True}


@command(
    "disable-service-access",
    usage="cfroute disable-service-access SERVICE_OFFERING [-b BROKER] [-p PLAN] [-o ORG]",
    examples=("cfroute disable-service-access ratelimit", "cfroute disable-service-access ratelimit -p default -o acme"),
    see_also=("enable-service-access", "marketplace", "service-access", "service-brokers"),
)
@_choice("Disable")
def disable_service_access(
    session: Session, service_offering: str, broker: str | None, org: str | None, plan: str | None
) -> Resource:
    _announce(session, "Disabling", service_offering, plan, broker, org)
    plans = _plans(session.api, service_offering, plan, broker)
    owner = lookup.org(session.api, org)["guid"] if org else ""
    if org and any(each["visibility_type"] == "public" for each in plans):
        raise CfrouteError("Cannot remove organization level access for public plans.")
    skipped = [each for each in plans if each["visibility_type"] == "admin"]
    for each in plans:
        path = f"/v3/service_plans/{each['guid']}/visibility"
        if each in skipped:
            continue
        if org:
            session.api.call("DELETE", f"{path}/{owner}")
        else:
            session.api.post(path, {"type": "admin"})
    _tell_skipped(session, skipped, "none")
    session.ok()
    return {"offering": service_offering, "enabled": False}
