"""`marketplace`: what brokers offer here."""

import functools
from typing import Any

import msgspec

from cfroute.cli import render
from cfroute.cli.command import command
from cfroute.cli.misuse import apart
from cfroute.cli.options import option
from cfroute.cli.services.service_parents import related
from cfroute.cli.session import Session


class PlanRow(msgspec.Struct):
    """A plan; whether it can be had, it says itself."""

    name: str
    description: str
    free: bool
    costs: list[dict[str, Any]]
    available: bool


class OfferingRow(msgspec.Struct):
    """An offering with those of its plans that can be had, or all of them."""

    guid: str
    name: str
    description: str
    broker: str
    plans: list[PlanRow]


def _offerings_text(offerings: list[OfferingRow], *, with_plans: bool) -> str:
    if not offerings:
        return "No service offerings found."
    headers = ("offering", "plans", "description", "broker") if with_plans else ("offering", "description", "broker")
    tip = (
        "TIP: Use 'cfroute marketplace -e SERVICE_OFFERING' to view descriptions of individual plans of a given service offering."
    )
    return f"{render.table(headers, (_cells(each, with_plans) for each in offerings))}\n\n{tip}"


def _cells(offering: OfferingRow, with_plans: bool) -> tuple[str, ...]:
    plans = (", ".join(plan.name for plan in offering.plans),) if with_plans else ()
    return (offering.name, *plans, offering.description, offering.broker)


def _plans_text(offerings: list[OfferingRow], *, with_unavailable: bool) -> str:
    if not offerings:
        return "No service offerings found."
    return "\n\n".join(_offering_text(each, with_unavailable) for each in offerings)


def _offering_text(offering: OfferingRow, with_unavailable: bool) -> str:
    headers = ("plan", "description", "free or paid", "costs", *(("available",) if with_unavailable else ()))
    rows = [
        (
            plan.name,
            plan.description,
            "free" if plan.free else "paid",
            _costs(plan),
            *((("yes" if plan.available else "no"),) if with_unavailable else ()),
        )
        for plan in offering.plans
    ]
    return f"broker: {render.name(offering.broker)}\n{render.table(headers, rows, indent='   ')}"


def _costs(plan: PlanRow) -> str:
    return ", ".join(f"{cost['currency']} {cost['amount']:.2f}/{cost['unit']}" for cost in plan.costs)


@command(
    "marketplace",
    usage="cfroute marketplace [-e SERVICE_OFFERING] [-b SERVICE_BROKER] [--no-plans] [--show-unavailable]",
    examples=("cfroute marketplace", "cfroute marketplace -e ratelimit", "cfroute marketplace -b limits --no-plans"),
    see_also=("create-service", "services"),
)
@option("-e", "offering", help="Show plan details for a particular service offering")
@option("-b", "broker", help="Only show details for a particular service broker")
@option("--no-plans", is_flag=True, help="Hide plan information for service offerings")
@option("--show-unavailable", is_flag=True, help="Show plans that are not available for use")
def marketplace(session: Session, offering: str | None, broker: str | None, no_plans: bool, show_unavailable: bool) -> None:
    if offering and no_plans:
        raise apart("--no-plans", "-e")
    _announce(session, offering, broker)
    page = session.api.page(
        "/v3/service_plans",
        available=None if show_unavailable else True,
        include="service_offering",
        space_guids=[session.target.space["guid"]],
        service_offering_names=[offering] if offering else None,
        service_broker_names=[broker] if broker else None,
        **{"fields[service_offering.service_broker]": "name,guid"},
    )
    found: dict[str, OfferingRow] = {}
    for plan in page.resources:
        offered = related(plan, "service_offering", page.included["service_offerings"])
        own = related(offered, "service_broker", page.included["service_brokers"])
        new = OfferingRow(offered["guid"], offered["name"], offered["description"], own["name"], [])
        row = PlanRow(plan["name"], plan["description"], plan["free"], plan["costs"], plan["available"])
        found.setdefault(offered["guid"], new).plans.append(row)
    plans_text = functools.partial(_plans_text, with_unavailable=show_unavailable)
    offerings_text = functools.partial(_offerings_text, with_plans=not no_plans)
    session.emit(list(found.values()), plans_text if offering else offerings_text)


def _announce(session: Session, offering: str | None, broker: str | None) -> None:
    whose = f"service broker {render.name(broker)}"
    if offering:
        what = f"service plan information for service offering {render.name(offering)}{f' from {whose}' if broker else ''}"
    else:
        what = f"all service offerings from marketplace{f' for {whose}' if broker else ''}"
    session.say(f"Getting {what} in {session.target.place}...")
    session.say()
