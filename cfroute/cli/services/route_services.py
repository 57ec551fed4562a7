"""Binding service instances to routes."""

from cfroute.cli import lookup, render
from cfroute.cli.access.api import ApiError, Resource
from cfroute.cli.command import command
from cfroute.cli.lookup import RouteName, route_name
from cfroute.cli.options import argument, option, route_options
from cfroute.cli.services.service_operations import changed
from cfroute.cli.services.service_options import parameters_option, read_parameters, wait_option
from cfroute.cli.session import Session
from cfroute.errors import NotFound


@command(
    "bind-route-service",
    usage="""cfroute bind-route-service DOMAIN [--hostname HOSTNAME] [--path PATH] SERVICE_INSTANCE
   [-c PARAMETERS_AS_JSON] [--wait]""",
    examples=(
        "cfroute bind-route-service example.com --hostname myapp --path foo myratelimiter",
        "cfroute bind-route-service example.com myratelimiter -c file.json",
        'cfroute bind-route-service example.com myratelimiter -c \'{"valid":"json"}\'',
    ),
    see_also=("create-user-provided-service", "routes", "services", "unbind-route-service"),
)
@argument("domain")
@argument("service_instance")
@parameters_option
@route_options(
    "used in combination with HOSTNAME and DOMAIN to specify the route to bind",
    hostname="Hostname used in combination with DOMAIN to specify the route to bind",
)
@wait_option
def bind_route_service(
    session: Session,
    domain: str,
    service_instance: str,
    parameters: str | None,
    hostname: str | None,
    path: str | None,
    wait: bool,
) -> Resource:
    name = route_name(domain, hostname, path)
    given = read_parameters(parameters)
    session.say(
        f"Binding route {render.name(name)} to service instance {render.name(service_instance)} in {session.target.place}..."
    )
    instance = lookup.service_instance(session.api, session.target.space, service_instance)
    route = _route(session, name)
    body: Resource = {"relationships": _relationships(instance, route)}
    if given is not None:
        body["parameters"] = given
    bound = True
    try:
        bound = changed(session, "POST", "/v3/service_route_bindings", body, wait=wait)
    except ApiError as error:
        if not error.says(title="CF-ServiceInstanceAlreadyBoundToSameRoute"):
            raise
        session.say(f"Route {name} is already bound to service instance {service_instance}.")
    session.ok()
    if not bound:
        session.say("Binding in progress.")
    return {"route": str(name), "service_instance": service_instance, "bound": bound}


def _route(session: Session, name: RouteName) -> Resource:
    """The route. Of a TCP domain it is the first one, as with cf: nothing names a port here. Raises NotFound."""
    domain = lookup.domain(session.api, name.domain)
    found = session.api.first("/v3/routes", domain_guids=[domain["guid"]], hosts=name.host, paths=name.path)
    if found is None:
        raise NotFound(name.missing)
    return found


def _relationships(instance: Resource, route: Resource) -> Resource:
    return {
        "service_instance": {"data": {"guid": instance["guid"]}},
        "route": {"data": {"guid": route["guid"]}},
    }


@command(
    "unbind-route-service",
    usage="cfroute unbind-route-service DOMAIN [--hostname HOSTNAME] [--path PATH] SERVICE_INSTANCE [-f] [--wait]",
    examples=(
        "cfroute unbind-route-service example.com --hostname myapp --path foo myratelimiter",
        "cfroute urs example.com myratelimiter -n myapp -f",
    ),
    see_also=("bind-route-service", "delete-service", "routes", "services"),
)
@argument("domain")
@argument("service_instance")
@option("-f", "force", is_flag=True, help="Force unbinding without confirmation")
@route_options(
    "used in combination with HOSTNAME and DOMAIN to specify the route to unbind",
    hostname="Hostname used in combination with DOMAIN to specify the route to unbind",
)
@wait_option
def unbind_route_service(
    session: Session,
    domain: str,
    service_instance: str,
    force: bool,
    hostname: str | None,
    path: str | None,
    wait: bool,
) -> Resource:
    session.target.check(space=True)
    name = route_name(domain, hostname, path)
    shown = f"route {render.name(name)} from service instance {render.name(service_instance)}"
    if not force:
        session.confirm(f"Really unbind {shown}?", otherwise="Unbind cancelled")
    session.say(f"Unbinding {shown} in {session.target.place}...")
    instance = lookup.service_instance(session.api, session.target.space, service_instance)
    route = _route(session, name)
    binding = session.api.first(
        "/v3/service_route_bindings", route_guids=[route["guid"]], service_instance_guids=[instance["guid"]]
    )
    if binding is None:
        session.say(f"Route {name} was not bound to service instance {service_instance}.")
    unbound = binding is not None and changed(session, "DELETE", f"/v3/service_route_bindings/{binding['guid']}", wait=wait)
    session.ok()
    if binding is not None and not unbound:
        session.say("Unbinding in progress.")
    return {"route": str(name), "service_instance": service_instance, "unbound": unbound}
