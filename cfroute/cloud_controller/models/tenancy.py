"""Organizations, spaces, and the domains that belong to them."""

from sqlalchemy import Column, ForeignKey, Table, UniqueConstraint
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from cfroute.cloud_controller.models.base import NOCASE, Base, Labelled
from cfroute.cloud_controller.models.quotas import DEFAULT_QUOTA, OrganizationQuota, SpaceQuota

domain_shares = Table(
    "domain_shares",
    Base.metadata,
    Column("domain_guid", ForeignKey("domains.guid", ondelete="CASCADE"), primary_key=True),
    Column("organization_guid", ForeignKey("organizations.guid", ondelete="CASCADE"), primary_key=True),
)


class Organization(Labelled):
    """Those who share a bill: they have spaces, and domains of their own. In a suspended one only admins change anything."""

    __tablename__ = "organizations"

    name: Mapped[str] = mapped_column(NOCASE, unique=True)
    suspended: Mapped[bool] = mapped_column(default=False)
    quota_guid: Mapped[str] = mapped_column(default=DEFAULT_QUOTA)

    quota: Mapped[OrganizationQuota] = relationship(
        primaryjoin=lambda: foreign(Organization.quota_guid) == OrganizationQuota.guid, viewonly=True
    )


class Space(Labelled):
    """Where an organization's apps, routes and services are."""

    __tablename__ = "spaces"
    __table_args__ = (UniqueConstraint("organization_guid", "name"),)

    name: Mapped[str] = mapped_column(NOCASE)
    organization_guid: Mapped[str] = mapped_column(ForeignKey("organizations.guid", ondelete="CASCADE"))
    quota_guid: Mapped[str | None] = mapped_column(ForeignKey("space_quotas.guid", ondelete="SET NULL"))

    organization: Mapped[Organization] = relationship()
    quota: Mapped[SpaceQuota | None] = relationship()


class KnownGroup(Base):
    """A router group as the Routing API showed it last."""

    __tablename__ = "router_groups"

    guid: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    type: Mapped[str]
    reservable_ports: Mapped[str]


class Domain(Labelled):
    """Shared by all when no organization owns it; a TCP domain when it has a router group of that type.

    router_group is None for a domain without one, and for one whose group the Routing API does not know any more.
    """

    __tablename__ = "domains"

    name: Mapped[str] = mapped_column(NOCASE, unique=True)
    internal: Mapped[bool] = mapped_column(default=False)
    router_group_guid: Mapped[str | None]
    organization_guid: Mapped[str | None] = mapped_column(ForeignKey("organizations.guid", ondelete="CASCADE"))

    organization: Mapped[Organization | None] = relationship()
    router_group: Mapped[KnownGroup | None] = relationship(
        primaryjoin=lambda: foreign(Domain.router_group_guid) == KnownGroup.guid, viewonly=True
    )
    shared_organizations: Mapped[list[Organization]] = relationship(secondary=domain_shares, order_by=Organization.created_at)

    @property
    def shared(self) -> bool:
        return self.organization_guid is None

    @property
    def tcp(self) -> bool:
        return self.router_group_guid is not None and (self.router_group is None or self.router_group.type == "tcp")

    def usable_by(self, organization_guid: str) -> bool:
        """Whether spaces of that organization may have routes in this domain."""
        if self.shared or organization_guid == self.organization_guid:
            return True
        return organization_guid in {organization.guid for organization in self.shared_organizations}
