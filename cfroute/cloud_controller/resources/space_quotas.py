"""/v3/space_quotas, and what spaces use"""

from typing import Any

from sqlalchemy import select

from cfroute.cloud_controller import quota_use
from cfroute.cloud_controller.actions import quota_changes
from cfroute.cloud_controller.call import NO_CONTENT, Call, Reply
from cfroute.cloud_controller.endpoints import delete, get, patch, post
from cfroute.cloud_controller.errors import refuse_if, unprocessable
from cfroute.cloud_controller.listing import Listing, among
from cfroute.cloud_controller.models import Organization, OrganizationQuota, Space, SpaceQuota
from cfroute.cloud_controller.presenters import quotas as present
from cfroute.cloud_controller.validation import quotas as rules
from cfroute.cloud_controller.validation.common import data_problems, related, related_many

LISTING = Listing(
    SpaceQuota,
    present.space_quota,
    {
        "names": among(SpaceQuota.name),
        "organization_guids": among(SpaceQuota.organization_guid),
        "space_guids": lambda values: SpaceQuota.guid.in_(select(Space.quota_guid).where(Space.guid.in_(values))),
    },
)
_NAME = "Space quota"
_IN_USE = "This quota is applied to one or more spaces. Remove this quota from all spaces before deleting."


def index(call: Call) -> Reply:
    return quota_changes.page(call, LISTING)


def create(call: Call) -> Reply:
    body = call.body
    refuse_if(rules.space_quota_problems(body, new=True))
    guid = related(body, "organization")
    organization = call.find(Organization, guid)
    if organization is None:
        raise unprocessable(f"Organization with guid '{guid}' does not exist, or you do not have access to it.")
    quota = SpaceQuota(organization_guid=organization.guid)
    _take_over(call, quota, body)
    call.save(quota)
    quota_changes.tell(call, quota, "create")
    spaces, unknown = call.several(Space, related_many(body, "spaces"))
    unknown += [space.guid for space in spaces if space.organization_guid != organization.guid]
    if unknown:
        raise unprocessable(
            f"Spaces with guids {quota_changes.listed(unknown)} do not exist within the organization specified, "
            "or you do not have access to them."
        )
    quota_changes.apply(call, quota, spaces)
    return Reply(201, quota_changes.shown(call, quota))


def _take_over(call: Call, quota: SpaceQuota, body: dict[str, Any]) -> None:
    beside = SpaceQuota.organization_guid == quota.organization_guid
    quota_changes.take_over(call, quota, body, rules.SPACE_SECTIONS, beside)
    organization = call.session.get_one(Organization, quota.organization_guid)
    above = call.session.get_one(OrganizationQuota, organization.quota_guid)
    if problem := rules.space_ports_problem(quota.total_reserved_ports, quota.total_routes, above.total_reserved_ports):
        raise unprocessable(problem)


def show(call: Call) -> dict[str, Any]:
    return quota_changes.shown(call, call.the(SpaceQuota, _NAME))


def update(call: Call) -> dict[str, Any]:
    quota, body = call.the(SpaceQuota, _NAME), call.body
    refuse_if(rules.space_quota_problems(body, new=False))
    _take_over(call, quota, body)
    quota_changes.tell(call, quota, "update")
    return quota_changes.shown(call, quota)


def remove(call: Call) -> Reply:
    return quota_changes.remove(call, call.the(SpaceQuota, _NAME), _IN_USE)


def apply(call: Call) -> dict[str, Any]:
    quota, body = call.the(SpaceQuota, _NAME), call.body
    refuse_if(data_problems(body))
    spaces, unknown = call.several(Space, (each["guid"] for each in body["data"]))
    if unknown:
        guids = quota_changes.listed(unknown)
        raise unprocessable(f"Spaces with guids {guids} do not exist, or you do not have access to them.")
    if any(space.organization_guid != quota.organization_guid for space in spaces):
        raise unprocessable("Space quotas cannot be applied outside of their owning organization.")
    quota_changes.apply(call, quota, spaces)
    return quota_changes.applied(call, quota)


def unapply(call: Call) -> Reply:
    quota, guid = call.the(SpaceQuota, _NAME), call.path["space"]
    space = call.session.get(Space, guid)
    if space is None or space.quota_guid != quota.guid:
        raise unprocessable(
            f"Unable to remove quota from space with guid '{guid}'. Ensure the space quota is applied to this space."
        )
    space.quota_guid = None
    quota_changes.tell(call, quota, "remove", space)
    return NO_CONTENT


def usage(call: Call) -> dict[str, Any]:
    space = call.the(Space)
    return present.usage(space, quota_use.everything(call.session, space), call.urls)


ENDPOINTS = (
    get("/v3/space_quotas", index),
    post("/v3/space_quotas", create),
    get("/v3/space_quotas/{guid}", show),
    patch("/v3/space_quotas/{guid}", update),
    delete("/v3/space_quotas/{guid}", remove),
    post("/v3/space_quotas/{guid}/relationships/spaces", apply),
    delete("/v3/space_quotas/{guid}/relationships/spaces/{space}", unapply),
    get("/v3/spaces/{guid}/usage_summary", usage),
)
