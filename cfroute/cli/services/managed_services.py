"""Service instances of brokers: create, update and upgrade."""

from cfroute.cli import lookup, render
from cfroute.cli.access.api import ApiError, Resource
from cfroute.cli.command import command
from cfroute.cli.options import argument, option
from cfroute.cli.services.service_operations import changed, finished, request
from cfroute.cli.services.service_options import parameters_option, read_parameters, read_tags, tags_option, wait_option
from cfroute.cli.session import Session
from cfroute.errors import CfrouteError, NotFound


@command(
    "create-service",
    usage="cfroute create-service SERVICE_OFFERING PLAN SERVICE_INSTANCE [-b SERVICE_BROKER] [-c PARAMETERS_AS_JSON]\n"
    "   [-t TAGS] [--wait]",
    examples=(
        "cfroute create-service ratelimit default mylimit",
        "cfroute create-service ratelimit default mylimit -c '{\"limit\":5}' --wait",
    ),
    see_also=("bind-route-service", "bind-service", "create-user-provided-service", "marketplace", "services"),
)
@argument("service_offering")
@argument("plan")
@argument("service_instance")
@parameters_option
@tags_option
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
    name = service_instance.strip()
    shown, space = render.name(name), session.target.space
    given = read_parameters(parameters)
    session.say(f"Creating service instance {shown} in {session.target.place}...")
    found = _plan(session, service_offering, plan, broker)
    relationships = {"space": {"data": {"guid": space["guid"]}}, "service_plan": {"data": {"guid": found["guid"]}}}
    body: Resource = {"type": "managed", "name": name, "relationships": relationships}
    body |= {"parameters": given} if given is not None else {}
    body |= {"tags": read_tags(tags)} if tags is not None else {}
    try:
        job = request(session, "POST", "/v3/service_instances", body)
    except ApiError as error:
        if not error.says(detail="The service instance name is taken"):
            raise
        session.ok()
        session.say(f"Service instance {shown} already exists")
        return {"name": name, "created": False}
    session.say()
    done = finished(session, job, wait=wait)
    hint = f"Create in progress. Use 'cfroute services' or 'cfroute service {shown}' to check operation status."
    session.say(f"Service instance {shown} created." if done else hint)
    session.ok()
    return {"name": name, "created": done}


def _plan(session: Session, offering: str, plan: str, broker: str | None) -> Resource:
    """The plan of that name. Raises NotFound, or CfrouteError when several brokers have it."""
    brokers = [broker] if broker else None
    found = session.api.list("/v3/service_plans", names=[plan], service_offering_names=[offering], service_broker_names=brokers)
    if not found:
        whose = f" and broker '{broker}'" if broker else ""
        raise NotFound(f"The plan '{plan}' could not be found for service offering '{offering}'{whose}.")
    if len(found) > 1:
        raise CfrouteError(
            f"Service plan '{plan}' is provided by multiple service offerings. Service offering '{offering}' is provided by "
            "multiple service brokers. Specify a broker name by using the '-b' flag."
        )
    return found[0]


@command(
    "update-service",
    usage="cfroute update-service SERVICE_INSTANCE [-p NEW_PLAN] [-c PARAMETERS_AS_JSON] [-t TAGS] [--wait]",
    examples=(
        "cfroute update-service mylimit -p big",
        "cfroute update-service mylimit -c '{\"limit\":50}' --wait",
    ),
    see_also=("create-service", "rename-service", "services", "update-user-provided-service", "upgrade-service"),
)
@argument("service_instance")
@parameters_option
@tags_option
@option("-p", "plan", help="Change service plan for a service instance")
@wait_option
def update_service(
    session: Session, service_instance: str, parameters: str | None, tags: str | None, plan: str | None, wait: bool
) -> Resource:
    shown, given = render.name(service_instance), read_parameters(parameters)
    session.say(f"Updating service instance {shown} in {session.target.place}...")
    session.say()
    if parameters is None and tags is None and plan is None:
        session.say("No flags specified. No changes were made.")
        session.ok()
        return {"name": service_instance, "updated": False}
    found = lookup.managed_instance(session.api, session.target.space, service_instance)
    body: Resource = {"parameters": given} if given is not None else {}
    body |= {"tags": read_tags(tags)} if tags is not None else {}
    if plan is not None and (wanted := {"data": {"guid": _other_plan(session, found, plan)["guid"]}}) != _plan_of(found):
        body["relationships"] = {"service_plan": wanted}
    if not body:
        session.say("No changes were made.")
        session.ok()
        return {"name": service_instance, "updated": False}
    done = changed(session, "PATCH", f"/v3/service_instances/{found['guid']}", body, wait=wait)
    hint = f"Update in progress. Use 'cfroute services' or 'cfroute service {shown}' to check operation status."
    session.say(f"Update of service instance {shown} complete." if done else hint)
    session.ok()
    return {"name": service_instance, "updated": done}


def _plan_of(instance: Resource) -> Resource:
    return dict(instance["relationships"]["service_plan"])


def _other_plan(session: Session, instance: Resource, name: str) -> Resource:
    """The plan of that name that the instance's offering has. Raises NotFound."""
    page = session.api.page(
        "/v3/service_plans",
        include="service_offering",
        service_instance_guids=[instance["guid"]],
        **{"fields[service_offering.service_broker]": "name,guid"},
    )
    [offering], [broker] = page.included["service_offerings"], page.included["service_brokers"]
    found = session.api.first("/v3/service_plans", names=[name], service_offering_guids=[offering["guid"]])
    if found is None:
        whose = f"service offering '{offering['name']}' and broker '{broker['name']}'"
        raise NotFound(f"The plan '{name}' could not be found for {whose}.")
    return found


@command(
    "upgrade-service",
    usage="cfroute upgrade-service SERVICE_INSTANCE [-f] [--wait]",
    examples=("cfroute upgrade-service mylimit", "cfroute upgrade-service mylimit -f --wait"),
    see_also=("services", "update-service", "update-user-provided-service"),
)
@argument("service_instance")
@option("--force", "-f", is_flag=True, help="Force upgrade without asking for confirmation")
@wait_option
def upgrade_service(session: Session, service_instance: str, force: bool, wait: bool) -> Resource:
    session.target.check(space=True)
    shown = render.name(service_instance)
    if not force:
        session.say(
            "Warning: This operation may be long running and will block further operations on the service instance until it's "
            "completed"
        )
        session.confirm(f"Do you really want to upgrade the service instance {shown}?", otherwise="Upgrade cancelled")
    session.say(f"Upgrading service instance {shown} in {session.target.place}...")
    session.say()
    found = lookup.service_instance(session.api, session.target.space, service_instance)
    if not found.get("upgrade_available"):
        session.say("No upgrade is available.")
        session.ok()
        return {"name": service_instance, "upgraded": False}
    plan = session.api.get(f"/v3/service_plans/{_plan_of(found)['data']['guid']}")
    body = {"maintenance_info": {"version": plan["maintenance_info"]["version"]}}
    done = changed(session, "PATCH", f"/v3/service_instances/{found['guid']}", body, wait=wait)
    hint = f"Upgrade in progress. Use 'cfroute services' or 'cfroute service {shown}' to check operation status."
    session.say(f"Upgrade of service instance {shown} complete." if done else hint)
    session.ok()
    return {"name": service_instance, "upgraded": done}
