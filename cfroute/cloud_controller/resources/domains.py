"""/v3/domains"""

from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from cfroute.cloud_controller import feature_flags
from cfroute.cloud_controller.actions import jobs, quotas, routes
from cfroute.cloud_controller.actions.metadata import change_metadata, set_metadata
from cfroute.cloud_controller.call import NO_CONTENT, Call, Reply
from cfroute.cloud_controller.endpoints import delete, get, knowing_router_groups, patch, post
from cfroute.cloud_controller.errors import not_found, refuse_if, unprocessable
from cfroute.cloud_controller.labels import problems as metadata_problems
from cfroute.cloud_controller.listing import Listing, among
from cfroute.cloud_controller.models import Domain, KnownGroup, Organization, Route, Space
from cfroute.cloud_controller.presenters import tenancy as present
from cfroute.cloud_controller.validation import domains as rules
from cfroute.cloud_controller.validation.common import data_problems, related

LISTING = Listing(
    Domain,
    present.domain,
    {"names": among(Domain.name), "organization_guids": among(Domain.organization_guid)},
    order=("name",),
    loads=(selectinload(Domain.shared_organizations), joinedload(Domain.router_group)),
)


def create(call: Call) -> Reply:
    body = call.body
    refuse_if(rules.body_problems(body) + metadata_problems(body.get("metadata")))
    owner_guid = related(body, "organization")
    owner = _owner(call, owner_guid) if owner_guid else None
    if owner is None:
        call.only_admin()
    group = (body.get("router_group") or {}).get("guid")
    if group and call.session.get(KnownGroup, group) is None:
        raise unprocessable(f"Router group with guid '{group}' not found.")
    name = body["name"].lower()
    if problem := rules.conflict(name, owner_guid, _neighbours(call, name), _route_exists(call, name)):
        raise unprocessable(problem)
    if owner is not None:
        quotas.refuse_domain(call, owner)
    domain = Domain(name=name, internal=bool(body.get("internal")), router_group_guid=group, organization_guid=owner_guid)
    if owner_guid and (body["relationships"].get("shared_organizations")):
        domain.shared_organizations = _to_share_with(call, owner_guid, body["relationships"]["shared_organizations"])
    set_metadata(domain, body)
    call.save(domain)
    return Reply(201, present.domain(domain, call.urls))


def _names_group(call: Call) -> bool:
    return isinstance(call.body.get("router_group"), dict)


def _owner(call: Call, guid: str) -> Organization:
    if not call.user.admin:
        feature_flags.require(call, "private_domain_creation")
    organization = call.find(Organization, guid)
    if organization is None:
        raise unprocessable(f"Organization with guid '{guid}' does not exist or you do not have access to it.")
    return organization


def _neighbours(call: Call, name: str) -> list[rules.Neighbour]:
    near = or_(Domain.name.in_([name, *rules.parents(name)]), func.lower(Domain.name).endswith(f".{name}", autoescape=True))
    found = call.session.scalars(select(Domain).where(near))
    return [rules.Neighbour(domain.name, domain.organization_guid) for domain in found]


def _route_exists(call: Call, name: str) -> bool:
    host, _, rest = name.partition(".")
    domain = routes.find_domain(call, rest)
    if domain is None:
        return False
    found = select(Route.guid).where(Route.domain_guid == domain.guid, Route.host == host)
    return call.session.scalars(found).first() is not None


def show(call: Call) -> dict[str, Any]:
    return present.domain(call.the(Domain), call.urls)


def update(call: Call) -> dict[str, Any]:
    domain = call.the(Domain)
    change_metadata(call, domain)
    return present.domain(domain, call.urls)


def remove(call: Call) -> Reply:
    domain = call.the(Domain)
    if domain.shared:
        call.only_admin()
    if domain.shared_organizations:
        raise unprocessable("This domain is shared with other organizations. Unshare before deleting.")
    in_it = select(Route).where(Route.domain_guid == domain.guid)
    routes.delete_routes(call, call.session.scalars(in_it).all())
    call.session.delete(domain)
    return jobs.accepted(call, "domain.delete")


def reservation(call: Call) -> dict[str, Any]:
    """Whether there is exactly this route; a part that is not given is empty."""
    domain = call.the(Domain)
    call.query.refuse_unknown(("host", "path", "port"))
    port = call.query.whole("port", 0, 0, 65535)
    found = routes.find_route(call, domain, call.query.get("host"), call.query.get("path"), port)
    return {"matching_route": found is not None}


def share(call: Call) -> dict[str, Any]:
    domain, body = call.the(Domain), call.body
    refuse_if(data_problems(body))
    if domain.organization_guid is None:
        raise unprocessable("Domains cannot be shared with other organizations unless they are scoped to an organization.")
    for organization in _to_share_with(call, domain.organization_guid, body):
        if organization not in domain.shared_organizations:
            domain.shared_organizations.append(organization)
    return {"data": [{"guid": each.guid} for each in domain.shared_organizations]}


def _to_share_with(call: Call, owner: str, to_many: dict[str, Any]) -> list[Organization]:
    guids = [each["guid"] for each in to_many["data"]]
    organizations, missing = call.several(Organization, guids)
    unknown = set(missing)
    for guid in guids:
        if guid in unknown:
            raise unprocessable(f"Organization with guid '{guid}' does not exist or you do not have access to it.")
        if guid == owner:
            raise unprocessable("Domain cannot be shared with owning organization.")
    return organizations


def unshare(call: Call) -> Reply:
    domain = call.the(Domain)
    organization = call.find(Organization, call.path["organization"])
    if organization is None:
        raise not_found("Organization")
    if organization not in domain.shared_organizations:
        raise unprocessable(
            f"Unable to unshare domain from organization with name '{organization.name}'. "
            "Ensure the domain is shared to this organization."
        )
    used = select(Route.guid).join(Space).where(Route.domain_guid == domain.guid, Space.organization_guid == organization.guid)
    if call.session.scalars(used).first():
        raise unprocessable("This domain has associated routes in this organization. Delete the routes before unsharing.")
    domain.shared_organizations.remove(organization)
    return NO_CONTENT


ENDPOINTS = (
    get("/v3/domains", LISTING.page),
    post("/v3/domains", knowing_router_groups(_names_group, create)),
    get("/v3/domains/{guid}", show),
    patch("/v3/domains/{guid}", update),
    delete("/v3/domains/{guid}", remove),
    get("/v3/domains/{guid}/route_reservations", reservation),
    post("/v3/domains/{guid}/relationships/shared_organizations", share),
    delete("/v3/domains/{guid}/relationships/shared_organizations/{organization}", unshare),
)
