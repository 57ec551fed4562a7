"""Binding service instances to apps."""

from cfroute.cli import lookup, render
from cfroute.cli.access.api import ApiError, Resource
from cfroute.cli.command import command
from cfroute.cli.options import argument, option
from cfroute.cli.services.service_operations import changed
from cfroute.cli.services.service_options import parameters_option, read_parameters, wait_option
from cfroute.cli.session import Session

_BOUND = "The app is already bound to the service instance"


@command(
    "bind-service",
    usage="""cfroute bind-service APP_NAME SERVICE_INSTANCE [-c PARAMETERS_AS_JSON] [--binding-name BINDING_NAME]
   [--strategy single | multiple] [--wait]

With the strategy 'multiple' an app can have several bindings to one service instance, to get new credentials while it has the
old ones. It sees the newest when it is restaged.""",
    examples=(
        'cfroute bind-service myapp mydb -c \'{"permissions":"read-only"}\'',
        "cfroute bind-service myapp mydb -c ~/workspace/tmp/instance_config.json --binding-name BINDING_NAME",
        "cfroute bind-service myapp mydb --strategy multiple --wait",
    ),
    see_also=("cleanup-outdated-service-bindings", "services", "unbind-service"),
)
@argument("app_name")
@argument("service_instance")
@parameters_option
@option(
    "--binding-name",
    complete="new",
    help="Name to expose service instance to app process with (Default: service instance name)",
)
@option("--strategy", complete="text", help="Service binding strategy. Valid values are 'single' (default) and 'multiple'.")
@wait_option
def bind_service(
    session: Session,
    app_name: str,
    service_instance: str,
    parameters: str | None,
    binding_name: str | None,
    strategy: str | None,
    wait: bool,
) -> Resource:
    given = read_parameters(parameters)
    app_shown, shown = render.name(app_name), render.name(service_instance)
    session.say(f"Binding service instance {shown} to app {app_shown} in {session.target.place}...")
    instance = lookup.service_instance(session.api, session.target.space, service_instance)
    app = lookup.app(session.api, session.target.space, app_name)
    ends = {"app": {"data": {"guid": app["guid"]}}, "service_instance": {"data": {"guid": instance["guid"]}}}
    wanted = {"name": binding_name, "parameters": given, "strategy": strategy}
    body = {"type": "app", "relationships": ends, **{key: value for key, value in wanted.items() if value is not None}}
    done = True
    try:
        done = changed(session, "POST", "/v3/service_credential_bindings", body, wait=wait)
    except ApiError as error:
        if not error.says(detail=_BOUND):
            raise
        session.say(f"App {app_name} is already bound to service instance {service_instance}.")
        session.ok()
    else:
        session.ok()
        _tell_what_is_left(session, app_name, service_instance, done)
    return {"app": app_name, "service_instance": service_instance, "bound": done}


def _tell_what_is_left(session: Session, app: str, instance: str, done: bool) -> None:
    restage = f"use 'cfroute restage {app}' to ensure your env variable changes take effect"
    if done:
        session.tip(f"U{restage[1:]}")
        return
    session.say(f"Binding in progress. Use 'cfroute service {instance}' to check operation status.")
    session.say()
    session.tip(f"Once this operation succeeds, {restage}")


@command(
    "unbind-service",
    usage="cfroute unbind-service APP_NAME SERVICE_INSTANCE [--guid GUID] [--wait]",
    examples=("cfroute unbind-service myapp mydb", "cfroute us myapp mydb --wait"),
    see_also=("apps", "bind-service", "delete-service", "services"),
)
@argument("app_name")
@argument("service_instance")
@option("--guid", complete="text", help="Only delete the service binding with the specified GUID")
@wait_option
def unbind_service(session: Session, app_name: str, service_instance: str, guid: str | None, wait: bool) -> Resource:
    shown = f"app {render.name(app_name)} from service {render.name(service_instance)}"
    session.say(f"Unbinding {shown} in {session.target.place}...")
    instance = lookup.service_instance(session.api, session.target.space, service_instance)
    app = lookup.app(session.api, session.target.space, app_name)
    bindings = session.api.list(
        "/v3/service_credential_bindings", type="app", app_guids=[app["guid"]], service_instance_guids=[instance["guid"]]
    )
    meant = [each for each in bindings if guid in (None, each["guid"])]
    if not meant:
        given = f"Service binding with GUID {guid}" if bindings else f"Binding between {service_instance} and {app_name}"
        session.say(f"{given} does not exist")
        session.ok()
    gone = [unbind(session, each, wait=wait) for each in meant]
    return {"app": app_name, "service_instance": service_instance, "unbound": bool(gone) and all(gone)}


def unbind(session: Session, binding: Resource, *, wait: bool) -> bool:
    """Remove a binding; whether it is gone, rather than on its way out."""
    session.say(f"Deleting service binding {binding['guid']}...")
    gone = changed(session, "DELETE", f"/v3/service_credential_bindings/{binding['guid']}", wait=wait)
    session.ok()
    if not gone:
        instance = session.api.get(f"/v3/service_instances/{lookup.related(binding, 'service_instance')}")
        session.say(f"Unbinding in progress. Use 'cfroute service {instance['name']}' to check operation status.")
    return gone
