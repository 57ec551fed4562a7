"""/v3/organization_quotas, and what organizations use"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select

from cfroute.cloud_controller import quota_use
from cfroute.cloud_controller.actions import quota_changes
from cfroute.cloud_controller.call import Call, Reply
from cfroute.cloud_controller.endpoints import delete, get, patch, post
from cfroute.cloud_controller.errors import refuse_if, unprocessable
from cfroute.cloud_controller.listing import Listing, among
from cfroute.cloud_controller.models import Organization, OrganizationQuota
from cfroute.cloud_controller.presenters import quotas as present
from cfroute.cloud_controller.validation import quotas as rules
from cfroute.cloud_controller.validation.common import data_problems, related_many

LISTING = Listing(
    OrganizationQuota,
    present.organization_quota,
    {
        "names": among(OrganizationQuota.name),
        "organization_guids": lambda values: OrganizationQuota.guid.in_(
            select(Organization.quota_guid).where(Organization.guid.in_(values))
        ),
    },
)
_NAME = "Organization quota"
_IN_USE = "This quota is applied to one or more organizations. Apply different quotas to those organizations before deleting."


def index(call: Call) -> Reply:
    return quota_changes.page(call, LISTING)


def create(call: Call) -> Reply:
    call.only_admin()
    body = call.body
    refuse_if(rules.organization_quota_problems(body, new=True))
    quota = OrganizationQuota()
    _take_over(call, quota, body)
    call.save(quota)
    quota_changes.tell(call, quota, "create")
    wanted = related_many(body, "organizations")
    _apply(call, quota, wanted, "Organizations with guids {} do not exist, or you do not have access to them.")
    return Reply(201, quota_changes.shown(call, quota))


def _take_over(call: Call, quota: OrganizationQuota, body: dict[str, Any]) -> None:
    quota_changes.take_over(call, quota, body, rules.ORGANIZATION_SECTIONS)
    if problem := rules.organization_ports_problem(quota.total_reserved_ports, quota.total_routes):
        raise unprocessable(problem)


def _apply(call: Call, quota: OrganizationQuota, wanted: Iterable[str], missing: str) -> None:
    organizations, unknown = call.several(Organization, wanted)
    if unknown:
        raise unprocessable(missing.format(quota_changes.listed(unknown)))
    quota_changes.apply(call, quota, organizations)


def show(call: Call) -> dict[str, Any]:
    return quota_changes.shown(call, call.the(OrganizationQuota, _NAME))


def update(call: Call) -> dict[str, Any]:
    call.only_admin()
    quota, body = call.the(OrganizationQuota, _NAME), call.body
    refuse_if(rules.organization_quota_problems(body, new=False))
    _take_over(call, quota, body)
    quota_changes.tell(call, quota, "update")
    return quota_changes.shown(call, quota)


def remove(call: Call) -> Reply:
    call.only_admin()
    return quota_changes.remove(call, call.the(OrganizationQuota, _NAME), _IN_USE)


def apply(call: Call) -> dict[str, Any]:
    call.only_admin()
    quota, body = call.the(OrganizationQuota, _NAME), call.body
    refuse_if(data_problems(body))
    _apply(call, quota, (each["guid"] for each in body["data"]), "Organizations with guids {} do not exist")
    return quota_changes.applied(call, quota)


def usage(call: Call) -> dict[str, Any]:
    organization = call.the(Organization)
    return present.usage(organization, quota_use.everything(call.session, organization), call.urls)


ENDPOINTS = (
    get("/v3/organization_quotas", index),
    post("/v3/organization_quotas", create),
    get("/v3/organization_quotas/{guid}", show),
    patch("/v3/organization_quotas/{guid}", update),
    delete("/v3/organization_quotas/{guid}", remove),
    post("/v3/organization_quotas/{guid}/relationships/organizations", apply),
    get("/v3/organizations/{guid}/usage_summary", usage),
)
