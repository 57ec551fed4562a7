"""Quotas: what is used of them, and refusing what would exceed them.

Nobody else writes while a transaction that writes lasts, so what is counted is still true when it is committed.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, bindparam, func, select
from sqlalchemy.orm import Session, joinedload

from cfroute.cloud_controller.call import Call
from cfroute.cloud_controller.errors import unprocessable
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
    ServicePlan,
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


def usage(call: Call, place: Organization | Space) -> dict[str, int]:
    """All that is used in an organization or a space. Domains are the organization's, of a space too."""
    organization = place.guid if isinstance(place, Organization) else place.organization_guid
    used = _used(call.session, place, _COUNTS)
    return {**used, "total_domains": _domains(call.session, organization)}


def _used(session: Session, place: Organization | Space, limits: Iterable[str]) -> dict[str, int]:
    return {limit: session.scalar(_count(limit, type(place)), {"place": place.guid}) or 0 for limit in limits}


@cache
def _count(limit: str, kind: type[Organization | Space]) -> Select[Any]:
    # Kept, because making the statement takes longer than the database needs for it.
    of_place = Space.organization_guid if kind is Organization else Space.guid
    return _COUNTS[limit](select(Space.guid).where(of_place == bindparam("place")))


def _domains(session: Session, organization_guid: str) -> int:
    return session.scalar(select(func.count()).where(Domain.organization_guid == organization_guid)) or 0


def _scopes(session: Session, space: Space, limits: Collection[str]) -> list[rules.Scope]:
    """The space and its organization with these limits. What nothing limits is not counted."""
    quotas: list[tuple[Space | Organization, Quota]] = [(space.organization, _quota(session, space.organization))]
    if space.quota is not None:
        quotas.insert(0, (space, space.quota))
    return [_scope(session, place, {limit: getattr(quota, limit) for limit in limits}) for place, quota in quotas]


def _quota(session: Session, organization: Organization) -> OrganizationQuota:
    return session.get_one(OrganizationQuota, organization.quota_guid)


def _scope(session: Session, place: Space | Organization, limits: Mapping[str, int | None]) -> rules.Scope:
    counted = [limit for limit, most in limits.items() if most is not None and limit in _COUNTS]
    kind = "organization" if isinstance(place, Organization) else "space"
    return rules.Scope(kind, place.name, limits, _used(session, place, counted))


def exceeded(call: Call, space: Space, more: Mapping[str, int]) -> list[str]:
    """What would exceed a quota if there were so much more in the space."""
    return rules.exceeded(_scopes(call.session, space, more), more)


def refuse_excess(call: Call, space: Space, **more: int) -> None:
    """Raise 10008 when so much more in the space would exceed a quota."""
    if problems := exceeded(call, space, more):
        raise unprocessable(problems[0])


def refuse_domain(call: Call, organization: Organization) -> None:
    """Raise 10008 when the organization may not have one more private domain."""
    limits = {"total_domains": _quota(call.session, organization).total_domains}
    used = {"total_domains": _domains(call.session, organization.guid)}
    if problems := rules.exceeded([rules.Scope("organization", organization.name, limits, used)], {"total_domains": 1}):
        raise unprocessable(problems[0])


def refuse_paid(call: Call, space: Space, plan: ServicePlan) -> None:
    """Raise 10008 when the plan costs something and the space's or the organization's quota does not allow that."""
    problem = rules.paid_services_problem(
        space_allows=space.quota is None or space.quota.paid_services_allowed,
        organization_allows=_quota(call.session, space.organization).paid_services_allowed,
    )
    if not plan.free and problem:
        raise unprocessable(problem)


def refuse_processes(call: Call, app: App, changed: Iterable[Process]) -> None:
    """Raise 10008 when the app as this transaction has it exceeds a quota, in all or by one of the changed processes."""
    call.session.flush()  # what the app adds is counted with the rest
    if problems := _running_excess(call.session, app, 0, 0, max((each.memory_mb for each in changed), default=0)):
        raise unprocessable(", ".join(problems))


def refuse_deployment(call: Call, app: App, process: Process) -> None:
    """Raise 10008 when the new process of a deployment does not fit beside the old one."""
    call.session.flush()
    if problem := deployment_excess(call.session, app, 0, 0, process.memory_mb):
        raise unprocessable(problem)


def refuse_resized(call: Call, app: App, process: Process, instances: int, memory_mb: int) -> None:
    """Raise 10008 when a deployment wants more of the process in its end than fits, even without the old one beside it."""
    memory = instances * memory_mb - process.instances * process.memory_mb
    if problem := deployment_excess(call.session, app, memory, instances - process.instances, memory_mb):
        raise unprocessable(problem)


def deployment_excess(session: Session, app: App, memory_mb: int, instances: int, largest_mb: int) -> str | None:
    """Why so much more of a started app exceeds a quota while it is deployed; largest_mb: of one instance."""
    problems = _running_excess(session, app, memory_mb, instances, largest_mb)
    names = {"space": app.space.name, "organization": app.space.organization.name}
    return rules.while_deploying(problems, names) if problems else None


def _running_excess(session: Session, app: App, memory_mb: int, instances: int, largest_mb: int) -> list[str]:
    """By limit, then by scope."""
    more = {"total_memory_in_mb": memory_mb, "per_process_memory_in_mb": largest_mb, "total_instances": instances}
    scopes = _scopes(session, app.space, more)
    return [problem for limit in more for problem in rules.exceeded(scopes, {limit: more[limit]})]
