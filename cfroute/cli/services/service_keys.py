"""Service keys: credentials of a service instance that belong to no app."""

from typing import Any

import msgspec

from cfroute.cli import lookup, render
from cfroute.cli.access.api import ApiError, Resource
from cfroute.cli.command import command
from cfroute.cli.options import argument, force, option
from cfroute.cli.services.service_operations import changed, operation_text
from cfroute.cli.services.service_options import parameters_option, read_parameters, wait_option
from cfroute.cli.session import Session
from cfroute.errors import NotFound

_PATH = "/v3/service_credential_bindings"


class KeyRow(msgspec.Struct):
    """One line of `service-keys`."""

    guid: str
    name: str
    last_operation: str
    message: str


def _text(rows: list[KeyRow]) -> str:
    return render.table(("name", "last operation", "message"), ((row.name, row.last_operation, row.message) for row in rows))


@command(
    "create-service-key",
    usage="cfroute create-service-key SERVICE_INSTANCE SERVICE_KEY [-c PARAMETERS_AS_JSON] [--wait]",
    examples=(
        'cfroute create-service-key mydb mykey -c \'{"permissions":"read-only"}\'',
        "cfroute create-service-key mydb mykey -c ~/workspace/tmp/instance_config.json",
    ),
    see_also=("service-key", "service-keys"),
)
@argument("service_instance")
@argument("service_key", "new")
@parameters_option
@wait_option
def create_service_key(session: Session, service_instance: str, service_key: str, parameters: str | None, wait: bool) -> Resource:
    given = read_parameters(parameters)
    session.say(
        f"Creating service key {render.name(service_key)} for service instance {render.name(service_instance)} "
        f"as {session.target.user}..."
    )
    instance = lookup.service_instance(session.api, session.target.space, service_instance)
    owner = {"service_instance": {"data": {"guid": instance["guid"]}}}
    body: Resource = {"type": "key", "name": service_key, "relationships": owner}
    body |= {"parameters": given} if given is not None else {}
    done = True
    try:
        done = changed(session, "POST", _PATH, body, wait=wait)
    except ApiError as error:
        if not error.says(detail="Key binding names must be unique"):
            raise
        session.say()
        session.say(f"Service key {service_key} already exists")
    session.ok()
    if not done:
        session.say("Create in progress.")
    return {"service_instance": service_instance, "name": service_key, "created": done}


@command(
    "service-keys",
    usage="cfroute service-keys SERVICE_INSTANCE",
    examples=("cfroute service-keys mydb", "cfroute service-keys mydb --json"),
    see_also=("create-service-key", "delete-service-key", "service-key"),
    text=_text,
)
@argument("service_instance")
def service_keys(session: Session, service_instance: str) -> list[KeyRow] | None:
    session.say(f"Getting keys for service instance {render.name(service_instance)} as {session.target.user}...")
    session.say()
    instance = lookup.service_instance(session.api, session.target.space, service_instance)
    found = session.api.list(_PATH, type="key", service_instance_guids=[instance["guid"]])
    if not found:
        session.say(f"No service keys for service instance {service_instance}")
    return [_row(each) for each in found] if found or not session.for_people else None


def _row(key: Resource) -> KeyRow:
    told = (key.get("last_operation") or {}).get("description") or ""
    return KeyRow(key["guid"], key["name"], operation_text(key), told)


@command(
    "service-key",
    usage="cfroute service-key SERVICE_INSTANCE SERVICE_KEY [--guid]",
    examples=("cfroute service-key mydb mykey", "cfroute service-key mydb mykey --guid"),
    see_also=("create-service-key", "service-keys"),
    text=render.document,
)
@argument("service_instance")
@argument("service_key")
@option("--guid", is_flag=True, help="Retrieve and display the given service-key's guid. All other output is suppressed.")
def service_key(session: Session, service_instance: str, service_key: str, guid: bool) -> dict[str, Any] | None:
    if guid:
        found = _find(session, service_instance, service_key)
        session.line({"guid": found["guid"]}, found["guid"])
        return None
    session.say(
        f"Getting key {render.name(service_key)} for service instance {render.name(service_instance)} as {session.target.user}..."
    )
    found = _find(session, service_instance, service_key)
    details = session.api.get(f"{_PATH}/{found['guid']}/details")
    session.say()
    return {"credentials": details["credentials"]}


def _find(session: Session, service_instance: str, name: str) -> Resource:
    """The key. Raises NotFound for the instance or the key."""
    instance = lookup.service_instance(session.api, session.target.space, service_instance)
    found = session.api.first(_PATH, type="key", names=[name], service_instance_guids=[instance["guid"]])
    if found is None:
        raise NotFound(f"No service key {name} found for service instance {service_instance}")
    return found


@command(
    "delete-service-key",
    usage="cfroute delete-service-key SERVICE_INSTANCE SERVICE_KEY [-f] [--wait]",
    examples=("cfroute delete-service-key mydb mykey", "cfroute delete-service-key mydb mykey -f --wait"),
    see_also=("service-key", "service-keys"),
)
@argument("service_instance")
@argument("service_key")
@force
@wait_option
def delete_service_key(session: Session, service_instance: str, service_key: str, force: bool, wait: bool) -> Resource:
    session.target.check(space=True)
    shown, of_instance = render.name(service_key), f"service instance {render.name(service_instance)}"
    if not force:
        session.confirm(f"Really delete the service key {shown}?", otherwise="Delete cancelled")
    session.say(f"Deleting key {shown} for {of_instance} as {session.target.user}...")
    instance = lookup.service_instance(session.api, session.target.space, service_instance)
    found = session.api.first(_PATH, type="key", names=[service_key], service_instance_guids=[instance["guid"]])
    done = found is not None and changed(session, "DELETE", f"{_PATH}/{found['guid']}", wait=wait)
    if found is None:
        session.say()
        session.say(f"Service key {service_key} does not exist for service instance {service_instance}.")
    session.ok()
    if found is not None and not done:
        session.say("Delete in progress.")
    return {"service_instance": service_instance, "name": service_key, "deleted": done}
