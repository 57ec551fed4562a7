"""Service brokers: list, create, update, delete."""

import os

import click
import msgspec

from cfroute.cli import lookup, render
from cfroute.cli.access.api import Resource
from cfroute.cli.command import command
from cfroute.cli.options import argument, force, option
from cfroute.cli.session import Session
from cfroute.errors import NotFound

_PASSWORD = ("CF_BROKER_PASSWORD", "Password associated with user, where it is not given as an argument")


class BrokerRow(msgspec.Struct):
    """One line of `service-brokers`."""

    guid: str
    name: str
    url: str


def _text(rows: list[BrokerRow]) -> str:
    if not rows:
        return "No service brokers found"
    return render.table(("name", "url"), ((row.name, row.url) for row in rows))


@command(
    "service-brokers",
    usage="cfroute service-brokers",
    examples=("cfroute service-brokers", "cfroute service-brokers --json"),
    see_also=("create-service-broker", "delete-service-broker"),
    text=_text,
)
def service_brokers(session: Session) -> list[BrokerRow]:
    session.say(f"Getting service brokers as {session.target.user}...")
    found = session.api.list("/v3/service_brokers")
    return [BrokerRow(each["guid"], each["name"], each["url"]) for each in found]


def _arguments(session: Session, password: str | None, url: str | None) -> tuple[str, str]:
    """Password and URL: with one argument less, it is the password that was left out."""
    if url is None and password is not None:
        password, url = None, password
    if url is None:
        raise click.UsageError("the required argument `URL` was not provided")
    session.target.check()
    return password or os.environ.get(_PASSWORD[0]) or session.ask("Service Broker Password", hidden=True), url


def _authentication(username: str, password: str) -> Resource:
    return {"type": "basic", "credentials": {"username": username, "password": password}}


@command(
    "create-service-broker",
    usage="""cfroute create-service-broker SERVICE_BROKER USERNAME PASSWORD URL [--space-scoped | --update-if-exists]
cfroute create-service-broker SERVICE_BROKER USERNAME URL [--space-scoped | --update-if-exists]

The password is taken from the environment, or asked for, where it is not given.""",
    examples=(
        "cfroute create-service-broker mybroker admin secret https://broker.cf.localhost",
        "cfroute create-service-broker mybroker admin https://broker.cf.localhost",
    ),
    environment=(_PASSWORD,),
    see_also=("enable-service-access", "service-brokers"),
)
@argument("service_broker", "new")
@argument("username")
@argument("password")
@argument("url", required=False)
@option("--space-scoped", is_flag=True, help="Make the broker's service plans only visible within the targeted space")
@option(
    "--update-if-exists",
    is_flag=True,
    help="If the broker already exists, update it rather than failing. Ignores --space-scoped.",
)
def create_service_broker(
    session: Session,
    service_broker: str,
    username: str,
    password: str,
    url: str | None,
    space_scoped: bool,
    update_if_exists: bool,
) -> Resource:
    secret, address = _arguments(session, password, url)
    if update_if_exists and (found := lookup.if_there(_find, session, service_broker)) is not None:
        return _update(session, found, username, secret, address)
    shown, where = render.name(service_broker), f" in {session.target.place}" if space_scoped else f" as {session.target.user}"
    session.say(f"Creating service broker {shown}{where}...")
    body: Resource = {"name": service_broker, "url": address, "authentication": _authentication(username, secret)}
    if space_scoped:
        body["relationships"] = {"space": {"data": {"guid": session.target.space["guid"]}}}
    session.api.change("POST", "/v3/service_brokers", body=body)
    session.ok()
    return {"name": service_broker, "url": address}


@command(
    "update-service-broker",
    usage="cfroute update-service-broker SERVICE_BROKER USERNAME [PASSWORD] URL",
    examples=(
        "cfroute update-service-broker mybroker admin secret https://broker.cf.localhost",
        "cfroute update-service-broker mybroker admin https://broker.cf.localhost",
    ),
    environment=(_PASSWORD,),
    see_also=("rename-service-broker", "service-brokers"),
)
@argument("service_broker")
@argument("username")
@argument("password")
@argument("url", required=False)
def update_service_broker(session: Session, service_broker: str, username: str, password: str, url: str | None) -> Resource:
    secret, address = _arguments(session, password, url)
    return _update(session, _find(session, service_broker), username, secret, address)


def _update(session: Session, broker: Resource, username: str, password: str, url: str) -> Resource:
    session.say(f"Updating service broker {render.name(broker['name'])} as {session.target.user}...")
    body = {"url": url, "authentication": _authentication(username, password)}
    session.api.change("PATCH", f"/v3/service_brokers/{broker['guid']}", body=body)
    session.ok()
    return {"name": broker["name"], "url": url}


@command(
    "rename-service-broker",
    usage="cfroute rename-service-broker SERVICE_BROKER NEW_SERVICE_BROKER",
    examples=("cfroute rename-service-broker mybroker yourbroker", "cfroute rename-service-broker mybroker yourbroker --json"),
    see_also=("service-brokers", "update-service-broker"),
)
@argument("service_broker")
@argument("new_service_broker", "new")
def rename_service_broker(session: Session, service_broker: str, new_service_broker: str) -> Resource:
    found = _find(session, service_broker)
    session.say(
        f"Renaming service broker {render.name(service_broker)} to {render.name(new_service_broker)} as {session.target.user}..."
    )
    session.api.change("PATCH", f"/v3/service_brokers/{found['guid']}", body={"name": new_service_broker})
    session.ok()
    return {"guid": found["guid"], "name": new_service_broker}


def _find(session: Session, name: str) -> Resource:
    """Raises NotFound."""
    found = session.api.first("/v3/service_brokers", names=[name])
    if found is None:
        raise NotFound(f"Service broker '{name}' not found")
    return found


@command(
    "delete-service-broker",
    usage="cfroute delete-service-broker SERVICE_BROKER [-f]",
    examples=("cfroute delete-service-broker mybroker", "cfroute delete-service-broker mybroker -f"),
    see_also=("delete-service", "service-brokers"),
)
@argument("service_broker")
@force
def delete_service_broker(session: Session, service_broker: str, force: bool) -> Resource:
    session.target.check()
    shown = render.name(service_broker)
    if not force:
        session.confirm(f"Really delete the service broker {shown}?", otherwise=f"'{service_broker}' has not been deleted.")
    session.say(f"Deleting service broker {shown}...")
    found = lookup.if_there(_find, session, service_broker)
    if found is None:
        session.say(f"Service broker '{service_broker}' does not exist.")
    else:
        session.api.change("DELETE", f"/v3/service_brokers/{found['guid']}")
    session.ok()
    return {"name": service_broker, "deleted": found is not None}
