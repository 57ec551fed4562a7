"""Service brokers, what they offer, and what is going on with them."""

from typing import Any

from sqlalchemy import Column, ForeignKey, Table, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cfroute.cloud_controller.models.base import Base, Labelled, Resource
from cfroute.cloud_controller.models.tenancy import Organization, Space


class ServiceBroker(Labelled):
    """Somebody who makes services. One with a space is for that space alone."""

    __tablename__ = "service_brokers"

    name: Mapped[str] = mapped_column(unique=True)
    url: Mapped[str]
    username: Mapped[str]
    password: Mapped[str]
    space_guid: Mapped[str | None] = mapped_column(ForeignKey("spaces.guid", ondelete="CASCADE"), index=True)

    space: Mapped[Space | None] = relationship()
    offerings: Mapped[list["ServiceOffering"]] = relationship(
        back_populates="broker", passive_deletes=True, order_by="ServiceOffering.created_at"
    )


class ServiceOffering(Labelled):
    """A service of a broker. catalog_id is the broker's name of it; one that left the catalog is not active any more."""

    __tablename__ = "service_offerings"
    __table_args__ = (UniqueConstraint("broker_guid", "catalog_id"),)

    broker_guid: Mapped[str] = mapped_column(ForeignKey("service_brokers.guid", ondelete="CASCADE"))
    catalog_id: Mapped[str]
    name: Mapped[str]
    description: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    bindable: Mapped[bool]
    requires: Mapped[list[str]] = mapped_column(default=list)
    tags: Mapped[list[str]] = mapped_column(default=list)
    extra: Mapped[dict[str, Any]] = mapped_column(default=dict)
    plan_updateable: Mapped[bool]
    instances_retrievable: Mapped[bool]
    bindings_retrievable: Mapped[bool]
    allow_context_updates: Mapped[bool]

    broker: Mapped[ServiceBroker] = relationship(lazy="joined", innerjoin=True, back_populates="offerings")
    plans: Mapped[list["ServicePlan"]] = relationship(
        back_populates="offering", passive_deletes=True, order_by="ServicePlan.created_at"
    )

    @property
    def shareable(self) -> bool:
        """Whether apps of other spaces may be bound to its instances."""
        return self.extra.get("shareable") is True


plan_visibilities = Table(
    "plan_visibilities",
    Base.metadata,
    Column("plan_guid", ForeignKey("service_plans.guid", ondelete="CASCADE"), primary_key=True),
    Column("organization_guid", ForeignKey("organizations.guid", ondelete="CASCADE"), primary_key=True),
)
"""The organizations that may use a plan which is not public."""


class ServicePlan(Labelled):
    """One way of having a service. bindable and plan_updateable None: as the offering says."""

    __tablename__ = "service_plans"
    __table_args__ = (UniqueConstraint("offering_guid", "catalog_id"),)

    offering_guid: Mapped[str] = mapped_column(ForeignKey("service_offerings.guid", ondelete="CASCADE"))
    catalog_id: Mapped[str]
    name: Mapped[str]
    description: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    public: Mapped[bool] = mapped_column(default=False)
    free: Mapped[bool]
    bindable: Mapped[bool | None]
    plan_updateable: Mapped[bool | None]
    extra: Mapped[dict[str, Any]] = mapped_column(default=dict)
    schemas: Mapped[dict[str, Any]] = mapped_column(default=dict)
    maintenance_info: Mapped[dict[str, Any]] = mapped_column(default=dict)
    maximum_polling_duration: Mapped[int | None]

    offering: Mapped[ServiceOffering] = relationship(lazy="joined", innerjoin=True, back_populates="plans")
    organizations: Mapped[list[Organization]] = relationship(
        secondary=plan_visibilities, lazy="selectin", passive_deletes=True, order_by=Organization.created_at
    )

    @property
    def is_bindable(self) -> bool:
        return self.offering.bindable if self.bindable is None else self.bindable

    @property
    def is_updateable(self) -> bool:
        """Whether an instance may change from this plan to another one."""
        return self.offering.plan_updateable if self.plan_updateable is None else self.plan_updateable

    @property
    def available(self) -> bool:
        return self.active and self.offering.active

    @property
    def visibility(self) -> str:
        """Who may use it: public, space (the broker's), organization (some), or admin (nobody else)."""
        if self.public:
            return "public"
        if self.offering.broker.space_guid:
            return "space"
        return "organization" if self.organizations else "admin"


class ManagedInstance(Base):
    """What a service instance has besides when it is a broker's."""

    __tablename__ = "managed_instances"

    instance_guid: Mapped[str] = mapped_column(ForeignKey("service_instances.guid", ondelete="CASCADE"), primary_key=True)
    plan_guid: Mapped[str] = mapped_column(ForeignKey("service_plans.guid"), index=True)
    dashboard_url: Mapped[str | None]
    maintenance_info: Mapped[dict[str, Any]] = mapped_column(default=dict)

    plan: Mapped[ServicePlan] = relationship(lazy="joined", innerjoin=True)


class Operation(Resource):
    """The latest thing that was, or is, done at a broker to one subject; the worker goes on from this row after a crash.

    kind: instance, route_binding, credential_binding or broker, whose guid is subject_guid. type: create, update, delete.
    state: initial (the broker has still to be asked), in progress (it has begun), succeeded, failed. due_at: when something is
    to be done next, and deadline when patience ends, both in seconds of the epoch. broker_operation is the broker's own name.
    changes are those that are made when it has succeeded.
    """

    __tablename__ = "operations"

    kind: Mapped[str]
    subject_guid: Mapped[str] = mapped_column(unique=True)
    type: Mapped[str]
    state: Mapped[str] = mapped_column(default="initial", index=True)
    description: Mapped[str] = mapped_column(default="")
    parameters: Mapped[dict[str, Any]] = mapped_column(default=dict)
    changes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    broker_operation: Mapped[str] = mapped_column(default="")
    job_guid: Mapped[str]
    user_guid: Mapped[str]
    due_at: Mapped[float]
    deadline: Mapped[float | None]

    @property
    def pending(self) -> bool:
        return self.state in ("initial", "in progress")


class Orphan(Resource):
    """What may exist at a broker and nobody knows of: `path` has to be deleted there. The next try is at due_at."""

    __tablename__ = "orphans"

    url: Mapped[str]
    username: Mapped[str]
    password: Mapped[str]
    path: Mapped[str]
    user_guid: Mapped[str]
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[float] = mapped_column(index=True)
