"""Builds as tasks of the BBS: what a cell is told, and what it tells when it is done."""

from collections.abc import Collection

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from cfroute.cloud_controller.bits.blobs import Blobs
from cfroute.cloud_controller.config import Config
from cfroute.cloud_controller.deployments import rows
from cfroute.cloud_controller.diego import environment, runs
from cfroute.cloud_controller.models import App, Build, Droplet
from cfroute.diego.api import Task

# Upstream's limit for one build (seconds).
LONGEST_BUILD = 15 * 60
MEMORY_MB = 1024
DISK_MB = 4096


class Result(msgspec.Struct, frozen=True):
    """What a build found out. process_types: the commands, by the type of process."""

    process_types: dict[str, str] = {}
    buildpack: str = ""
    detected_output: str = ""


def pending(session: Session, config: Config, guids: Collection[str] | None = None) -> list[Task]:
    """The tasks of the builds that are not done yet: all, or some."""
    found = select(Build).where(Build.state == "STAGING").order_by(Build.created_at)
    if guids is not None:
        found = found.where(Build.guid.in_(guids))
    return [_task(session, config, build) for build in session.scalars(found)]


def _task(session: Session, config: Config, build: Build) -> Task:
    base = f"{config.internal_url}/internal/v4"
    app = build.app
    application = environment.vcap_application(
        runs.place(session, app, config.external_url), memory_mb=MEMORY_MB, disk_mb=DISK_MB
    )
    own = {**app.environment, "CF_STACK": app.stack}
    return Task(
        task_guid=build.guid,
        app_guid=app.guid,
        package_url=f"{base}/packages/{build.package_guid}/download",
        droplet_upload_url=f"{base}/builds/{build.guid}/droplet",
        completion_url=f"{base}/builds/{build.guid}/completed",
        command=_command(app),
        buildpacks=tuple(build.buildpacks),
        environment=environment.variables(own, application, runs.services(session, app), MEMORY_MB),
        created_at=round(build.created_at * 1e9),
    )


def _command(app: App) -> str:
    """What was given to start the app with: with it, files that no buildpack knows are an app all the same."""
    web = rows.newest(app, "web")
    return (web.command or "") if web else ""


def complete(session: Session, blobs: Blobs, build: Build, task: Task) -> None:
    """Take over the outcome of a build. The same outcome may come twice, if the first answer was lost."""
    if build.state != "STAGING":
        return None
    if task.failed:
        return fail(build, task.failure_reason or "StagingError - the build failed")
    try:
        result = msgspec.json.decode(task.result, type=Result)
    except msgspec.DecodeError as error:
        return fail(build, f"StagingError - the result cannot be read: {error}")
    if not blobs.droplet(build.droplet_guid).is_file():
        return fail(build, "StagingError - the droplet was not uploaded")
    build.state = "STAGED"
    session.add(
        Droplet(
            guid=build.droplet_guid,
            app_guid=build.app_guid,
            package_guid=build.package_guid,
            process_types=result.process_types,
            buildpack=result.buildpack,
            detected_output=result.detected_output,
            stack=build.app.stack,
        )
    )
    return None


def fail(build: Build, reason: str) -> None:
    build.state, build.error = "FAILED", reason


def give_up(session: Session, now: float) -> None:
    """Fail the builds that have taken too long."""
    late = select(Build).where(Build.state == "STAGING", Build.created_at < now - LONGEST_BUILD)
    for build in session.scalars(late):
        fail(build, "StagingTimeExpired - Staging time expired")
