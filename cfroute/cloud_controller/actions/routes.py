"""Creating and deleting routes."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, exists, func, select

from cfroute.cloud_controller import quota_use, router_groups
from cfroute.cloud_controller.actions import brokered, lifecycle
from cfroute.cloud_controller.call import Call
from cfroute.cloud_controller.errors import unprocessable
from cfroute.cloud_controller.models import Domain, Route, RouteBinding, Space
from cfroute.cloud_controller.validation import routes as rules


def create_route(
    call: Call,
    domain: Domain,
    space: Space,
    *,
    host: str = "",
    path: str = "",
    port: int | None = None,
    options: dict[str, Any] | None = None,
) -> Route:
    """A route whose parts are good by themselves, not yet inserted. port None on a TCP domain picks one. Raises 422."""
    taken = _taken_ports(call, domain) if domain.tcp else set()
    free_port = True
    if domain.tcp and port is None:
        port = _pick_port(call, domain, taken)
        free_port = port is not None
    wanted = _wanted(call, domain, space, host, path, port or 0, taken, free_port)
    if problem := rules.first_problem(wanted):
        raise unprocessable(problem)
    route = Route(
        host=host,
        path=path,
        port=port or 0,
        domain=domain,
        space=space,
        options=without_nulls(options or {}),
        destinations=[],  # or they would be asked for
    )
    call.add(route)
    call.audit("route.create", route, host, space.guid)
    return route


def without_nulls(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _wanted(
    call: Call, domain: Domain, space: Space, host: str, path: str, port: int, taken: set[int], free_port: bool
) -> rules.Wanted:
    config, group = call.platform.config, domain.router_group
    exceeded = quota_use.exceeded(call.session, space, {"total_routes": 1, **({"total_reserved_ports": 1} if port else {})})
    address = {"domain": domain.guid, "host": host, "path": path, "port": port}
    fqdn = f"{host}.{domain.name}" if host else ""
    twin, taken_domain, other_space = call.session.execute(_rivals(), {**address, "fqdn": fqdn, "space": space.guid}).one()
    return rules.Wanted(
        host=host,
        path=path,
        port=port,
        domain=domain.name,
        organization=space.organization.name,
        shared=domain.shared,
        internal=domain.internal,
        tcp=domain.tcp,
        usable=domain.usable_by(space.organization_guid),
        exceeded=exceeded[0] if exceeded else "",
        taken_domain=taken_domain,
        system_host=domain.name == config.domain and host.lower() in config.system_hosts,
        twin=twin,
        other_space=other_space,
        port_taken=port in taken,
        free_port=free_port,
        reservable=group is not None and router_groups.reservable(group.reservable_ports, port),
        has_router_group=not domain.tcp or group is not None,
    )


@cache
def _rivals() -> Select[bool, bool, bool]:
    """Whether there is that route, a domain of its whole name, and a route of its host in another space."""
    same_host = (Route.domain_guid == bindparam("domain")) & (Route.host == bindparam("host"))
    return select(
        exists().where(same_host, Route.path == bindparam("path"), Route.port == bindparam("port")),
        exists().where(Domain.name == bindparam("fqdn")),
        exists().where(same_host, Route.port == 0, Route.space_guid != bindparam("space")),
    )


def _taken_ports(call: Call, domain: Domain) -> set[int]:
    # All of the group's domains share its ports. Nobody else writes while this transaction lasts, so no port is taken twice.
    found = select(Route.port).join(Domain).where(Domain.router_group_guid == domain.router_group_guid)
    return set(call.session.scalars(found))


def _pick_port(call: Call, domain: Domain, taken: set[int]) -> int | None:
    group = domain.router_group
    return router_groups.pick(group.reservable_ports, taken, call.platform.chance) if group else None


def delete_routes(call: Call, routes: Sequence[Route]) -> None:
    """Delete routes, their destinations and their bindings."""
    apps = {destination.app_guid for route in routes for destination in route.destinations}
    brokered.leave_route_bindings(call, RouteBinding.route_guid.in_([route.guid for route in routes]))
    for route in routes:
        call.audit("route.delete-request", route, route.host, route.space_guid)
        call.session.delete(route)
    call.session.flush()
    lifecycle.destinations_changed(call, apps)


def route_changed(call: Call, route: Route) -> None:
    """Its options or its route service are other ones: all of its instances have to be registered anew."""
    call.after.apps |= {destination.app_guid for destination in route.destinations}


def find_route(call: Call, domain: Domain, host: str, path: str, port: int) -> Route | None:
    return call.session.scalars(
        select(Route).where(Route.domain_guid == domain.guid, Route.host == host, Route.path == path, Route.port == port)
    ).first()


def find_domain(call: Call, name: str) -> Domain | None:
    return call.session.scalars(select(Domain).where(Domain.name == name)).first()


def default_domain(call: Call, organization_guid: str) -> Domain | None:
    """The organization's first HTTP domain that is not internal: the foundation's present one, then the other shared ones."""
    present = call.platform.config.domain.lower()
    found = call.session.scalars(
        select(Domain)
        .where(Domain.internal.is_(False), Domain.router_group_guid.is_(None))
        .order_by(Domain.organization_guid.is_not(None), func.lower(Domain.name) != present, Domain.created_at)
    )
    return next((domain for domain in found if domain.usable_by(organization_guid)), None)
