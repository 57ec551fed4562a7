"""Who may use which plans of brokers."""

from itertools import groupby

import msgspec

from cfroute.cli import render
from cfroute.cli.api import Api, Resource
from cfroute.cli.command import command
from cfroute.cli.options import Function, argument, option
from cfroute.cli.session import Session
from cfroute.cli.target import find_org
from cfroute.errors import NotFound

_ACCESS = {"public": "all", "admin": "none", "organization": "limited", "space": "limited"}


class AccessRow(msgspec.Struct):
    """One plan."""

    broker: str
    offering: str
    plan: str
    access: str
    orgs: list[str]


def _text(rows: list[AccessRow]) -> str:
    if not rows:
        return "No service plans found."
    parts = []
    for broker, group in groupby(rows, key=lambda row: row.broker):
        table = render.table(
            ("offering", "plan", "access", "orgs"),
            ((each.offering, each.plan, each.access, ", ".join(each.orgs)) for each in group),
        )
        parts.append("\n".join([f"broker: {broker}", *(f"   {line}" for line in table.splitlines())]))
    return "\n\n".join(parts)


def _choice(function: Function) -> Function:
    """-b, -o and -p."""
    function = option("-p", "plan", help="Only this plan")(function)
    function = option("-o", "org", complete="org", help="Only for this organization")(function)
    return option("-b", "broker", help="Only this service broker")(function)


@command(
    "service-access",
    usage="cfroute service-access [-b BROKER] [-e SERVICE_OFFERING]",
    examples=("cfroute service-access", "cfroute service-access -e ratelimit"),
    see_also=("disable-service-access", "enable-service-access", "marketplace"),
    text=_text,
)
@option("-b", "broker", help="Access for plans of a particular broker")
@option("-e", "offering", help="Access for plans of a particular service offering")
def service_access(session: Session, broker: str | None, offering: str | None) -> list[AccessRow]:
    session.say(f"Getting service access as {session.target.user}...")
    session.say()
    page = session.api.page(
        "/v3/service_plans",
        include="service_offering",
        service_broker_names=[broker] if broker else None,
        service_offering_names=[offering] if offering else None,
        **{"fields[service_offering.service_broker]": "name,guid"},
    )
    offerings = {each["guid"]: each for each in page.included.get("service_offerings", [])}
    brokers = {each["guid"]: each["name"] for each in page.included.get("service_brokers", [])}
    rows = []
    for plan in page.resources:
        own = offerings[plan["relationships"]["service_offering"]["data"]["guid"]]
        name = brokers[own["relationships"]["service_broker"]["data"]["guid"]]
        rows.append(AccessRow(name, own["name"], plan["name"], _ACCESS[plan["visibility_type"]], _orgs(session.api, plan)))
    return sorted(rows, key=lambda row: (row.broker, row.offering, row.plan))


def _orgs(api: Api, plan: Resource) -> list[str]:
    if plan["visibility_type"] != "organization":
        return []
    return [each["name"] for each in api.get(f"/v3/service_plans/{plan['guid']}/visibility")["organizations"]]


def _plans(api: Api, offering: str, plan: str | None, broker: str | None) -> list[Resource]:
    """The plans that are meant. Raises NotFound."""
    brokers = [broker] if broker else None
    if api.first("/v3/service_offerings", names=[offering], service_broker_names=brokers) is None:
        raise NotFound(f"Service offering '{offering}' not found")
    names = [plan] if plan else None
    found = api.list("/v3/service_plans", service_offering_names=[offering], names=names, service_broker_names=brokers)
    if not found:
        raise NotFound(f"The plan '{plan}' could not be found for service offering '{offering}'.")
    return found


def _announce(session: Session, verb: str, offering: str, plan: str | None, org: str | None) -> None:
    what = f"plan {render.name(plan)} of" if plan else "all plans of"
    whom = f"org {render.name(org)}" if org else "all orgs"
    session.say(f"{verb} access to {what} service offering {render.name(offering)} for {whom} as {session.target.user}...")


@command(
    "enable-service-access",
    usage="cfroute enable-service-access SERVICE_OFFERING [-b BROKER] [-p PLAN] [-o ORG]",
    examples=("cfroute enable-service-access ratelimit", "cfroute enable-service-access ratelimit -p default -o acme"),
    see_also=("disable-service-access", "marketplace", "service-access"),
)
@argument("service_offering")
@_choice
def enable_service_access(
    session: Session, service_offering: str, broker: str | None, org: str | None, plan: str | None
) -> Resource:
    _announce(session, "Enabling", service_offering, plan, org)
    body: Resource = {"type": "public"}
    if org:
        body = {"type": "organization", "organizations": [{"guid": find_org(session.api, org)["guid"]}]}
    for each in _plans(session.api, service_offering, plan, broker):
        if not (org and each["visibility_type"] == "public"):
            session.api.post(f"/v3/service_plans/{each['guid']}/visibility", body)
    session.ok()
    return {"offering": service_offering, "enabled": True}


@command(
    "disable-service-access",
    usage="cfroute disable-service-access SERVICE_OFFERING [-b BROKER] [-p PLAN] [-o ORG]",
    examples=("cfroute disable-service-access ratelimit", "cfroute disable-service-access ratelimit -p default -o acme"),
    see_also=("enable-service-access", "marketplace", "service-access"),
)
@argument("service_offering")
@_choice
def disable_service_access(
    session: Session, service_offering: str, broker: str | None, org: str | None, plan: str | None
) -> Resource:
    _announce(session, "Disabling", service_offering, plan, org)
    owner = find_org(session.api, org)["guid"] if org else ""
    for each in _plans(session.api, service_offering, plan, broker):
        path = f"/v3/service_plans/{each['guid']}/visibility"
        if not org:
            session.api.post(path, {"type": "admin"})
        elif each["visibility_type"] == "organization":
            session.api.call("DELETE", f"{path}/{owner}")
    session.ok()
    return {"offering": service_offering, "enabled": False}
