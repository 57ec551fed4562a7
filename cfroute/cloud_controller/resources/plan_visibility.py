"""/v3/service_plans/GUID/visibility: who may use a plan."""

from typing import Any

from sqlalchemy import select

from cfroute.cloud_controller.call import NO_CONTENT, Call, Reply
from cfroute.cloud_controller.endpoints import delete, get, patch, post
from cfroute.cloud_controller.errors import refuse_if, unprocessable
from cfroute.cloud_controller.models import Organization, ServicePlan
from cfroute.cloud_controller.presenters import brokers as present
from cfroute.cloud_controller.validation.common import unknown_fields

_NAME = "Service plan"


def show(call: Call) -> dict[str, Any]:
    return present.visibility(call.the(ServicePlan, _NAME))


def replace(call: Call) -> dict[str, Any]:
    """PATCH: these organizations and no others."""
    return _set(call, added=False)


def add(call: Call) -> dict[str, Any]:
    """POST: these organizations besides those that may already."""
    return _set(call, added=True)


def _set(call: Call, *, added: bool) -> dict[str, Any]:
    plan, body = call.the(ServicePlan, _NAME), call.body
    refuse_if(_problems(body))
    if plan.offering.broker.space_guid is not None:
        raise unprocessable("cannot update plans with visibility type 'space'")
    kind = body["type"]
    organizations = _organizations(call, body) if kind == "organization" else []
    plan.public = kind == "public"
    before = list(plan.organizations) if added and kind == "organization" else []
    plan.organizations = before + [each for each in organizations if each not in before]
    call.audit("service_plan_visibility.update", plan, plan.name)
    call.session.flush()
    return present.visibility(plan)


def _problems(body: dict[str, Any]) -> list[str]:
    problems = unknown_fields(body, ("type", "organizations"))
    if body.get("type") not in ("public", "admin", "organization"):
        problems.append("Type must be one of 'public', 'admin', 'organization'")
    given = body.get("organizations")
    if body.get("type") == "organization":
        good = isinstance(given, list) and given and all(isinstance(each, dict) and "guid" in each for each in given)
        if not good:
            problems.append("Organizations must be an array of objects with a guid")
    elif given:
        problems.append("Organizations must be blank")
    return problems


def _organizations(call: Call, body: dict[str, Any]) -> list[Organization]:
    guids = [each["guid"] for each in body["organizations"]]
    texts = [guid for guid in guids if isinstance(guid, str)]
    found = call.session.scalars(select(Organization).where(Organization.guid.in_(texts))).all()
    missing = [str(guid) for guid in guids if guid not in {each.guid for each in found}]
    if missing:
        raise unprocessable(f"Could not find Organization with guid: {', '.join(missing)}")
    return list(found)


def remove(call: Call) -> Reply:
    plan = call.the(ServicePlan, _NAME)
    if plan.visibility != "organization":
        raise unprocessable("unsupported visibility type")
    organization = call.the(Organization, parameter="organization")
    plan.organizations = [each for each in plan.organizations if each.guid != organization.guid]
    call.audit("service_plan_visibility.delete", plan, plan.name)
    return NO_CONTENT


ENDPOINTS = (
    get("/v3/service_plans/{guid}/visibility", show),
    post("/v3/service_plans/{guid}/visibility", add),
    patch("/v3/service_plans/{guid}/visibility", replace),
    delete("/v3/service_plans/{guid}/visibility/{organization}", remove),
)
