"""Service instances: list, show, create and update user-provided ones, delete."""

from typing import Any, NamedTuple

import msgspec

from cfroute.cli import lookup, render
from cfroute.cli.api import Api, Resource
from cfroute.cli.command import command
from cfroute.cli.options import argument, force, option
from cfroute.cli.route_services import changed, wait_option
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
    page = session.api.page("/v3/service_instances", order_by="name", space_guids=[space["guid"]], **FIELDS)
    return [_row(session.api, instance, page.included) for instance in page.resources]


def _row(api: Api, instance: Resource, included: dict[str, list[Resource]]) -> ServiceRow:
    kind = kind_of(instance, included)
    return ServiceRow(
        guid=instance["guid"],
        name=instance["name"],
        offering=kind.offering.get("name", "user-provided"),
        plan=kind.plan.get("name", ""),
        bound_apps=_bound_apps(api, instance),
        last_operation=_last_operation(instance),
        broker=kind.broker.get("name", ""),
        upgrade_available=("yes" if instance.get("upgrade_available") else "no") if kind.plan else "",
    )


FIELDS = {
    "fields[service_plan]": "guid,name,relationships.service_offering",
    "fields[service_plan.service_offering]": "guid,name,description,tags,documentation_url,relationships.service_broker",
    "fields[service_plan.service_offering.service_broker]": "guid,name",
}
"""The query for what a managed instance is of."""


class Kind(NamedTuple):
    """What a service instance is of; all empty for a user-provided one."""

    plan: Resource
    offering: Resource
    broker: Resource


def kind_of(instance: Resource, included: dict[str, list[Resource]]) -> Kind:
    """Follow the relationships from the instance to its broker."""
    found: list[Resource] = []
    thing = instance
    for name in ("service_plan", "service_offering", "service_broker"):
        guid = ((thing.get("relationships") or {}).get(name) or {}).get("data", {}).get("guid")
        thing = next((each for each in included.get(f"{name}s", []) if each["guid"] == guid), {})
        found.append(thing)
    return Kind(*found)


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
    broker: str = ""
    offering: str = ""
    plan: str = ""
    offering_tags: list[str] = []
    description: str = ""
    documentation: str = ""
    dashboard_url: str | None = None


def _details_text(service: ServiceDetails) -> str:
    operation = service.last_operation
    status = f"{operation.get('type', '')} {operation.get('state', '')}".strip()
    facts = [("name", service.name), ("guid", service.guid), ("type", service.type), *_facts(service)]
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
            *(_MANAGED if service.type == "managed" else ()),
        ]
    )


_MANAGED = (
    "",
    "Showing sharing info:",
    "   This service instance is not currently being shared.",
    "",
    "   Service instance sharing is disabled for this service offering.",
    "",
    "Showing upgrade status:",
    "   Upgrades are not supported by this broker.",
)


def _facts(service: ServiceDetails) -> list[tuple[str, str]]:
    if service.type != "managed":
        return [
            ("tags", ", ".join(service.tags)),
            ("route service url", service.route_service_url or ""),
            ("syslog drain url", service.syslog_drain_url or ""),
        ]
    return [
        ("broker", service.broker),
        ("offering", service.offering),
        ("plan", service.plan),
        ("tags", ", ".join(service.tags)),
        ("offering tags", ", ".join(service.offering_tags)),
        ("description", service.description),
        ("documentation", service.documentation),
        ("dashboard url", service.dashboard_url or ""),
    ]


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
    kind = kind_of(found, session.api.page("/v3/service_instances", guids=[found["guid"]], **FIELDS).included)
    return ServiceDetails(
        guid=found["guid"],
        name=found["name"],
        type=found["type"],
        tags=found.get("tags") or [],
        route_service_url=found.get("route_service_url"),
        syslog_drain_url=found.get("syslog_drain_url"),
        last_operation=found.get("last_operation") or {},
        bound_apps=_bound_apps(session.api, found),
        broker=kind.broker.get("name", ""),
        offering=kind.offering.get("name", ""),
        plan=kind.plan.get("name", ""),
        offering_tags=kind.offering.get("tags") or [],
        description=kind.offering.get("description", ""),
        documentation=kind.offering.get("documentation_url", ""),
        dashboard_url=found.get("dashboard_url"),
    )


@command(
    "delete-service",
    usage="cfroute delete-service SERVICE_INSTANCE [-f] [--wait]",
    examples=("cfroute delete-service mylogger", "cfroute delete-service mylogger -f"),
    see_also=("services", "unbind-route-service"),
)
@argument("service_instance", "service")
@force
@wait_option
def delete_service(session: Session, service_instance: str, force: bool, wait: bool) -> Resource | None:
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
    try:
        found = lookup.service_instance(session.api, session.target.space, service_instance)
    except NotFound:
        session.say(f"Service instance {shown} did not exist.")
        session.ok()
        return {"name": service_instance, "deleted": False}
    deleted = changed(session, "DELETE", f"/v3/service_instances/{found['guid']}", wait=wait)
    hint = f"Delete in progress. Use 'cfroute services' or 'cfroute service {shown}' to check operation status."
    session.say(f"Service instance {shown} deleted." if deleted else hint)
    session.ok()
    return {"name": service_instance, "deleted": deleted}
