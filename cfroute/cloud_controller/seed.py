"""What a new foundation begins with."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from cfroute.cloud_controller import router_groups
from cfroute.cloud_controller.config import DEFAULT_QUOTA_NAME, Config, QuotaDefinition
from cfroute.cloud_controller.db import Database
from cfroute.cloud_controller.models import Domain, KnownGroup, Organization, OrganizationQuota, Space
from cfroute.cloud_controller.models.quotas import DEFAULT_QUOTA

INTERNAL_DOMAIN = "apps.internal"


def seed(database: Database, config: Config) -> None:
    """Add the system's domains and quotas, which may have changed, and to an empty database an organization and a space."""
    with database.reading() as session:
        group = _missing_group(session, config)
        domains = _missing_domains(session, config, group)
        quotas = _missing_quotas(session, config)
        empty = session.scalars(select(Organization.guid).limit(1)).first() is None
    if not domains and not quotas and not group and not empty:
        return  # every start but the first: nothing is written
    with database.writing() as session:
        session.add_all([*([group] if group else []), *domains, *quotas])
        if empty:
            organization = Organization(name=config.organization)
            session.add(organization)
            session.flush()
            session.add(Space(name=config.space, organization_guid=organization.guid))


def _missing_group(session: Session, config: Config) -> KnownGroup | None:
    """The router group that the foundation will have, while the Routing API has told of none."""
    if not config.tcp_domain or session.scalars(select(KnownGroup.guid)).first():
        return None
    return KnownGroup(
        guid=router_groups.EXPECTED,
        name=config.tcp_router_group,
        type="tcp",
        reservable_ports=config.tcp_reservable_ports,
    )


def _missing_domains(session: Session, config: Config, new: KnownGroup | None) -> list[Domain]:
    wanted = [Domain(name=config.domain.lower()), Domain(name=INTERNAL_DOMAIN, internal=True)]
    named = select(KnownGroup.guid).where(KnownGroup.name == config.tcp_router_group)
    group = new.guid if new else session.scalars(named).first()
    if config.tcp_domain and group:
        wanted.append(Domain(name=config.tcp_domain.lower(), router_group_guid=group))
    known = {name.lower() for name in session.scalars(select(Domain.name))}
    return [domain for domain in wanted if domain.name not in known]


def _missing_quotas(session: Session, config: Config) -> list[OrganizationQuota]:
    """The default one is known by its guid, for people may call it something else."""
    wanted = {DEFAULT_QUOTA_NAME: QuotaDefinition(), **config.quota_definitions}
    known = {name.lower() for name in session.scalars(select(OrganizationQuota.name))}
    if session.get(OrganizationQuota, DEFAULT_QUOTA):
        known.add(DEFAULT_QUOTA_NAME)
    return [_quota(name, definition) for name, definition in wanted.items() if name.lower() not in known]


def _quota(name: str, definition: QuotaDefinition) -> OrganizationQuota:
    return OrganizationQuota(
        guid=DEFAULT_QUOTA if name == DEFAULT_QUOTA_NAME else None,
        name=name,
        total_memory_in_mb=_limit(definition.memory_limit),
        total_service_instances=_limit(definition.total_services),
        total_service_keys=_limit(definition.total_service_keys),
        paid_services_allowed=definition.non_basic_services_allowed,
        total_routes=_limit(definition.total_routes),
        total_reserved_ports=_limit(definition.total_reserved_route_ports),
        total_domains=_limit(definition.total_private_domains),
    )


def _limit(number: int) -> int | None:
    return None if number < 0 else number
