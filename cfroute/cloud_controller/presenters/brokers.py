"""Service brokers, offerings and plans."""

from typing import Annotated, Any

import msgspec

from cfroute.cloud_controller.models import ServiceBroker, ServiceOffering, ServicePlan
from cfroute.cloud_controller.presenters.common import identity, metadata, to_one
from cfroute.cloud_controller.urls import Urls


def broker(broker: ServiceBroker, urls: Urls) -> dict[str, Any]:
    path = f"/service_brokers/{broker.guid}"
    space = {"space": to_one(broker.space_guid)} if broker.space_guid else {}
    space_link = {"space": urls.link(f"/spaces/{broker.space_guid}")} if broker.space_guid else {}
    return {
        **identity(broker),
        "name": broker.name,
        "url": broker.url,
        "metadata": metadata(broker),
        "relationships": space,
        "links": {
            "self": urls.link(path),
            "service_offerings": urls.link(f"/service_offerings?service_broker_guids={broker.guid}"),
            **space_link,
        },
    }


def offering(offering: ServiceOffering, urls: Urls) -> dict[str, Any]:
    path = f"/service_offerings/{offering.guid}"
    return {
        **identity(offering),
        "name": offering.name,
        "description": offering.description,
        "available": offering.active,
        "tags": offering.tags,
        "requires": offering.requires,
        "shareable": offering.shareable,
        "documentation_url": offering.extra.get("documentationUrl") or "",
        "broker_catalog": {
            "id": offering.catalog_id,
            "metadata": offering.extra,
            "features": {
                "plan_updateable": offering.plan_updateable,
                "bindable": offering.bindable,
                "instances_retrievable": offering.instances_retrievable,
                "bindings_retrievable": offering.bindings_retrievable,
                "allow_context_updates": offering.allow_context_updates,
            },
        },
        "relationships": {"service_broker": to_one(offering.broker_guid)},
        "metadata": metadata(offering),
        "links": {
            "self": urls.link(path),
            "service_plans": urls.link(f"/service_plans?service_offering_guids={offering.guid}"),
            "service_broker": urls.link(f"/service_brokers/{offering.broker_guid}"),
        },
    }


def plan(plan: ServicePlan, urls: Urls) -> dict[str, Any]:
    path = f"/service_plans/{plan.guid}"
    space = plan.offering.broker.space_guid
    return {
        **identity(plan),
        "name": plan.name,
        "description": plan.description,
        "available": plan.available,
        "free": plan.free,
        "costs": _costs(plan),
        "visibility_type": plan.visibility,
        "maintenance_info": plan.maintenance_info,
        "broker_catalog": {
            "id": plan.catalog_id,
            "metadata": plan.extra,
            "maximum_polling_duration": plan.maximum_polling_duration,
            "features": {"bindable": plan.is_bindable, "plan_updateable": plan.is_updateable},
        },
        "schemas": {
            "service_instance": {"create": _schema(plan, "instance", "create"), "update": _schema(plan, "instance", "update")},
            "service_binding": {"create": _schema(plan, "binding", "create")},
        },
        "relationships": {"service_offering": to_one(plan.offering_guid), **({"space": to_one(space)} if space else {})},
        "metadata": metadata(plan),
        "links": {
            "self": urls.link(path),
            "service_offering": urls.link(f"/service_offerings/{plan.offering_guid}"),
            "visibility": urls.link(f"{path}/visibility"),
            **({"space": urls.link(f"/spaces/{space}")} if space else {}),
        },
    }


def visibility(plan: ServicePlan) -> dict[str, Any]:
    """Who may use the plan."""
    told: dict[str, Any] = {"type": plan.visibility}
    if plan.visibility == "organization":
        told["organizations"] = [{"guid": each.guid, "name": each.name} for each in plan.organizations]
    space = plan.offering.broker.space
    if plan.visibility == "space" and space is not None:
        told["space"] = {"guid": space.guid, "name": space.name}
    return told


class _Cost(msgspec.Struct):
    """What a broker's catalog says of a cost: how much it is, by currency."""

    amount: Annotated[dict[Annotated[str, msgspec.Meta(min_length=1)], float], msgspec.Meta(min_length=1)]
    unit: Annotated[str, msgspec.Meta(min_length=1)]


def _costs(plan: ServicePlan) -> list[dict[str, Any]]:
    """One entry for each currency of each cost that the catalog names; none at all when one of them is not sound."""
    try:
        costs = msgspec.convert(plan.extra.get("costs", []), list[_Cost])
    except msgspec.ValidationError:
        return []
    return [
        {"currency": currency.upper(), "amount": amount, "unit": cost.unit}
        for cost in costs
        for currency, amount in cost.amount.items()
    ]


def _schema(plan: ServicePlan, what: str, when: str) -> dict[str, Any]:
    found: Any = plan.schemas
    for key in (f"service_{what}", when):
        found = found.get(key) if isinstance(found, dict) else None
    return {"parameters": found.get("parameters") or {} if isinstance(found, dict) else {}}
