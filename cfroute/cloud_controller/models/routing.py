"""Routes, the apps that they lead to, and the route services on their way."""

from typing import Any

from sqlalchemy import Column, ForeignKey, Table, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cfroute.cloud_controller.models.apps import App
from cfroute.cloud_controller.models.base import NOCASE, Base, Labelled, Resource
from cfroute.cloud_controller.models.brokers import Operation
from cfroute.cloud_controller.models.services import ServiceInstance
from cfroute.cloud_controller.models.tenancy import Domain, Space

route_shares = Table(
    "route_shares",
    Base.metadata,
    Column("route_guid", ForeignKey("routes.guid", ondelete="CASCADE"), primary_key=True),
    Column("space_guid", ForeignKey("spaces.guid", ondelete="CASCADE"), primary_key=True, index=True),
)
"""The spaces besides its own whose apps a route may lead to."""


class Route(Labelled):
    """An address that requests come to. port is 0 for HTTP routes, as in the real database."""

    __tablename__ = "routes"
    __table_args__ = (UniqueConstraint("domain_guid", "host", "path", "port"),)

    host: Mapped[str] = mapped_column(NOCASE, index=True)
    path: Mapped[str] = mapped_column(NOCASE)
    port: Mapped[int] = mapped_column(default=0)
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    domain_guid: Mapped[str] = mapped_column(ForeignKey("domains.guid", ondelete="CASCADE"))
    space_guid: Mapped[str] = mapped_column(ForeignKey("spaces.guid", ondelete="CASCADE"), index=True)

    domain: Mapped[Domain] = relationship(lazy="joined", innerjoin=True)
    space: Mapped[Space] = relationship()
    shared_spaces: Mapped[list[Space]] = relationship(secondary=route_shares, passive_deletes=True, order_by=Space.created_at)
    destinations: Mapped[list["Destination"]] = relationship(
        lazy="selectin",
        cascade="all, delete-orphan",
        passive_deletes=True,
        back_populates="route",
        order_by="Destination.created_at",
    )
    binding: Mapped["RouteBinding | None"] = relationship(
        cascade="all, delete-orphan", passive_deletes=True, back_populates="route"
    )

    @property
    def fqdn(self) -> str:
        return f"{self.host}.{self.domain.name}" if self.host else self.domain.name

    @property
    def url(self) -> str:
        """`host.domain/path`, or `domain:port`."""
        return f"{self.domain.name}:{self.port}" if self.port else self.fqdn + self.path

    @property
    def space_guids(self) -> set[str]:
        """The spaces whose apps it may lead to."""
        return {self.space_guid, *(space.guid for space in self.shared_spaces)}

    @property
    def protocol(self) -> str:
        return "tcp" if self.domain.tcp else "http"


class Destination(Resource):
    """A route leads to the instances of one process of an app, at one of their ports."""

    __tablename__ = "destinations"

    route_guid: Mapped[str] = mapped_column(ForeignKey("routes.guid", ondelete="CASCADE"), index=True)
    app_guid: Mapped[str] = mapped_column(ForeignKey("apps.guid", ondelete="CASCADE"), index=True)
    process_type: Mapped[str] = mapped_column(default="web")
    port: Mapped[int] = mapped_column(default=8080)
    protocol: Mapped[str] = mapped_column(default="http1")
    weight: Mapped[int | None]

    route: Mapped[Route] = relationship(back_populates="destinations")
    app: Mapped[App] = relationship()


class RouteBinding(Labelled):
    """Requests of a route first go to a route service. The URL is the service's, copied when it was bound or changed."""

    __tablename__ = "route_bindings"

    route_guid: Mapped[str] = mapped_column(ForeignKey("routes.guid", ondelete="CASCADE"), unique=True)
    service_instance_guid: Mapped[str] = mapped_column(ForeignKey("service_instances.guid", ondelete="CASCADE"), index=True)
    route_service_url: Mapped[str]

    route: Mapped[Route] = relationship(back_populates="binding")
    service_instance: Mapped[ServiceInstance] = relationship()
    operation: Mapped[Operation | None] = relationship(
        primaryjoin="foreign(Operation.subject_guid) == RouteBinding.guid", viewonly=True, lazy="selectin"
    )
