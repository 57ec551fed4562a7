"""Users, and the roles that they have. Their names are the UAA's."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cfroute.cloud_controller.models.base import Labelled, Resource
from cfroute.cloud_controller.models.tenancy import Organization, Space


class Person(Labelled):
    """A user or a client of the UAA, with the guid that it has there."""

    __tablename__ = "users"


class Role(Resource):
    """What somebody is, in an organization or in a space; the other one is None."""

    __tablename__ = "roles"

    type: Mapped[str]
    user_guid: Mapped[str] = mapped_column(ForeignKey("users.guid", ondelete="CASCADE"), index=True)
    organization_guid: Mapped[str | None] = mapped_column(ForeignKey("organizations.guid", ondelete="CASCADE"), index=True)
    space_guid: Mapped[str | None] = mapped_column(ForeignKey("spaces.guid", ondelete="CASCADE"), index=True)

    user: Mapped[Person] = relationship()
    organization: Mapped[Organization | None] = relationship()
    space: Mapped[Space | None] = relationship()
