"""Apps, what they are built from, and what runs of them."""

from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cfroute.cloud_controller.buildpacks import STACK
from cfroute.cloud_controller.models.base import NOCASE, Labelled
from cfroute.cloud_controller.models.tenancy import Space


class App(Labelled):
    """state is what is wanted: STARTED or STOPPED. droplet_guid is the current droplet.

    While a deployment is under way there are two web processes, or more if it took the place of another one; the oldest first.
    """

    __tablename__ = "apps"
    __table_args__ = (UniqueConstraint("space_guid", "name"),)

    name: Mapped[str] = mapped_column(NOCASE)
    space_guid: Mapped[str] = mapped_column(ForeignKey("spaces.guid", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(default="STOPPED")
    buildpacks: Mapped[list[str]] = mapped_column(default=list)
    stack: Mapped[str] = mapped_column(default=STACK)
    environment: Mapped[dict[str, str]] = mapped_column(default=dict)
    droplet_guid: Mapped[str | None]
    revisions_enabled: Mapped[bool] = mapped_column(default=True)

    space: Mapped[Space] = relationship()
    processes: Mapped[list["Process"]] = relationship(
        cascade="all, delete-orphan",
        passive_deletes=True,
        back_populates="app",
        order_by="(Process.type != 'web', Process.type, Process.created_at, literal_column('processes.rowid'))",
    )


def _health_check_type(context: DefaultExecutionContext) -> str:
    """Only web processes listen on a port."""
    inserted = context.get_current_parameters()  # type: ignore[no-untyped-call]
    return "port" if inserted["type"] == "web" else "process"


class Process(Labelled):
    """One of an app's processes. Sizes in MiB, times in seconds.

    version changes whenever running instances have to be replaced; together with the guid it names the desired LRP.
    run is what that version was started with (`desired.Run`): later changes to the app wait for the next start.
    revision_guid is the app's revision that it was started with.
    """

    __tablename__ = "processes"

    app_guid: Mapped[str] = mapped_column(ForeignKey("apps.guid", ondelete="CASCADE"), index=True)
    type: Mapped[str] = mapped_column(default="web")
    command: Mapped[str | None]
    instances: Mapped[int] = mapped_column(default=1)
    memory_mb: Mapped[int] = mapped_column(default=1024)
    disk_mb: Mapped[int] = mapped_column(default=1024)
    log_rate_limit: Mapped[int] = mapped_column(default=-1)
    health_check_type: Mapped[str] = mapped_column(default=_health_check_type)
    health_check_endpoint: Mapped[str | None]
    health_check_timeout: Mapped[int | None]
    health_check_invocation_timeout: Mapped[int | None]
    version: Mapped[str] = mapped_column(default="")
    run: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    revision_guid: Mapped[str | None]

    app: Mapped[App] = relationship(back_populates="processes")


class Package(Labelled):
    """The bits that somebody pushed: AWAITING_UPLOAD, then READY."""

    __tablename__ = "packages"

    app_guid: Mapped[str] = mapped_column(ForeignKey("apps.guid", ondelete="CASCADE"), index=True)
    type: Mapped[str] = mapped_column(default="bits")
    state: Mapped[str] = mapped_column(default="AWAITING_UPLOAD")
    checksum: Mapped[str | None]

    app: Mapped[App] = relationship()


class Build(Labelled):
    """A package is being made into a droplet: STAGING, then STAGED or FAILED. The droplet's guid is chosen beforehand."""

    __tablename__ = "builds"

    app_guid: Mapped[str] = mapped_column(ForeignKey("apps.guid", ondelete="CASCADE"), index=True)
    package_guid: Mapped[str] = mapped_column(ForeignKey("packages.guid", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(default="STAGING", index=True)
    error: Mapped[str | None]
    droplet_guid: Mapped[str] = mapped_column(unique=True)
    buildpacks: Mapped[list[str]] = mapped_column(default=list)
    created_by: Mapped[str] = mapped_column(default="")

    app: Mapped[App] = relationship()


class Droplet(Labelled):
    """What an app runs from. process_types are the commands that the build found: {"web": "python app.py"}."""

    __tablename__ = "droplets"

    app_guid: Mapped[str] = mapped_column(ForeignKey("apps.guid", ondelete="CASCADE"), index=True)
    package_guid: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="STAGED")
    process_types: Mapped[dict[str, str]] = mapped_column(default=dict)
    buildpack: Mapped[str] = mapped_column(default="")
    detected_output: Mapped[str] = mapped_column(default="")
    stack: Mapped[str] = mapped_column(default=STACK)
    checksum: Mapped[str | None]

    app: Mapped[App] = relationship()
