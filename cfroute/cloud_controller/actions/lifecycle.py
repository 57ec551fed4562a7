"""Starting and stopping apps: what happens in the database. Diego is told after the commit."""

from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from cfroute.cloud_controller import environment
from cfroute.cloud_controller.call import Call
from cfroute.cloud_controller.desired import Run
from cfroute.cloud_controller.environment import Place, Service
from cfroute.cloud_controller.errors import unprocessable
from cfroute.cloud_controller.models import App, CredentialBinding, Destination, Droplet, Process, Route, ServiceInstance
from cfroute.diego.api import HealthCheck


def start(call: Call, app: App) -> None:
    """Want the app to run; a started one is left as it is. Raises 422 when there is nothing to run."""
    if app.droplet_guid is None:
        raise unprocessable("Assign a droplet before starting this app.")
    if app.state != "STARTED":
        app.state = "STARTED"
        for process in app.processes:
            renew(call, process)
    changed(call, app)


def stop(call: Call, app: App) -> None:
    """Want nothing of the app to run."""
    app.state = "STOPPED"
    changed(call, app)


def restart(call: Call, app: App) -> None:
    """Want every instance replaced by one of the current droplet and settings."""
    if app.droplet_guid is None:
        raise unprocessable("Assign a droplet before starting this app.")
    app.state = "STOPPED"
    start(call, app)


def changed(call: Call, app: App) -> None:
    """Diego has to hear of the app."""
    call.after.apps.add(app.guid)


def renew(call: Call, process: Process) -> None:
    """Give the process a new version, with everything as it is now."""
    process.version = call.platform.new_guid()
    process.run = msgspec.to_builtins(_run(call, process))


def ports(call: Call, process: Process) -> tuple[int, ...]:
    """The ports that the process has to listen on: those that routes lead to, or 8080."""
    found = call.session.scalars(
        select(Destination.port)
        .where(Destination.app_guid == process.app_guid, Destination.process_type == process.type)
        .order_by(Destination.created_at)
    )
    return tuple(dict.fromkeys(found)) or (8080,)


def destinations_changed(call: Call, app_guids: set[str]) -> None:
    """Routes were mapped or unmapped. A process that now has to listen on other ports is started anew."""
    call.session.flush()
    for guid in app_guids:
        app = call.session.get_one(App, guid)
        for process in app.processes:
            if app.state == "STARTED" and process.run and set(process.run["ports"]) != set(ports(call, process)):
                renew(call, process)
        changed(call, app)


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
    bindings = session.scalars(
        select(CredentialBinding).where(CredentialBinding.app_guid == app.guid).order_by(CredentialBinding.created_at)
    )
    return [
        Service(
            name=each.service_instance.name,
            guid=each.service_instance_guid,
            binding_guid=each.guid,
            binding_name=each.name,
            credentials=each.credentials,
            syslog_drain_url=each.syslog_drain_url,
            **_kind(each.service_instance),
        )
        for each in bindings
        if each.operation is None or each.operation.state == "succeeded"
    ]


def _kind(instance: ServiceInstance) -> dict[str, Any]:
    """What VCAP_SERVICES says of the offering: of a user-provided instance nothing."""
    if instance.managed is None:
        return {"tags": instance.tags}
    plan = instance.managed.plan
    tags = [*dict.fromkeys([*plan.offering.tags, *instance.tags])]
    return {"tags": tags, "label": plan.offering.name, "plan": plan.name}


def _run(call: Call, process: Process) -> Run:
    app = process.app
    droplet = call.find(Droplet, app.droplet_guid)
    where = place(call.session, app, call.platform.config.external_url)
    application = environment.vcap_application(
        where,
        memory_mb=process.memory_mb,
        disk_mb=process.disk_mb,
        version=process.version,
        process=(process.guid, process.type),
    )
    return Run(
        droplet_guid=app.droplet_guid or "",
        command=command(process, droplet) or "",
        environment=environment.variables(app.environment, application, services(call.session, app), process.memory_mb),
        ports=ports(call, process),
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
