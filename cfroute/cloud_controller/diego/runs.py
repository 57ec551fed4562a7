"""What the processes of apps are started with, read from the database."""

from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from cfroute.cloud_controller.diego import environment
from cfroute.cloud_controller.diego.desired import Run
from cfroute.cloud_controller.diego.environment import Place, Service
from cfroute.cloud_controller.models import App, CredentialBinding, Destination, Droplet, Process, Route, ServiceInstance
from cfroute.diego.api import HealthCheck


def begin(session: Session, process: Process, version: str, api: str, droplet_guid: str | None = None) -> None:
    """Give the process a new version, with everything as it is now; `api` is the address of the API.

    droplet_guid: what it runs, if that is not the app's current droplet.
    """
    process.version = version
    process.run = msgspec.to_builtins(_run(session, process, api, droplet_guid or process.app.droplet_guid or ""))


def ports(session: Session, process: Process) -> tuple[int, ...]:
    """The ports that the process has to listen on: those that routes lead to, or 8080."""
    found = session.scalars(
        select(Destination.port)
        .where(Destination.app_guid == process.app_guid, Destination.process_type == process.type)
        .order_by(Destination.created_at)
    )
    return tuple(dict.fromkeys(found)) or (8080,)


def command(process: Process, droplet: Droplet | None) -> str | None:
    """What starts the process: its own command, or else the one that the build found."""
    if process.command:
        return process.command
    return droplet.process_types.get(process.type) if droplet else None


def place(session: Session, app: App, api: str) -> Place:
    routes = session.scalars(
        select(Route).where(Route.destinations.any(Destination.app_guid == app.guid)).order_by(Route.created_at)
    )
    space = app.space
    return Place(
        app_guid=app.guid,
        app_name=app.name,
        space_guid=space.guid,
        space_name=space.name,
        organization_guid=space.organization_guid,
        organization_name=space.organization.name,
        api=api,
        uris=[route.url for route in routes],
    )


def services(session: Session, app: App) -> list[Service]:
    """What the app is bound to; of several bindings to one instance the newest."""
    found = select(CredentialBinding).where(CredentialBinding.app_guid == app.guid).order_by(CredentialBinding.created_at)
    ready = [each for each in session.scalars(found) if each.operation is None or each.operation.state == "succeeded"]
    newest = {each.service_instance_guid: each for each in ready}
    return [
        Service(
            name=each.service_instance.name,
            guid=each.service_instance_guid,
            binding_guid=each.guid,
            binding_name=each.name,
            credentials=each.credentials,
            syslog_drain_url=each.syslog_drain_url,
            volume_mounts=each.given.get("volume_mounts") or [],
            **_kind(each.service_instance),
        )
        for each in newest.values()
    ]


def _kind(instance: ServiceInstance) -> dict[str, Any]:
    """What VCAP_SERVICES says of the offering: of a user-provided instance nothing."""
    if instance.managed is None:
        return {"tags": instance.tags}
    plan = instance.managed.plan
    tags = [*dict.fromkeys([*plan.offering.tags, *instance.tags])]
    return {"tags": tags, "label": plan.offering.name, "plan": plan.name}


def _run(session: Session, process: Process, api: str, droplet_guid: str) -> Run:
    app = process.app
    where = place(session, app, api)
    application = environment.vcap_application(
        where,
        memory_mb=process.memory_mb,
        disk_mb=process.disk_mb,
        version=process.version,
        process=(process.guid, process.type),
    )
    return Run(
        droplet_guid=droplet_guid,
        command=command(process, session.get(Droplet, droplet_guid)) or "",
        environment=environment.variables(app.environment, application, services(session, app), process.memory_mb),
        ports=ports(session, process),
        memory_mb=process.memory_mb,
        disk_mb=process.disk_mb,
        health_check=_health_check(process),
        metric_tags=_tags(process, where),
    )


def _health_check(process: Process) -> HealthCheck:
    return msgspec.convert(
        {
            "type": process.health_check_type,
            "endpoint": process.health_check_endpoint or "/",
            "timeout": process.health_check_timeout or 0,
            "invocation_timeout": process.health_check_invocation_timeout or 0,
        },
        HealthCheck,
    )


def _tags(process: Process, where: Place) -> dict[str, str]:
    return {
        "source_id": where.app_guid,
        "app_id": where.app_guid,
        "app_name": where.app_name,
        "process_id": process.guid,
        "process_type": process.type,
        "space_id": where.space_guid,
        "space_name": where.space_name,
        "organization_id": where.organization_guid,
        "organization_name": where.organization_name,
    }
