"""/v3/organizations"""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from cfroute.cloud_controller import feature_flags
from cfroute.cloud_controller.actions import apps, brokered, jobs, people, routes
from cfroute.cloud_controller.actions.metadata import set_metadata
from cfroute.cloud_controller.call import Call, Reply
from cfroute.cloud_controller.config import DEFAULT_QUOTA_NAME
from cfroute.cloud_controller.endpoints import delete, get, patch, post
from cfroute.cloud_controller.errors import QUOTA_NOT_FOUND, ApiError, not_found, refuse_if, unprocessable
from cfroute.cloud_controller.labels import problems as metadata_problems
from cfroute.cloud_controller.listing import Listing, among
from cfroute.cloud_controller.models import App, Domain, Organization, OrganizationQuota, Route, ServiceInstance, Space
from cfroute.cloud_controller.models.quotas import DEFAULT_QUOTA
from cfroute.cloud_controller.models.tenancy import domain_shares
from cfroute.cloud_controller.presenters import tenancy as present
from cfroute.cloud_controller.validation.common import name, unknown_fields

LISTING = Listing(Organization, present.organization, {"names": among(Organization.name)}, order=("name",))
_FIELDS = ("name", "suspended", "metadata")


def create(call: Call) -> Reply:
    if not call.user.admin:
        feature_flags.require(call, "user_org_creation")
    body = call.body
    refuse_if(_problems(body, new=True))
    if _is_taken(call, body["name"]):
        raise unprocessable(f"Organization '{body['name']}' already exists.")
    if call.session.get(OrganizationQuota, DEFAULT_QUOTA) is None:
        raise ApiError(QUOTA_NOT_FOUND, f"Quota Definition could not be found: {DEFAULT_QUOTA_NAME}")
    organization = Organization(name=body["name"], suspended=bool(body.get("suspended")))
    set_metadata(organization, body)
    call.save(organization)
    if not call.user.admin:
        people.become_manager(call, organization)
    call.audit("organization.create", organization, organization.name)
    return Reply(201, present.organization(organization, call.urls))


def _problems(body: dict[str, Any], *, new: bool) -> list[str]:
    problems = unknown_fields(body, _FIELDS) + name(body, required=new)
    if not isinstance(body.get("suspended"), bool | None):
        problems.append("Suspended must be a boolean")
    return problems + metadata_problems(body.get("metadata"))


def show(call: Call) -> dict[str, Any]:
    return present.organization(call.the(Organization), call.urls)


def update(call: Call) -> dict[str, Any]:
    """Whoever manages it changes its name; only admins suspend it, or lift that."""
    organization, body = call.the(Organization), call.body
    refuse_if(_problems(body, new=False))
    if "suspended" in body:
        call.only_admin()
        organization.suspended = bool(body["suspended"])
    if "name" in body:
        if _is_taken(call, body["name"], organization.guid):
            raise unprocessable(f"Organization name '{body['name']}' is already taken.")
        organization.name = body["name"]
    set_metadata(organization, body)
    call.audit("organization.update", organization, organization.name)
    call.session.flush()
    return present.organization(organization, call.urls)


def remove(call: Call) -> Reply:
    """With its spaces and its private domains, and all that is in them: routes of such a domain may lead to others' apps."""
    call.only_admin()
    organization = call.the(Organization)
    in_spaces = Route.space.has(Space.organization_guid == organization.guid)
    in_domains = Route.domain.has(Domain.organization_guid == organization.guid)
    routes.delete_routes(call, call.session.scalars(select(Route).where(in_spaces | in_domains)).all())
    inside = select(App).join(Space).where(Space.organization_guid == organization.guid)
    apps.delete_apps(call, call.session.scalars(inside).all())
    spaces = select(Space.guid).where(Space.organization_guid == organization.guid)
    brokered.leave_space(call, ServiceInstance.space_guid.in_(spaces))
    call.audit("organization.delete-request", organization, organization.name)
    call.session.delete(organization)
    return jobs.accepted(call, "organization.delete")


def _is_taken(call: Call, wanted: str, but: str = "") -> bool:
    taken = select(Organization.guid).where(Organization.name == wanted, Organization.guid != but)
    return call.session.scalars(taken).first() is not None


DOMAINS = Listing(
    Domain,
    present.domain,
    {"names": among(Domain.name)},
    order=("name",),
    loads=(selectinload(Domain.shared_organizations),),
)


def domains(call: Call) -> Reply:
    """The shared ones, its own, and those that others share with it."""
    organization = call.the(Organization)
    shared_with = select(domain_shares.c.domain_guid).where(domain_shares.c.organization_guid == organization.guid)
    usable = Domain.organization_guid.is_(None) | (Domain.organization_guid == organization.guid) | Domain.guid.in_(shared_with)
    return DOMAINS.page(call, usable)


def default_domain(call: Call) -> dict[str, Any]:
    domain = routes.default_domain(call, call.the(Organization).guid)
    if domain is None:
        raise not_found("Domain")
    return present.domain(domain, call.urls)


ENDPOINTS = (
    get("/v3/organizations", LISTING.page),
    post("/v3/organizations", create),
    get("/v3/organizations/{guid}", show),
    patch("/v3/organizations/{guid}", update),
    delete("/v3/organizations/{guid}", remove),
    get("/v3/organizations/{guid}/domains", domains),
    get("/v3/organizations/{guid}/domains/default", default_domain),
)
