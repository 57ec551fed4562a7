"""/v3/routes"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, bindparam, select
from sqlalchemy.orm import Session, joinedload, selectinload

from cfroute.cloud_controller import feature_flags, quota_use
from cfroute.cloud_controller.actions import jobs, routes
from cfroute.cloud_controller.actions.metadata import set_metadata
from cfroute.cloud_controller.call import Call, Reply
from cfroute.cloud_controller.endpoints import delete, get, knowing_router_groups, patch, post
from cfroute.cloud_controller.errors import refuse_if, unprocessable
from cfroute.cloud_controller.labels import problems as metadata_problems
from cfroute.cloud_controller.listing import Listing, among, of_guids
from cfroute.cloud_controller.models import App, Destination, Domain, Route, RouteBinding, Space
from cfroute.cloud_controller.presenters import routing as present
from cfroute.cloud_controller.presenters import tenancy
from cfroute.cloud_controller.resources.spaces import include_organizations
from cfroute.cloud_controller.urls import Urls
from cfroute.cloud_controller.validation import routes as rules
from cfroute.cloud_controller.validation.common import related, unknown_fields

_ROUTER_GROUP = select(Domain.router_group_guid).where(Domain.guid == bindparam("domain"))


def _ports(values: list[str]) -> ColumnElement[bool]:
    # 0 stands for "no port" in the rows, and "a port that no route has" in the query.
    known = [int(value) for value in values if value.isascii() and value.isdigit() and len(value) < 6]
    return Route.port.in_([port for port in known if port])


def _domains(session: Session, found: Sequence[Route], urls: Urls) -> tuple[str, list[dict[str, Any]]]:
    shared = selectinload(Domain.shared_organizations)
    domains = of_guids(session, Domain, (route.domain_guid for route in found), (shared,))
    return "domains", [tenancy.domain(each, urls) for each in domains]


def _spaces(session: Session, found: Sequence[Route], urls: Urls) -> tuple[str, list[dict[str, Any]]]:
    return "spaces", [tenancy.space(each, urls) for each in of_guids(session, Space, (route.space_guid for route in found))]


def _organizations(session: Session, found: Sequence[Route], urls: Urls) -> tuple[str, list[dict[str, Any]]]:
    return include_organizations(session, of_guids(session, Space, (route.space_guid for route in found)), urls)


LISTING = Listing(
    Route,
    present.route,
    {
        "hosts": among(Route.host),
        "paths": among(Route.path),
        "ports": _ports,
        "domain_guids": among(Route.domain_guid),
        "space_guids": lambda values: Route.space_guid.in_(values) | Route.shared_spaces.any(Space.guid.in_(values)),
        "organization_guids": lambda values: Route.space.has(Space.organization_guid.in_(values)),
        "app_guids": lambda values: Route.destinations.any(Destination.app_guid.in_(values)),
        "service_instance_guids": lambda values: Route.binding.has(RouteBinding.service_instance_guid.in_(values)),
    },
    loads=(joinedload(Route.destinations), joinedload(Route.domain).load_only(Domain.name, Domain.router_group_guid)),
    includes={"domain": _domains, "space": _spaces, "space.organization": _organizations},
)


def create(call: Call) -> Reply:
    feature_flags.require(call, "route_creation", but_admins=True)
    body = call.body
    hashing = "options" in body and feature_flags.enabled(call, "hash_based_routing")
    refuse_if(rules.body_problems(body, hashing=hashing))
    space = call.find(Space, related(body, "space"), quota_use.LOADS)
    if space is None:
        raise unprocessable("Invalid space. Ensure that the space exists and you have access to it.")
    domain = call.find(Domain, related(body, "domain"))
    if domain is None:
        raise unprocessable("Invalid domain. Ensure that the domain exists and you have access to it.")
    host = body.get("host") or ""
    if host == "*" and domain.shared and not call.user.admin:
        raise unprocessable(
            "You do not have sufficient permissions to create a route with a wildcard host "
            "on a domain not scoped to an organization."
        )
    route = routes.create_route(
        call,
        domain,
        space,
        host=host,
        path=body.get("path") or "",
        port=body.get("port"),
        options=body.get("options"),
    )
    set_metadata(route, body)
    call.session.flush()
    return Reply(201, present.route(route, call.urls))


def _in_tcp_domain(call: Call) -> bool:
    return call.session.scalar(_ROUTER_GROUP, {"domain": related(call.body, "domain")}) is not None


def show(call: Call) -> dict[str, Any]:
    return LISTING.included(call, call.the(Route, loads=LISTING.loads))


def update(call: Call) -> dict[str, Any]:
    route, body = call.the(Route), call.body
    hashing = feature_flags.enabled(call, "hash_based_routing")
    problems = unknown_fields(body, ("options", "metadata")) + metadata_problems(body.get("metadata"))
    refuse_if(problems + rules.options_problems(body, hashing=hashing))
    if "options" in body:
        route.options = routes.without_nulls({**route.options, **body["options"]})
        routes.route_changed(call, route)
    set_metadata(route, body)
    call.session.flush()
    return present.route(route, call.urls)


def remove(call: Call) -> Reply:
    routes.delete_routes(call, [call.the(Route)])
    return jobs.accepted(call, "route.delete")


def of_app(call: Call) -> Reply:
    app = call.the(App)
    return LISTING.page(call, Route.guid.in_(select(Destination.route_guid).where(Destination.app_guid == app.guid)))


ENDPOINTS = (
    get("/v3/routes", LISTING.page),
    post("/v3/routes", knowing_router_groups(_in_tcp_domain, create)),
    get("/v3/routes/{guid}", show),
    patch("/v3/routes/{guid}", update),
    delete("/v3/routes/{guid}", remove),
    get("/v3/apps/{guid}/routes", of_app),
)
