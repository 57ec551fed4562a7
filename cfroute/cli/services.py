"""Service instances: list, show, create and update user-provided ones, delete."""

import json
import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from cfroute.cli import lookup, render
from cfroute.cli.api import Api, ApiError, Resource
from cfroute.cli.command import command
from cfroute.cli.options import Function, argument, force, option
from cfroute.cli.session import Session
from cfroute.errors import NotFound, UsageError


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


def _fields(function: Function) -> Function:
    """-l, -p, -r and -t."""
    function = option("-t", "tags", help="User provided tags")(function)
    function = option(
        "-r",
        "route_service_url",
        help="URL to which requests for bound routes will be forwarded. Scheme for this URL must be https",
    )(function)
    function = option(
        "-p",
        "credentials",
        help="Credentials, provided inline or in a file, to be exposed in the VCAP_SERVICES environment variable "
        "for bound applications",
    )(function)
    return option("-l", "syslog_drain_url", help="URL to which logs for bound applications will be streamed")(function)


def _changes(syslog_drain_url: str | None, credentials: str | None, route_service_url: str | None, tags: str | None) -> Resource:
    changes: Resource = {"syslog_drain_url": syslog_drain_url, "route_service_url": route_service_url}
    if credentials is not None:
        changes["credentials"] = read_credentials(credentials)
    if tags is not None:
        changes["tags"] = [tag.strip() for tag in tags.split(",") if tag.strip()]
    return {key: value for key, value in changes.items() if value is not None}


def read_object(text: str) -> Resource | None:
    """A JSON object given inline, in a file, or on stdin as `-`; None if the text is neither."""
    if text == "-":
        text = sys.stdin.read()
    elif not text.lstrip().startswith("{") and Path(text).is_file():
        text = Path(text).read_text()
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def read_credentials(text: str) -> Resource:
    """`-p`: JSON inline or in a file, or names of credentials to ask for. Raises UsageError for neither."""
    if (value := read_object(text)) is not None:
        return value
    if "{" in text or text == "-":
        raise UsageError("invalid argument for flag `-p': this is no JSON object")
    names = [name.strip() for name in text.split(",") if name.strip()]
    return {name: click.prompt(name, hide_input=True) for name in names}


@command(
    "create-user-provided-service",
    usage="""cfroute create-user-provided-service SERVICE_INSTANCE [-p CREDENTIALS] [-l SYSLOG_DRAIN_URL]
   [-r ROUTE_SERVICE_URL] [-t TAGS]

Pass comma separated credential parameter names to enable interactive mode:
cfroute create-user-provided-service SERVICE_INSTANCE -p "comma, separated, parameter, names"

Pass credential parameters as JSON to create a service non-interactively:
cfroute create-user-provided-service SERVICE_INSTANCE -p '{"key1":"value1","key2":"value2"}'

Specify a path to a file containing JSON (or - for stdin):
cfroute create-user-provided-service SERVICE_INSTANCE -p PATH_TO_FILE""",
    examples=(
        "cfroute create-user-provided-service my-route-service -r https://logger.cf.localhost",
        'cfroute create-user-provided-service my-db-mine -p "username, password"',
        "cfroute create-user-provided-service my-db-mine -p /path/to/credentials.json",
        'cfroute create-user-provided-service my-db-mine -t "list, of, tags"',
    ),
    see_also=("bind-route-service", "services"),
)
@argument("service_instance")
@_fields
def create_user_provided_service(session: Session, service_instance: str, **fields: str | None) -> Resource | None:
    space = session.target.space
    changes = _changes(**fields)
    session.say(f"Creating user provided service {render.name(service_instance)} in {session.target.place}...")
    body = {
        "type": "user-provided",
        "name": service_instance,
        "relationships": {"space": {"data": {"guid": space["guid"]}}},
    }
    try:
        created = session.api.post("/v3/service_instances", body | changes)
    except ApiError as error:
        if not error.says(detail="The service instance name is taken"):
            raise
        session.say(f"Service instance {service_instance} already exists")
        created = lookup.service_instance(session.api, space, service_instance)
    session.ok()
    return dict(created)


@command(
    "update-user-provided-service",
    usage="""cfroute update-user-provided-service SERVICE_INSTANCE [-p CREDENTIALS] [-l SYSLOG_DRAIN_URL]
   [-r ROUTE_SERVICE_URL] [-t TAGS]""",
    examples=(
        "cfroute update-user-provided-service my-route-service -r https://logger.cf.localhost",
        'cfroute update-user-provided-service my-db-mine -p \'{"username":"admin", "password":"pa55woRD"}\'',
        "cfroute update-user-provided-service my-db-mine -p /path/to/credentials.json",
    ),
    see_also=("bind-route-service", "services"),
)
@argument("service_instance", "service")
@_fields
def update_user_provided_service(session: Session, service_instance: str, **fields: str | None) -> Resource:
    changes = _changes(**fields)
    session.say(f"Updating user provided service {render.name(service_instance)} in {session.target.place}...")
    found = lookup.service_instance(session.api, session.target.space, service_instance)
    if not changes:
        session.say("No flags specified. No changes were made.")
        session.ok()
        return found
    updated = session.api.patch(f"/v3/service_instances/{found['guid']}", changes)
    session.ok()
    session.tip("Use 'cfroute restage' for any bound apps to ensure your env variable changes take effect")
    return dict(updated)


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
