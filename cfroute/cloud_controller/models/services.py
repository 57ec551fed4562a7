"""User-provided service instances, and the apps that are bound to them."""

from typing import Any

from sqlalchemy import Column, ForeignKey, Table, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cfroute.cloud_controller.models.apps import App
from cfroute.cloud_controller.models.base import NOCASE, Base, Labelled
from cfroute.cloud_controller.models.brokers import ManagedInstance, Operation
from cfroute.cloud_controller.models.tenancy import Space

service_shares = Table(
    "service_shares",
    Base.metadata,
    Column("service_instance_guid", ForeignKey("service_instances.guid", ondelete="CASCADE"), primary_key=True),
    Column("space_guid", ForeignKey("spaces.guid", ondelete="CASCADE"), primary_key=True),
)
"""The spaces whose apps may be bound to a service instance besides those of its own."""


class ServiceInstance(Labelled):
    """A service: the user's own (credentials for apps, a URL for routes), or a broker's (`managed`)."""

    __tablename__ = "service_instances"
    __table_args__ = (UniqueConstraint("space_guid", "name"),)

    name: Mapped[str] = mapped_column(NOCASE)
    space_guid: Mapped[str] = mapped_column(ForeignKey("spaces.guid", ondelete="CASCADE"))
    type: Mapped[str] = mapped_column(default="user-provided")
    credentials: Mapped[dict[str, Any]] = mapped_column(default=dict)
    tags: Mapped[list[str]] = mapped_column(default=list)
    syslog_drain_url: Mapped[str | None]
    route_service_url: Mapped[str | None]
    last_operation: Mapped[str] = mapped_column(default="create")

    space: Mapped[Space] = relationship()
    shared_spaces: Mapped[list[Space]] = relationship(secondary=service_shares, passive_deletes=True, order_by=Space.created_at)
    managed: Mapped[ManagedInstance | None] = relationship(lazy="selectin", cascade="all, delete-orphan", passive_deletes=True)
    operation: Mapped[Operation | None] = relationship(
        primaryjoin="foreign(Operation.subject_guid) == ServiceInstance.guid", viewonly=True, lazy="selectin"
    )


class CredentialBinding(Labelled):
    """Credentials of a service instance: for an app, in VCAP_SERVICES, or a key, for nobody in particular.

    What the broker has given stands here; a user-provided instance has its credentials itself. An app that is to get new
    credentials has several bindings to one instance for a while, and sees the newest.
    """

    __tablename__ = "credential_bindings"

    name: Mapped[str | None]
    app_guid: Mapped[str | None] = mapped_column(ForeignKey("apps.guid", ondelete="CASCADE"), index=True)
    service_instance_guid: Mapped[str] = mapped_column(ForeignKey("service_instances.guid", ondelete="CASCADE"), index=True)
    given: Mapped[dict[str, Any]] = mapped_column(default=dict)

    app: Mapped[App | None] = relationship()
    service_instance: Mapped[ServiceInstance] = relationship(lazy="joined", innerjoin=True)
    operation: Mapped[Operation | None] = relationship(
        primaryjoin="foreign(Operation.subject_guid) == CredentialBinding.guid", viewonly=True, lazy="selectin"
    )

    @property
    def credentials(self) -> dict[str, Any]:
        return self.given.get("credentials") or {} if self.service_instance.managed else self.service_instance.credentials

    @property
    def syslog_drain_url(self) -> str | None:
        return self.given.get("syslog_drain_url") if self.service_instance.managed else self.service_instance.syslog_drain_url
