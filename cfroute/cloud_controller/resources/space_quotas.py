"""/v3/space_quotas, and what spaces use"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from cfroute.cloud_controller.actions import jobs, quotas
from cfroute.cloud_controller.actions.quota_changes import listed, set_limits, show_where
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


def index(call: Call) -> Reply:
    reply = LISTING.page(call)
    show_where(call, reply.body["resources"], Space)
    return reply


def _shown(call: Call, quota: SpaceQuota) -> dict[str, Any]:
    call.session.flush()
    answer = present.space_quota(quota, call.urls)
    show_where(call, [answer], Space)
    return answer


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
    call.audit("space_quota.create", quota, quota.name)
    spaces, unknown = _spaces(call, related_many(body, "spaces"))
    unknown += [space.guid for space in spaces if space.organization_guid != organization.guid]
    if unknown:
        raise unprocessable(
            f"Spaces with guids {listed(unknown)} do not exist within the organization specified, "
            "or you do not have access to them."
        )
    _apply(call, quota, spaces)
    return Reply(201, _shown(call, quota))


def _take_over(call: Call, quota: SpaceQuota, body: dict[str, Any]) -> None:
    if "name" in body:
        beside = (SpaceQuota.organization_guid == quota.organization_guid, SpaceQuota.guid != quota.guid)
        if call.session.scalars(select(SpaceQuota.guid).where(SpaceQuota.name == body["name"], *beside)).first():
            raise unprocessable(f"Space Quota '{body['name']}' already exists.")
    set_limits(quota, body, rules.SPACE_SECTIONS)
    organization = call.session.get_one(Organization, quota.organization_guid)
    above = call.session.get_one(OrganizationQuota, organization.quota_guid)
    if problem := rules.space_ports_problem(quota.total_reserved_ports, quota.total_routes, above.total_reserved_ports):
        raise unprocessable(problem)


def _spaces(call: Call, wanted: Sequence[str]) -> tuple[list[Space], list[str]]:
    """The spaces of these guids that the user sees, and the guids of the others."""
    found = {guid: call.find(Space, guid) for guid in wanted}
    return [space for space in found.values() if space], [guid for guid, space in found.items() if space is None]


def _apply(call: Call, quota: SpaceQuota, spaces: Sequence[Space]) -> None:
    for space in spaces:
        space.quota = quota
        call.audit("space_quota.apply", quota, quota.name, space.guid)


def show(call: Call) -> dict[str, Any]:
    return _shown(call, call.the(SpaceQuota, _NAME))


def update(call: Call) -> dict[str, Any]:
    quota, body = call.the(SpaceQuota, _NAME), call.body
    refuse_if(rules.space_quota_problems(body, new=False))
    _take_over(call, quota, body)
    call.audit("space_quota.update", quota, quota.name)
    return _shown(call, quota)


def remove(call: Call) -> Reply:
    quota = call.the(SpaceQuota, _NAME)
    if call.session.scalars(select(Space.guid).where(Space.quota_guid == quota.guid).limit(1)).first():
        raise unprocessable("This quota is applied to one or more spaces. Remove this quota from all spaces before deleting.")
    call.audit("space_quota.delete", quota, quota.name)
    call.session.delete(quota)
    return jobs.accepted(call, "space_quota.delete")


def apply(call: Call) -> dict[str, Any]:
    quota, body = call.the(SpaceQuota, _NAME), call.body
    refuse_if(data_problems(body))
    spaces, unknown = _spaces(call, [each["guid"] for each in body["data"]])
    if unknown:
        raise unprocessable(f"Spaces with guids {listed(unknown)} do not exist, or you do not have access to them.")
    if any(space.organization_guid != quota.organization_guid for space in spaces):
        raise unprocessable("Space quotas cannot be applied outside of their owning organization.")
    _apply(call, quota, spaces)
    answer = _shown(call, quota)
    path = f"/space_quotas/{quota.guid}/relationships/spaces"
    return {"data": answer["relationships"]["spaces"]["data"], "links": {"self": call.urls.link(path)}}


def unapply(call: Call) -> Reply:
    quota, guid = call.the(SpaceQuota, _NAME), call.path["space"]
    space = call.session.get(Space, guid)
    if space is None or space.quota_guid != quota.guid:
        raise unprocessable(
            f"Unable to remove quota from space with guid '{guid}'. Ensure the space quota is applied to this space."
        )
    space.quota = None
    call.audit("space_quota.remove", quota, quota.name, space.guid)
    return NO_CONTENT


def usage(call: Call) -> dict[str, Any]:
    space = call.the(Space)
    return present.usage(space, quotas.usage(call, space), call.urls)


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
