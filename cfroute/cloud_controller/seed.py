"""What a new foundation begins with."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from cfroute.cloud_controller import router_groups
from cfroute.cloud_controller.config import Config
from cfroute.cloud_controller.db import Database
from cfroute.cloud_controller.models import Domain, Organization, Space

INTERNAL_DOMAIN = "apps.internal"


def seed(database: Database, config: Config) -> None:
    """Add the system's domains, which may have changed, and to an empty database an organization and a space."""
    with database.reading() as session:
        missing = _missing(session, config)
        empty = session.scalars(select(Organization.guid).limit(1)).first() is None
    if not missing and not empty:
        return  # every start but the first: nothing is written
    with database.writing() as session:
        session.add_all(missing)
        if empty:
            organization = Organization(name=config.organization)
            session.add(organization)
            session.flush()
            session.add(Space(name=config.space, organization_guid=organization.guid))


def _missing(session: Session, config: Config) -> list[Domain]:
    wanted = [Domain(name=config.domain.lower()), Domain(name=INTERNAL_DOMAIN, internal=True)]
    if config.tcp_domain:
        group = router_groups.DEFAULT_TCP.guid
        wanted.append(Domain(name=config.tcp_domain.lower(), router_group_guid=group))
    known = {name.lower() for name in session.scalars(select(Domain.name))}
    return [domain for domain in wanted if domain.name not in known]
