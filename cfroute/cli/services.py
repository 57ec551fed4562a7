"""Service instances: list, show, create and update user-provided ones, delete."""

from typing import Any

import msgspec

from cfroute.cli import lookup, render
from cfroute.cli.api import Api, Resource
from cfroute.cli.command import command
from cfroute.cli.options import argument, force, option
from cfroute.cli.session import Session
from cfroute.errors import NotFound


class ServiceRow(msgspec.Struct):
    """One line of `services`."""

    guid: str
    name: str
    offering: str
    plan: str
    bound_apps: list[str]
    last_operation: str
    broker: str
    upgrade_available: str


HEADERS = ("name", "offering", "plan", "bound apps", "last operation", "broker", "upgrade available")


def _rows_text(rows: list[ServiceRow]) -> str:
    if not rows:
        return "No service instances found."
    return render.table(
        HEADERS,
        ((r.name, r.offering, r.plan, ", ".join(r.bound_apps), r.last_operation, r.broker, r.upgrade_available) for r in rows),
    )


@command(
    "services",
    usage="cfroute services",
    examples=("cfroute services", "cfroute services --json"),
    see_also=("create-user-provided-service", "service"),
    text=_rows_text,
)
def services(session: Session) -> list[ServiceRow]:
    space = session.target.space
    session.say(f"Getting service instances in {session.target.place}...")
    session.say()
    found = session.api.list("/v3/service_instances", order_by="name", space_guids=[space["guid"]])
    return [_row(session.api, instance) for instance in found]


def _row(api: Api, instance: Resource) -> ServiceRow:
    return ServiceRow(
        guid=instance["guid"],
        name=instance["name"],
        offering="user-provided",  # the only kind until there are brokers
        plan="",
        bound_apps=_bound_apps(api, instance),
        last_operation=_last_operation(instance),
        broker="",
        upgrade_available="",
    )


def _bound_apps(api: Api, instance: Resource) -> list[str]:
    page = api.page("/v3/service_credential_bindings", include="app", type="app", service_instance_guids=[instance["guid"]])
    return [app["name"] for app in page.included.get("apps", [])]


def _last_operation(instance: Resource) -> str:
    operation = instance.get("last_operation") or {}
    return f"{operation.get('type', '')} {operation.get('state', '')}".strip()


class ServiceDetails(msgspec.Struct):
    """What `service` shows."""

    guid: str
    name: str
    type: str
    tags: list[str]
    route_service_url: str | None
    syslog_drain_url: str | None
    last_operation: dict[str, Any]
    bound_apps: list[str]


def _details_text(service: ServiceDetails) -> str:
    operation = service.last_operation
    status = f"{operation.get('type', '')} {operation.get('state', '')}".strip()
    facts = [
        ("name", service.name),
        ("guid", service.guid),
        ("type", service.type),
        ("tags", ", ".join(service.tags)),
        ("route service url", service.route_service_url or ""),
        ("syslog drain url", service.syslog_drain_url or ""),
    ]
    state = [
        ("status", status),
        ("message", operation.get("description") or ""),
        ("started", operation.get("created_at") or ""),
        ("updated", operation.get("updated_at") or ""),
    ]
    apps = [f"   {app}" for app in service.bound_apps]
    return "\n".join(
        [
            render.block(facts),
            "",
            "Showing status of last operation:",
            render.block(state, indent="   "),
            "",
            "Showing bound apps:",
            *(apps or ["   There are no bound apps for this service instance."]),
        ]
    )


@command(
    "service",
    usage="cfroute service SERVICE_INSTANCE [--guid]",
    examples=("cfroute service mylogger", "cfroute service mylogger --guid"),
    see_also=("bind-route-service", "services"),
    text=_details_text,
)
@argument("service_instance", "service")
@option("--guid", is_flag=True, help="Retrieve and display the given service instance's guid only")
def service(session: Session, service_instance: str, guid: bool) -> ServiceDetails | None:
    if guid:
        found = lookup.service_instance(session.api, session.target.space, service_instance)
        session.line({"guid": found["guid"]}, found["guid"])
        return None
    session.say(f"Showing info of service {render.name(service_instance)} in {session.target.place}...")
    session.say()
    found = lookup.service_instance(session.api, session.target.space, service_instance)
    return ServiceDetails(
        guid=found["guid"],
        name=found["name"],
        type=found["type"],
        tags=found.get("tags") or [],
        route_service_url=found.get("route_service_url"),
        syslog_drain_url=found.get("syslog_drain_url"),
        last_operation=found.get("last_operation") or {},
        bound_apps=_bound_apps(session.api, found),
    )


@command(
    "delete-service",
    usage="cfroute delete-service SERVICE_INSTANCE [-f] [--wait]",
    examples=("cfroute delete-service mylogger", "cfroute delete-service mylogger -f"),
    see_also=("services", "unbind-route-service"),
)
@argument("service_instance", "service")
@force
@option("--wait", "-w", is_flag=True, expose_value=False, help="Wait for the operation to complete (always done)")
def delete_service(session: Session, service_instance: str, force: bool) -> Resource | None:
    shown = render.name(service_instance)
    if not force:
        session.say(
            "This action impacts all resources scoped to this service instance, including service bindings, "
            "service keys and route bindings."
        )
        session.say("This will remove the service instance from any spaces where it has been shared.")
        if not session.confirm(f"Really delete the service instance {shown}?"):
            session.say("Delete cancelled")
            return None
    session.say(f"Deleting service instance {shown} in {session.target.place}...")
    session.say()
    deleted = _delete(session, service_instance)
    session.say(f"Service instance {shown} {'deleted' if deleted else 'did not exist'}.")
    session.ok()
    return {"name": service_instance, "deleted": deleted}


def _delete(session: Session, name: str) -> bool:
    try:
        found = lookup.service_instance(session.api, session.target.space, name)
    except NotFound:
        return False
    session.api.change("DELETE", f"/v3/service_instances/{found['guid']}")
    return True
