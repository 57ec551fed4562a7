"""What somebody sees who is neither admin nor reads everything: a condition for each kind of thing, by the roles that are held.

A kind that is not listed is seen by nobody else.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Any

from sqlalchemy import ColumnElement, false, or_, select, true

from cfroute.cloud_controller.models import (
    App,
    AuditEvent,
    Build,
    CredentialBinding,
    Deployment,
    Destination,
    Domain,
    Droplet,
    Job,
    ManagedInstance,
    Organization,
    OrganizationQuota,
    Package,
    Person,
    Process,
    Resource,
    Revision,
    Role,
    Route,
    RouteBinding,
    ServiceBroker,
    ServiceInstance,
    ServiceOffering,
    ServicePlan,
    Space,
    SpaceQuota,
)
from cfroute.cloud_controller.models.brokers import plan_visibilities
from cfroute.cloud_controller.models.routing import route_shares
from cfroute.cloud_controller.models.services import service_shares
from cfroute.cloud_controller.models.tenancy import domain_shares
from cfroute.cloud_controller.permissions import ORGANIZATION_ROLES, SPACE_ROLES, Held, Place

Condition = ColumnElement[bool]


class Sight:
    """What the holder of these roles sees."""

    def __init__(self, user_guid: str, held: Iterable[Held]) -> None:
        self._user = user_guid
        self._held = list(held)

    def of(self, model: type[Resource]) -> Condition:
        """Which rows of the model's table."""
        make = _VISIBLE.get(model)
        return make(self) if make else false()

    def organizations(self, roles: Collection[str] = ORGANIZATION_ROLES) -> list[str]:
        """The guids of those in which one of the roles is held."""
        return [role.organization for role in self._held if role.organization and role.type in roles]

    def spaces(self, roles: Collection[str] = SPACE_ROLES) -> list[str]:
        """The guids of those in which one of the roles is held."""
        return [role.space for role in self._held if role.space and role.type in roles]

    @property
    def user(self) -> str:
        return self._user


def place(thing: Any) -> Place:
    """Where a thing is."""
    if isinstance(thing, Organization):
        return Place(thing.guid)
    if isinstance(thing, Domain | SpaceQuota):
        return Place(thing.organization_guid)
    if isinstance(thing, Role) and thing.space is None:
        return Place(thing.organization_guid)
    space = _space(thing)
    return Place(space.organization_guid, space.guid) if space else Place(None)


def _space(thing: Any) -> Space | None:
    if isinstance(thing, Space):
        return thing
    # the service instance last: a key for one belongs to no app
    owners = (getattr(thing, name, None) for name in ("app", "route", "service_instance"))
    return getattr(next(filter(None, owners), thing), "space", None)


def _space_guid(sight: Sight) -> Condition:
    """Of spaces: one's own, and all of the organizations that one manages."""
    return Space.guid.in_(sight.spaces()) | Space.organization_guid.in_(sight.organizations(["organization_manager"]))


def _in_spaces(column: Any) -> Callable[[Sight], Condition]:
    return lambda sight: column.in_(select(Space.guid).where(_space_guid(sight)))


def _of_apps(column: Any) -> Callable[[Sight], Condition]:
    return lambda sight: column.in_(select(App.guid).where(_in_spaces(App.space_guid)(sight)))


def _plans(sight: Sight) -> Condition:
    """The public ones, those of one's organizations, those of brokers of one's spaces, and those that one's instances have."""
    own = select(plan_visibilities.c.plan_guid).where(plan_visibilities.c.organization_guid.in_(sight.organizations()))
    of_spaces = select(ServiceOffering.guid).join(ServiceBroker).where(ServiceBroker.space_guid.in_(sight.spaces()))
    instances = select(ServiceInstance.guid).where(_services(sight))
    used = select(ManagedInstance.plan_guid).where(ManagedInstance.instance_guid.in_(instances))
    return or_(
        ServicePlan.public, ServicePlan.guid.in_(own), ServicePlan.offering_guid.in_(of_spaces), ServicePlan.guid.in_(used)
    )


def _routes(sight: Sight) -> Condition:
    audited = select(Space.guid).where(Space.organization_guid.in_(sight.organizations(["organization_auditor"])))
    shared = select(route_shares.c.route_guid).where(_in_spaces(route_shares.c.space_guid)(sight))
    return _in_spaces(Route.space_guid)(sight) | Route.space_guid.in_(audited) | Route.guid.in_(shared)


def _services(sight: Sight) -> Condition:
    """Those of one's spaces, and those that are shared with them."""
    shared = select(service_shares.c.service_instance_guid).where(_in_spaces(service_shares.c.space_guid)(sight))
    return _in_spaces(ServiceInstance.space_guid)(sight) | ServiceInstance.guid.in_(shared)


def _credentials(sight: Sight) -> Condition:
    """Bindings of the apps that one sees, and keys for the instances of one's spaces."""
    own = select(ServiceInstance.guid).where(_in_spaces(ServiceInstance.space_guid)(sight))
    keys = CredentialBinding.app_guid.is_(None) & CredentialBinding.service_instance_guid.in_(own)
    return _of_apps(CredentialBinding.app_guid)(sight) | keys


def _of_routes(column: Any) -> Callable[[Sight], Condition]:
    return lambda sight: column.in_(select(Route.guid).where(_routes(sight)))


def _domains(sight: Sight) -> Condition:
    """The shared ones, those of organizations that one manages or audits or works in, and those that are shared with them."""
    worked_in = select(Space.organization_guid).where(Space.guid.in_(sight.spaces()))
    organizations = select(Organization.guid).where(
        Organization.guid.in_(sight.organizations(["organization_manager", "organization_auditor"]))
        | Organization.guid.in_(worked_in)
    )
    shared = select(domain_shares.c.domain_guid).where(domain_shares.c.organization_guid.in_(organizations))
    return or_(Domain.organization_guid.is_(None), Domain.organization_guid.in_(organizations), Domain.guid.in_(shared))


def _events(sight: Sight) -> Condition:
    spaces = sight.spaces(["space_auditor", "space_developer", "space_supporter"])
    return AuditEvent.space_guid.in_(spaces) | AuditEvent.organization_guid.in_(sight.organizations(["organization_auditor"]))


def _space_quotas(sight: Sight) -> Condition:
    """Those of organizations that one manages, and those of the spaces that one sees."""
    managed = SpaceQuota.organization_guid.in_(sight.organizations(["organization_manager"]))
    return managed | SpaceQuota.guid.in_(select(Space.quota_guid).where(_space_guid(sight)))


def _roles(sight: Sight) -> Condition:
    return Role.organization_guid.in_(sight.organizations()) | _in_spaces(Role.space_guid)(sight)


def _people(sight: Sight) -> Condition:
    """Oneself, and whoever is in the same organizations."""
    return (Person.guid == sight.user) | Person.guid.in_(select(Role.user_guid).where(_roles(sight)))


_VISIBLE: dict[type[Resource], Callable[[Sight], Condition]] = {
    Organization: lambda sight: Organization.guid.in_(sight.organizations()),
    Space: _space_guid,
    OrganizationQuota: lambda _sight: true(),
    SpaceQuota: _space_quotas,
    Domain: _domains,
    Person: _people,
    Role: _roles,
    App: _in_spaces(App.space_guid),
    Process: _of_apps(Process.app_guid),
    Package: _of_apps(Package.app_guid),
    Build: _of_apps(Build.app_guid),
    Droplet: _of_apps(Droplet.app_guid),
    Deployment: _of_apps(Deployment.app_guid),
    Revision: _of_apps(Revision.app_guid),
    Route: _routes,
    Destination: _of_routes(Destination.route_guid),
    RouteBinding: _of_routes(RouteBinding.route_guid),
    ServiceInstance: _services,
    CredentialBinding: _credentials,
    ServiceBroker: lambda sight: ServiceBroker.space_guid.in_(sight.spaces()),
    ServiceOffering: lambda sight: ServiceOffering.guid.in_(select(ServicePlan.offering_guid).where(_plans(sight))),
    ServicePlan: _plans,
    AuditEvent: _events,
    Job: lambda _sight: true(),  # who knows the guid has asked for the job
}
