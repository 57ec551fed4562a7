"""/v3/organization_quotas, and what organizations use"""

from typing import Any

from sqlalchemy import select

from cfroute.cloud_controller.actions import jobs, quotas
from cfroute.cloud_controller.actions.quota_changes import listed, set_limits, show_where
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


def index(call: Call) -> Reply:
    reply = LISTING.page(call)
    show_where(call, reply.body["resources"], Organization)
    return reply


def _shown(call: Call, quota: OrganizationQuota) -> dict[str, Any]:
    call.session.flush()
    answer = present.organization_quota(quota, call.urls)
    show_where(call, [answer], Organization)
    return answer


def create(call: Call) -> Reply:
    call.only_admin()
    body = call.body
    refuse_if(rules.organization_quota_problems(body, new=True))
    quota = OrganizationQuota()
    _take_over(call, quota, body)
    call.save(quota)
    call.audit("organization_quota.create", quota, quota.name)
    wanted = related_many(body, "organizations")
    _apply(call, quota, wanted, "Organizations with guids {} do not exist, or you do not have access to them.")
    return Reply(201, _shown(call, quota))


def _take_over(call: Call, quota: OrganizationQuota, body: dict[str, Any]) -> None:
    if "name" in body:
        taken = select(OrganizationQuota.guid).where(OrganizationQuota.name == body["name"], OrganizationQuota.guid != quota.guid)
        if call.session.scalars(taken).first():
            raise unprocessable(f"Organization Quota '{body['name']}' already exists.")
    set_limits(quota, body, rules.ORGANIZATION_SECTIONS)
    if problem := rules.organization_ports_problem(quota.total_reserved_ports, quota.total_routes):
        raise unprocessable(problem)


def _apply(call: Call, quota: OrganizationQuota, wanted: list[str], missing: str) -> None:
    found = {guid: call.session.get(Organization, guid) for guid in wanted}
    if unknown := [guid for guid, organization in found.items() if organization is None]:
        raise unprocessable(missing.format(listed(unknown)))
    for organization in filter(None, found.values()):
        organization.quota_guid = quota.guid
        call.audit("organization_quota.apply", quota, quota.name, organization=organization.guid)


def show(call: Call) -> dict[str, Any]:
    return _shown(call, call.the(OrganizationQuota, _NAME))


def update(call: Call) -> dict[str, Any]:
    call.only_admin()
    quota, body = call.the(OrganizationQuota, _NAME), call.body
    refuse_if(rules.organization_quota_problems(body, new=False))
    _take_over(call, quota, body)
    call.audit("organization_quota.update", quota, quota.name)
    return _shown(call, quota)


def remove(call: Call) -> Reply:
    call.only_admin()
    quota = call.the(OrganizationQuota, _NAME)
    if call.session.scalars(select(Organization.guid).where(Organization.quota_guid == quota.guid).limit(1)).first():
        raise unprocessable(
            "This quota is applied to one or more organizations. Apply different quotas to those organizations before deleting."
        )
    call.audit("organization_quota.delete", quota, quota.name)
    call.session.delete(quota)
    return jobs.accepted(call, "organization_quota.delete")


def apply(call: Call) -> dict[str, Any]:
    call.only_admin()
    quota, body = call.the(OrganizationQuota, _NAME), call.body
    refuse_if(data_problems(body))
    _apply(call, quota, [each["guid"] for each in body["data"]], "Organizations with guids {} do not exist")
    answer = _shown(call, quota)
    path = f"/organization_quotas/{quota.guid}/relationships/organizations"
    return {"data": answer["relationships"]["organizations"]["data"], "links": {"self": call.urls.link(path)}}


def usage(call: Call) -> dict[str, Any]:
    organization = call.the(Organization)
    return present.usage(organization, quotas.usage(call, organization), call.urls)


ENDPOINTS = (
    get("/v3/organization_quotas", index),
    post("/v3/organization_quotas", create),
    get("/v3/organization_quotas/{guid}", show),
    patch("/v3/organization_quotas/{guid}", update),
    delete("/v3/organization_quotas/{guid}", remove),
    post("/v3/organization_quotas/{guid}/relationships/organizations", apply),
    get("/v3/organizations/{guid}/usage_summary", usage),
)
