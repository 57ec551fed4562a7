"""`marketplace`: what brokers offer here."""

from typing import Any

import msgspec

from cfroute.cli import render
from cfroute.cli.command import command
from cfroute.cli.options import option
from cfroute.cli.session import Session


class PlanRow(msgspec.Struct):
    """A plan that can be had."""

    name: str
    description: str
    free: bool
    costs: list[dict[str, Any]]


class OfferingRow(msgspec.Struct):
    """An offering with those of its plans that can be had."""

    guid: str
    name: str
    description: str
    broker: str
    plans: list[PlanRow]


class Market(msgspec.Struct):
    """What `marketplace` shows; in detail when one offering was asked for."""

    offerings: list[OfferingRow]
    detailed: bool


def _text(market: Market) -> str:
    if not market.offerings:
        return "No service offerings found."
    if market.detailed:
        return "\n\n".join(_offering_text(each) for each in market.offerings)
    rows = ((each.name, ", ".join(plan.name for plan in each.plans), each.description, each.broker) for each in market.offerings)
    tip = (
        "TIP: Use 'cfroute marketplace -e SERVICE_OFFERING' to view descriptions of individual plans of a given service offering."
    )
    return f"{render.table(('offering', 'plans', 'description', 'broker'), rows)}\n\n{tip}"


def _offering_text(offering: OfferingRow) -> str:
    rows = ((plan.name, plan.description, "free" if plan.free else "paid", _costs(plan)) for plan in offering.plans)
    table = render.table(("plan", "description", "free or paid", "costs"), rows)
    return "\n".join([f"broker: {offering.broker}", *(f"   {line}" for line in table.splitlines())])


def _costs(plan: PlanRow) -> str:
    return ", ".join(f"{cost['currency']} {cost['amount']:.2f}/{cost['unit']}" for cost in plan.costs)


@command(
    "marketplace",
    usage="cfroute marketplace [-e SERVICE_OFFERING] [-b SERVICE_BROKER]",
    examples=("cfroute marketplace", "cfroute marketplace -e ratelimit"),
    see_also=("create-service", "services"),
    text=_text,
)
@option("-e", "offering", help="Show plan details for a particular service offering")
@option("-b", "broker", help="Only show details for a particular service broker")
def marketplace(session: Session, offering: str | None, broker: str | None) -> Market:
    what = "all service offerings from marketplace"
    if offering:
        what = f"service plan information for service offering {render.name(offering)}"
    session.say(f"Getting {what} in {session.target.place}...")
    session.say()
    page = session.api.page(
        "/v3/service_plans",
        available=True,
        include="service_offering",
        space_guids=[session.target.space["guid"]],
        service_offering_names=[offering] if offering else None,
        service_broker_names=[broker] if broker else None,
        **{"fields[service_offering.service_broker]": "name,guid"},
    )
    brokers = {each["guid"]: each["name"] for each in page.included.get("service_brokers", [])}
    found: dict[str, OfferingRow] = {}
    for each in page.included.get("service_offerings", []):
        own = brokers.get(each["relationships"]["service_broker"]["data"]["guid"], "")
        found.setdefault(each["guid"], OfferingRow(each["guid"], each["name"], each["description"], own, []))
    for plan in page.resources:
        row = PlanRow(plan["name"], plan["description"], plan["free"], plan["costs"])
        found[plan["relationships"]["service_offering"]["data"]["guid"]].plans.append(row)
    return Market(list(found.values()), bool(offering))
