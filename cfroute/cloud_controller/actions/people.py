"""Users and their roles."""

from sqlalchemy import ColumnElement, select

from cfroute.cloud_controller.call import Call
from cfroute.cloud_controller.models import Organization, Person, Role


def ensure(call: Call, guid: str) -> Person:
    """The user of that guid, made known if it is not yet."""
    return call.session.get(Person, guid) or call.save(Person(guid=guid))


def become_manager(call: Call, organization: Organization) -> None:
    """Whoever has made an organization without being an admin is in it, and manages it."""
    person = ensure(call, call.user.guid)
    for kind in ("organization_user", "organization_manager"):
        call.save(Role(type=kind, user_guid=person.guid, organization_guid=organization.guid))


def has_role(call: Call, *where: ColumnElement[bool]) -> bool:
    return call.session.scalars(select(Role.guid).where(*where).limit(1)).first() is not None
