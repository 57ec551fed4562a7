"""What organizations and spaces use of what their quotas limit, and what more would be too much.

Nobody else writes while a transaction that writes lasts, so what is counted is still true when it is committed.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, bindparam, func, select
from sqlalchemy.orm import Session, joinedload

from cfroute.cloud_controller.models import (
    App,
    CredentialBinding,
    Domain,
    Organization,
    OrganizationQuota,
    Process,
    Quota,
    Route,
    ServiceInstance,
    Space,
)
from cfroute.cloud_controller.validation import quotas as rules

Condition = ColumnElement[bool]
LOADS: Final = (joinedload(Space.organization).joinedload(Organization.quota), joinedload(Space.quota))
"""What is looked at of a space, to be read with it."""


def _routes(spaces: Select[Any], *where: Condition) -> Select[Any]:
    return select(func.count()).where(Route.space_guid.in_(spaces), *where)


def _managed(spaces: Select[Any]) -> Select[Any]:
    return select(ServiceInstance.guid).where(ServiceInstance.space_guid.in_(spaces), ServiceInstance.type == "managed")


def _keys(spaces: Select[Any]) -> Select[Any]:
    return select(func.count()).where(
        CredentialBinding.app_guid.is_(None), CredentialBinding.service_instance_guid.in_(_managed(spaces))
    )


def _started(what: Any, spaces: Select[Any]) -> Select[Any]:
    return select(func.sum(what)).select_from(Process).join(App).where(App.space_guid.in_(spaces), App.state == "STARTED")


_COUNTS: Final[Mapping[str, Callable[[Select[Any]], Select[Any]]]] = {
    "total_routes": _routes,
    "total_reserved_ports": lambda spaces: _routes(spaces, Route.port > 0),
    "total_service_instances": lambda spaces: select(func.count()).select_from(_managed(spaces).subquery()),
    "total_service_keys": _keys,
    "total_instances": lambda spaces: _started(Process.instances, spaces),
    "total_memory_in_mb": lambda spaces: _started(Process.instances * Process.memory_mb, spaces),
}
"""How that which has a limit is counted in some spaces."""


def everything(session: Session, place: Organization | Space) -> dict[str, int]:
    """All that is used in an organization or a space. Domains are the organization's, of a space too."""
    organization = place.guid if isinstance(place, Organization) else place.organization_guid
    used = _used(session, place, _COUNTS)
    return {**used, "total_domains": domains(session, organization)}


def _used(session: Session, place: Organization | Space, limits: Iterable[str]) -> dict[str, int]:
    return {limit: session.scalar(_count(limit, type(place)), {"place": place.guid}) or 0 for limit in limits}


@cache
def _count(limit: str, kind: type[Organization | Space]) -> Select[Any]:
    # Kept, because making the statement takes longer than the database needs for it.
    of_place = Space.organization_guid if kind is Organization else Space.guid
    return _COUNTS[limit](select(Space.guid).where(of_place == bindparam("place")))


def domains(session: Session, organization_guid: str) -> int:
    """How many private domains the organization has."""
    return session.scalar(select(func.count()).where(Domain.organization_guid == organization_guid)) or 0


def _scopes(session: Session, space: Space, limits: Collection[str]) -> list[rules.Scope]:
    """The space and its organization with these limits. What nothing limits is not counted."""
    quotas: list[tuple[Space | Organization, Quota]] = [(space.organization, quota_of(session, space.organization))]
    if space.quota is not None:
        quotas.insert(0, (space, space.quota))
    return [_scope(session, place, {limit: getattr(quota, limit) for limit in limits}) for place, quota in quotas]


def quota_of(session: Session, organization: Organization) -> OrganizationQuota:
    """The organization's own one."""
    return session.get_one(OrganizationQuota, organization.quota_guid)


def _scope(session: Session, place: Space | Organization, limits: Mapping[str, int | None]) -> rules.Scope:
    counted = [limit for limit, most in limits.items() if most is not None and limit in _COUNTS]
    kind = "organization" if isinstance(place, Organization) else "space"
    return rules.Scope(kind, place.name, limits, _used(session, place, counted))


def exceeded(session: Session, space: Space, more: Mapping[str, int]) -> list[str]:
    """What would exceed a quota if there were so much more in the space: by scope, then by limit."""
    return rules.exceeded(_scopes(session, space, more), more)


def running_excess(session: Session, app: App, memory_mb: int, instances: int, largest_mb: int) -> list[str]:
    """What would exceed a quota if so much more of the app ran: by limit, then by scope. largest_mb: of one instance."""
    more = {"total_memory_in_mb": memory_mb, "per_process_memory_in_mb": largest_mb, "total_instances": instances}
    scopes = _scopes(session, app.space, more)
    return [problem for limit in more for problem in rules.exceeded(scopes, {limit: more[limit]})]


def deployment_excess(session: Session, app: App, memory_mb: int, instances: int, largest_mb: int) -> str | None:
    """Why so much more of a started app exceeds a quota while it is deployed; largest_mb: of one instance."""
    problems = running_excess(session, app, memory_mb, instances, largest_mb)
    names = {"space": app.space.name, "organization": app.space.organization.name}
    return rules.while_deploying(problems, names) if problems else None
