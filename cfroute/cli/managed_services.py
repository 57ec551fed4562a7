"""Service instances of brokers: create and update."""

from cfroute.cli import lookup, render
from cfroute.cli.api import ApiError, Resource
from cfroute.cli.command import command
from cfroute.cli.options import Function, argument, option
from cfroute.cli.route_services import changed, read_parameters, wait_option
from cfroute.cli.session import Session
from cfroute.errors import CfrouteError, NotFound


def _fields(function: Function) -> Function:
    """-c and -t."""
    function = option("-t", "tags", help="User provided tags")(function)
    return option(
        "-c",
        "parameters",
        help="Valid JSON object containing service-specific configuration parameters, provided inline or in a file",
    )(function)


def _tags(text: str) -> list[str]:
    return [tag.strip() for tag in text.split(",") if tag.strip()]


@command(
    "create-service",
    usage="cfroute create-service SERVICE_OFFERING PLAN SERVICE_INSTANCE [-b SERVICE_BROKER] [-c PARAMETERS_AS_JSON] [-t TAGS]",
    examples=(
        "cfroute create-service ratelimit default mylimit",
        "cfroute create-service ratelimit default mylimit -c '{\"limit\":5}' --wait",
    ),
    see_also=("bind-route-service", "create-user-provided-service", "marketplace", "services"),
)
@argument("service_offering")
@argument("plan")
@argument("service_instance")
@_fields
@option("-b", "broker", help="Create a service instance from a particular broker")
@wait_option
def create_service(
    session: Session,
    service_offering: str,
    plan: str,
    service_instance: str,
    parameters: str | None,
    tags: str | None,
    broker: str | None,
    wait: bool,
) -> Resource:
    shown, space = render.name(service_instance), session.target.space
    given = read_parameters(parameters)
    session.say(f"Creating service instance {shown} in {session.target.place}...")
    found = _plan(session, service_offering, plan, broker)
    session.say()
    relationships = {"space": {"data": {"guid": space["guid"]}}, "service_plan": {"data": {"guid": found["guid"]}}}
    body: Resource = {"type": "managed", "name": service_instance, "relationships": relationships}
    body |= {"parameters": given} if given is not None else {}
    body |= {"tags": _tags(tags)} if tags is not None else {}
    try:
        done = changed(session, "POST", "/v3/service_instances", body, wait=wait)
    except ApiError as error:
        if not error.says(detail="The service instance name is taken"):
            raise
        session.say(f"Service instance {service_instance} already exists")
        session.ok()
        return {"name": service_instance, "created": False}
    hint = f"Create in progress. Use 'cfroute services' or 'cfroute service {shown}' to check operation status."
    session.say(f"Service instance {shown} created." if done else hint)
    session.ok()
    return {"name": service_instance, "created": done}


def _plan(session: Session, offering: str, plan: str, broker: str | None) -> Resource:
    """The plan of that name. Raises NotFound, or CfrouteError when several brokers have it."""
    brokers = [broker] if broker else None
    found = session.api.list("/v3/service_plans", names=[plan], service_offering_names=[offering], service_broker_names=brokers)
    if not found:
        raise NotFound(f"The plan '{plan}' could not be found for service offering '{offering}'.")
    if len(found) > 1:
        raise CfrouteError(
            f"Service offering '{offering}' is provided by multiple service brokers. "
            "Specify a broker name by using the '-b' flag."
        )
    return found[0]


@command(
    "update-service",
    usage="cfroute update-service SERVICE_INSTANCE [-p NEW_PLAN] [-c PARAMETERS_AS_JSON] [-t TAGS]",
    examples=(
        "cfroute update-service mylimit -p big",
        "cfroute update-service mylimit -c '{\"limit\":50}' --wait",
    ),
    see_also=("create-service", "services", "update-user-provided-service"),
)
@argument("service_instance", "service")
@_fields
@option("-p", "plan", help="Change service plan for a service instance")
@wait_option
def update_service(
    session: Session, service_instance: str, parameters: str | None, tags: str | None, plan: str | None, wait: bool
) -> Resource:
    shown, given = render.name(service_instance), read_parameters(parameters)
    session.say(f"Updating service instance {shown} in {session.target.place}...")
    session.say()
    found = lookup.service_instance(session.api, session.target.space, service_instance)
    body: Resource = {"parameters": given} if given is not None else {}
    body |= {"tags": _tags(tags)} if tags is not None else {}
    if plan is not None:
        body["relationships"] = {"service_plan": {"data": {"guid": _other_plan(session, found, plan)["guid"]}}}
    if not body:
        session.say("No flags specified. No changes were made.")
        session.ok()
        return {"name": service_instance, "updated": False}
    done = changed(session, "PATCH", f"/v3/service_instances/{found['guid']}", body, wait=wait)
    hint = f"Update in progress. Use 'cfroute services' or 'cfroute service {shown}' to check operation status."
    session.say(f"Update of service instance {shown} complete." if done else hint)
    session.ok()
    return {"name": service_instance, "updated": done}


def _other_plan(session: Session, instance: Resource, name: str) -> Resource:
    """The plan of that name that the instance's offering has. Raises NotFound."""
    own = session.api.first("/v3/service_plans", service_instance_guids=[instance["guid"]])
    offering = own["relationships"]["service_offering"]["data"]["guid"] if own else ""
    found = session.api.first("/v3/service_plans", names=[name], service_offering_guids=[offering])
    if found is None:
        raise NotFound(f"The plan '{name}' could not be found for service instance '{instance['name']}'.")
    return found
