"""User-provided service instances: create and update."""

from cfroute.cli import lookup, render
from cfroute.cli.access.api import ApiError, Resource
from cfroute.cli.command import command
from cfroute.cli.options import Function, argument, option
from cfroute.cli.services.service_options import read_object, read_tags, tags_option
from cfroute.cli.session import Session
from cfroute.errors import CfrouteError, UsageError


def _fields(function: Function) -> Function:
    """-l, -p, -r and -t."""
    function = tags_option(function)
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


def _changes(
    session: Session, syslog_drain_url: str | None, credentials: str | None, route_service_url: str | None, tags: str | None
) -> Resource:
    changes: Resource = {"syslog_drain_url": syslog_drain_url, "route_service_url": route_service_url}
    if credentials is not None:
        changes["credentials"] = read_credentials(session, credentials)
    if tags is not None:
        changes["tags"] = read_tags(tags)
    return {key: value for key, value in changes.items() if value is not None}


def read_credentials(session: Session, text: str) -> Resource:
    """`-p`: JSON inline or in a file, or names of credentials to ask for. Raises UsageError for neither."""
    if (value := read_object(text)) is not None:
        return value
    if "{" in text or text == "-":
        raise UsageError("invalid argument for flag `-p': this is no JSON object")
    names = [name.strip() for name in text.split(",") if name.strip()]
    return {name: session.ask(name, hidden=True) for name in names}


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
    see_also=("bind-route-service", "bind-service", "services"),
)
@argument("service_instance")
@_fields
def create_user_provided_service(session: Session, service_instance: str, **fields: str | None) -> Resource | None:
    space = session.target.space
    changes = _changes(session, **fields)
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
    see_also=("bind-route-service", "rename-service", "services", "update-service"),
)
@argument("service_instance")
@_fields
def update_user_provided_service(session: Session, service_instance: str, **fields: str | None) -> Resource | None:
    session.target.check(space=True)
    changes = _changes(session, **fields)
    session.say(f"Updating user provided service {render.name(service_instance)} in {session.target.place}...")
    if not changes:
        session.say("No flags specified. No changes were made.")
        session.ok()
        return None
    found = lookup.service_instance(session.api, session.target.space, service_instance)
    if found["type"] != "user-provided":
        raise CfrouteError(f"The service instance '{service_instance}' is not user-provided")
    updated = session.api.patch(f"/v3/service_instances/{found['guid']}", changes)
    session.ok()
    session.tip("Use 'cfroute restage' for any bound apps to ensure your env variable changes take effect")
    return dict(updated)
