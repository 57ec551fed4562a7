"""User-provided service instances, and the apps that are bound to them."""

from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cfroute.cloud_controller.models.apps import App
from cfroute.cloud_controller.models.base import NOCASE, Labelled
from cfroute.cloud_controller.models.tenancy import Space


class ServiceInstance(Labelled):
    """A service that the user brings along: credentials for apps, a URL for routes."""

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


class CredentialBinding(Labelled):
    """An app gets the credentials of a service instance in VCAP_SERVICES."""

    __tablename__ = "credential_bindings"
    __table_args__ = (UniqueConstraint("app_guid", "service_instance_guid"),)

    name: Mapped[str | None]
    app_guid: Mapped[str] = mapped_column(ForeignKey("apps.guid", ondelete="CASCADE"))
    service_instance_guid: Mapped[str] = mapped_column(ForeignKey("service_instances.guid", ondelete="CASCADE"), index=True)

    app: Mapped[App] = relationship()
    service_instance: Mapped[ServiceInstance] = relationship(lazy="joined", innerjoin=True)
