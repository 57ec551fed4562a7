"""`service-access`: who may use which plans of brokers."""

from itertools import groupby

import msgspec

from cfroute.cli import lookup, render
from cfroute.cli.access.api import Api, Resource
from cfroute.cli.command import command
from cfroute.cli.options import option
from cfroute.cli.services.service_parents import related
from cfroute.cli.session import Session

_ACCESS = {"public": "all", "admin": "none", "organization": "limited", "space": "limited"}


class AccessRow(msgspec.Struct):
    """One plan. orgs: who may use it where not all may; of a space's broker it is that space, and visibility says `space`."""

    broker: str
    offering: str
    plan: str
    access: str
    orgs: list[str]
    visibility: str


def _text(rows: list[AccessRow]) -> str:
    if not rows:
        return "No service plans found."
    parts = []
    for broker, group in groupby(rows, key=lambda row: row.broker):
        plans = list(group)
        whom = "space" if plans[0].visibility == "space" else "orgs"
        cells = ((each.offering, each.plan, each.access, ",".join(each.orgs)) for each in plans)
        table = render.table(("offering", "plan", "access", whom), cells, indent="   ")
        parts.append(f"broker: {render.name(broker)}\n{table}")
    return "\n\n".join(parts)


@command(
    "service-access",
    usage="cfroute service-access [-b BROKER] [-e SERVICE_OFFERING] [-o ORG]",
    examples=("cfroute service-access", "cfroute service-access -e ratelimit -o acme"),
    see_also=("disable-service-access", "enable-service-access", "marketplace", "service-brokers"),
    text=_text,
)
@option("-b", "broker", help="Access for plans of a particular broker")
@option("-e", "offering", help="Access for plans of a particular service offering")
@option("-o", "org", help="Plans accessible by a particular organization")
def service_access(session: Session, broker: str | None, offering: str | None, org: str | None) -> list[AccessRow]:
    asked = (("broker", broker), ("service offering", offering), ("organization", org))
    whose = " and ".join(f"{kind} {render.name(name)}" for kind, name in asked if name)
    session.say(f"Getting service access{' for ' if whose else ''}{whose} as {session.target.user}...")
    session.say()
    page = session.api.page(
        "/v3/service_plans",
        include="service_offering",
        service_broker_names=[broker] if broker else None,
        service_offering_names=[offering] if offering else None,
        organization_guids=[lookup.org(session.api, org)["guid"]] if org else None,
        **{"fields[service_offering.service_broker]": "name,guid"},
    )
    if not page.resources and offering:
        lookup.service_offering(session.api, offering, broker)
    rows = (_row(session.api, plan, page.included) for plan in page.resources)
    return sorted(rows, key=lambda row: (row.broker, row.offering, row.plan))


def _row(api: Api, plan: Resource, included: dict[str, list[Resource]]) -> AccessRow:
    offering = related(plan, "service_offering", included["service_offerings"])
    broker = related(offering, "service_broker", included["service_brokers"])
    visibility = plan["visibility_type"]
    return AccessRow(broker["name"], offering["name"], plan["name"], _ACCESS[visibility], _allowed(api, plan), visibility)


def _allowed(api: Api, plan: Resource) -> list[str]:
    """The organizations that may use the plan, or the space that its broker is for."""
    if plan["visibility_type"] not in ("organization", "space"):
        return []
    told = api.get(f"/v3/service_plans/{plan['guid']}/visibility")
    if "space" not in told:
        return [each["name"] for each in told["organizations"]]
    space = api.get(f"/v3/spaces/{told['space']['guid']}")
    owner = api.get(f"/v3/organizations/{lookup.related(space, 'organization')}")
    return [f"{space['name']} (org: {owner['name']})"]
