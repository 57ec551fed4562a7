"""/v3/spaces"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cfroute.cloud_controller.actions import apps, brokered, jobs, routes
from cfroute.cloud_controller.actions.metadata import set_metadata
from cfroute.cloud_controller.call import Call, Reply
from cfroute.cloud_controller.endpoints import delete, get, patch, post
from cfroute.cloud_controller.errors import refuse_if, unprocessable
from cfroute.cloud_controller.labels import problems as metadata_problems
from cfroute.cloud_controller.listing import Listing, among, of_guids
from cfroute.cloud_controller.models import App, Organization, Route, ServiceInstance, Space
from cfroute.cloud_controller.presenters import tenancy as present
from cfroute.cloud_controller.urls import Urls
from cfroute.cloud_controller.validation.common import name, related, relationships, unknown_fields


def include_organizations(session: Session, spaces: Sequence[Space], urls: Urls) -> tuple[str, list[dict[str, Any]]]:
    found = of_guids(session, Organization, (space.organization_guid for space in spaces))
    return "organizations", [present.organization(each, urls) for each in found]


_INCLUDES = {"organization": include_organizations, "org": include_organizations}
LISTING = Listing(
    Space,
    present.space,
    {"names": among(Space.name), "organization_guids": among(Space.organization_guid)},
    order=("name",),
    includes=_INCLUDES,
)


def create(call: Call) -> Reply:
    body = call.body
    problems = unknown_fields(body, ("name", "relationships", "metadata")) + name(body)
    refuse_if(problems + relationships(body, ("organization",)) + metadata_problems(body.get("metadata")))
    organization = call.find(Organization, related(body, "organization"))
    if organization is None:
        raise unprocessable("Invalid organization. Ensure the organization exists and you have access to it.")
    _refuse_taken(call, body["name"], organization.guid)
    space = Space(name=body["name"], organization_guid=organization.guid)
    set_metadata(space, body)
    call.save(space)
    call.audit("space.create", space, space.name, space.guid)
    return Reply(201, present.space(space, call.urls))


def show(call: Call) -> dict[str, Any]:
    return LISTING.included(call, call.the(Space))


def update(call: Call) -> dict[str, Any]:
    space, body = call.the(Space), call.body
    problems = unknown_fields(body, ("name", "metadata")) + name(body, required=False)
    refuse_if(problems + metadata_problems(body.get("metadata")))
    if "name" in body:
        _refuse_taken(call, body["name"], space.organization_guid, space.guid)
        space.name = body["name"]
    set_metadata(space, body)
    call.audit("space.update", space, space.name, space.guid)
    call.session.flush()
    return present.space(space, call.urls)


def remove(call: Call) -> Reply:
    """With all that is in it. Its routes may lead to apps of other spaces, too."""
    space = call.the(Space)
    routes.delete_routes(call, call.session.scalars(select(Route).where(Route.space_guid == space.guid)).all())
    apps.delete_apps(call, call.session.scalars(select(App).where(App.space_guid == space.guid)).all())
    brokered.leave_space(call, ServiceInstance.space_guid == space.guid)
    call.audit("space.delete-request", space, space.name, space.guid)
    call.session.delete(space)
    return jobs.accepted(call, "space.delete")


def remove_unmapped_routes(call: Call) -> Reply:
    """Delete the space's routes that lead nowhere and have no route service."""
    space = call.the(Space)
    if not call.query.flag("unmapped"):
        raise unprocessable(
            "Mass delete not supported for mapped routes. Use 'unmapped=true' parameter to delete all unmapped routes."
        )
    orphans = select(Route).where(Route.space_guid == space.guid, ~Route.destinations.any(), ~Route.binding.has())
    routes.delete_routes(call, call.session.scalars(orphans).all())
    return jobs.accepted(call, "space.delete_unmapped_routes")


def _refuse_taken(call: Call, wanted: str, organization: str, but: str = "") -> None:
    taken = select(Space.guid).where(Space.organization_guid == organization, Space.name == wanted, Space.guid != but)
    if call.session.scalars(taken).first():
        raise unprocessable("Name must be unique per organization")


ENDPOINTS = (
    get("/v3/spaces", LISTING.page),
    post("/v3/spaces", create),
    get("/v3/spaces/{guid}", show),
    patch("/v3/spaces/{guid}", update),
    delete("/v3/spaces/{guid}", remove),
    delete("/v3/spaces/{guid}/routes", remove_unmapped_routes),
)
