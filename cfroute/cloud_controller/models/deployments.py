"""Deployments, and the revisions of apps that they lead to."""

from typing import Any

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, column_property, mapped_column, relationship

from cfroute.cloud_controller.models.apps import App, Droplet
from cfroute.cloud_controller.models.base import Labelled


class Deployment(Labelled):
    """An app's web process is being replaced, or was.

    state is the step that it is at (`deployments.states`); what people see of it are status_value and status_reason.
    process_guid is the web process that it scales up; new_processes is what it once made, also when that is gone.
    original_instances is how many there were, web_instances how many there are to be if that is another number.
    canary_steps are the percentages at which it pauses; canary_step is the present one, from 1. Both are None for a rolling one.
    Times are in seconds of the epoch; error is why it does not go on.
    """

    __tablename__ = "deployments"

    app_guid: Mapped[str] = mapped_column(ForeignKey("apps.guid", ondelete="CASCADE"), index=True)
    state: Mapped[str] = mapped_column(index=True)
    status_value: Mapped[str]
    status_reason: Mapped[str]
    status_at: Mapped[float]
    healthy_at: Mapped[float]
    error: Mapped[str | None]
    strategy: Mapped[str] = mapped_column(default="rolling")
    droplet_guid: Mapped[str | None]
    previous_droplet_guid: Mapped[str | None]
    revision_guid: Mapped[str | None]
    revision_version: Mapped[int | None]
    process_guid: Mapped[str | None]
    new_processes: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    original_instances: Mapped[int]
    max_in_flight: Mapped[int] = mapped_column(default=1)
    web_instances: Mapped[int | None]
    memory_mb: Mapped[int | None]
    disk_mb: Mapped[int | None]
    log_rate_limit: Mapped[int | None]
    canary_steps: Mapped[list[int] | None]
    canary_step: Mapped[int | None]

    app: Mapped[App] = relationship()


class Revision(Labelled):
    """What an app was started with: its droplet, its environment, and the commands that are not the droplet's own.

    version counts from 1 in each app. deployable: its droplet is still there; read with the row.
    """

    __tablename__ = "revisions"

    app_guid: Mapped[str] = mapped_column(ForeignKey("apps.guid", ondelete="CASCADE"), index=True)
    version: Mapped[int]
    description: Mapped[str]
    droplet_guid: Mapped[str] = mapped_column()
    environment: Mapped[dict[str, str]] = mapped_column(default=dict)
    commands: Mapped[dict[str, Any]] = mapped_column(default=dict)
    deployable: Mapped[bool] = column_property(select(Droplet.guid).where(Droplet.guid == droplet_guid).exists())

    app: Mapped[App] = relationship()
