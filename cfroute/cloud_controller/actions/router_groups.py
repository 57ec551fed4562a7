"""What the Routing API said of its router groups, kept in the database."""

from collections.abc import Collection, Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from cfroute.cloud_controller.models import Destination, Domain, KnownGroup, Route
from cfroute.cloud_controller.router_groups import successors
from cfroute.routing_api.api import RouterGroup


def known(session: Session) -> list[RouterGroup]:
    """The groups, in the order of their names."""
    rows = session.scalars(select(KnownGroup).order_by(KnownGroup.name))
    return [RouterGroup(row.guid, row.name, row.type, row.reservable_ports) for row in rows]


def keep(session: Session, seen: Sequence[RouterGroup]) -> set[str]:
    """Replace what is known by what was seen.

    Domains follow a group that has another guid now. The guids of the apps that have routes in such domains are returned:
    Diego has to hear of them.
    """
    moved = successors(known(session), seen)
    for domain in session.scalars(select(Domain).where(Domain.router_group_guid.in_(moved))):
        domain.router_group_guid = moved[str(domain.router_group_guid)]
    session.execute(delete(KnownGroup))
    for group in seen:
        session.add(KnownGroup(guid=group.guid, name=group.name, type=group.type, reservable_ports=group.reservable_ports))
    session.flush()
    return _apps(session, moved.values()) if moved else set()


def _apps(session: Session, groups: Collection[str]) -> set[str]:
    found = select(Destination.app_guid).join(Route).join(Domain).where(Domain.router_group_guid.in_(groups))
    return set(session.scalars(found))
