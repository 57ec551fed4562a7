"""What the platform keeps for itself: jobs, feature flags, audit events."""

from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from cfroute.cloud_controller.models.base import Base, Resource


class Job(Resource):
    """Something that was asked for and answered with 202. Here jobs are finished when the answer goes out."""

    __tablename__ = "jobs"

    operation: Mapped[str]
    state: Mapped[str] = mapped_column(default="COMPLETE")
    errors: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    warnings: Mapped[list[dict[str, Any]]] = mapped_column(default=list)


class FeatureFlag(Base):
    """A flag that differs from its default."""

    __tablename__ = "feature_flags"

    name: Mapped[str] = mapped_column(primary_key=True)
    enabled: Mapped[bool]
    error_message: Mapped[str | None]
    updated_at: Mapped[float]


class AuditEvent(Resource):
    """Who did what to which thing, and where. Nothing here refers to rows that may go."""

    __tablename__ = "audit_events"

    type: Mapped[str] = mapped_column(index=True)
    actor_guid: Mapped[str]
    actor_name: Mapped[str]
    target_guid: Mapped[str] = mapped_column(index=True)
    target_type: Mapped[str]
    target_name: Mapped[str]
    space_guid: Mapped[str | None]
    organization_guid: Mapped[str | None]
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
