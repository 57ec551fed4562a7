"""Mapping routes to apps."""

from cfroute.cli import lookup, render
from cfroute.cli.access.api import Resource
from cfroute.cli.command import command
from cfroute.cli.lookup import RouteName, route_name
from cfroute.cli.options import argument, option, route_options
from cfroute.cli.routes.destinations import destination_of
from cfroute.cli.routes.route_options import parse_options, route_option
from cfroute.cli.routes.routes import create
from cfroute.cli.session import Session
from cfroute.errors import CfrouteError, NotFound


@command(
    "map-route",
    usage="""Map an HTTP route:
   cfroute map-route APP_NAME DOMAIN [--hostname HOSTNAME] [--path PATH] [--app-protocol PROTOCOL] [--app-port PORT]
   [--option OPTION=VALUE]

Map a TCP route:
   cfroute map-route APP_NAME DOMAIN [--port PORT] [--option OPTION=VALUE]""",
    examples=(
        "cfroute map-route my-app example.com                                        # example.com",
        "cfroute map-route my-app example.com --hostname myhost                      # myhost.example.com",
        "cfroute map-route my-app example.com --hostname myhost --path foo           # myhost.example.com/foo",
        "cfroute map-route my-app example.com --hostname myhost --app-protocol http2 # myhost.example.com",
        "cfroute map-route my-app example.com --port 5000                            # example.com:5000",
    ),
    see_also=("create-route", "routes", "unmap-route", "update-destination", "update-route"),
)
@argument("app_name")
@argument("domain")
@route_options(
    "for the HTTP route",
    hostname="Hostname for the HTTP route (required for shared domains)",
    port="Port for the TCP route (default: random port)",
)
@option(
    "--app-protocol",
    "--destination-protocol",
    "protocol",
    help="Protocol for the route destination (default: http1). Only applied to HTTP routes",
)
@option("--app-port", type=int, help="App port for the route destination (default: 8080). Only for HTTP routes")
@route_option
def map_route(
    session: Session,
    app_name: str,
    domain: str,
    hostname: str | None,
    path: str | None,
    port: int | None,
    protocol: str | None,
    app_port: int | None,
    options: tuple[str, ...],
) -> Resource:
    session.target.check(space=True)
    name = route_name(domain, hostname, path, port)
    found = lookup.domain(session.api, domain)
    app = lookup.app(session.api, session.target.space, app_name)
    route = _route(session, found, name, parse_options(name, options))
    with_protocol = f" with protocol {protocol}" if protocol else ""
    session.say(
        f"Mapping route {render.name(route['url'])} to app {render.name(app_name)}{with_protocol} in {session.target.place}..."
    )
    if destination_of(route, app) is not None:
        session.say(f"App '{app_name}' is already mapped to route '{route['url']}'. Nothing has been updated.")
    else:
        wanted = {"app": {"guid": app["guid"]}, "protocol": protocol, "port": app_port}
        body = {"destinations": [{key: value for key, value in wanted.items() if value}]}
        session.api.post(f"/v3/routes/{route['guid']}/destinations", body)
    session.ok()
    return dict(session.api.get(f"/v3/routes/{route['guid']}"))


def _route(session: Session, domain: Resource, name: RouteName, options: dict[str, str]) -> Resource:
    """The route, made if it is not there yet."""
    route = lookup.find_route(session.api, domain, name)
    if route is None:
        session.say(f"Creating route {render.name(name)} for {session.target.place}...")
        route = create(session, domain, name, options)
        session.ok()
    elif options:
        raise CfrouteError("Route option support: 'Route specific options can only be specified for nonexistent routes.'")
    return route


@command(
    "unmap-route",
    usage="""Unmap an HTTP route:
   cfroute unmap-route APP_NAME DOMAIN [--hostname HOSTNAME] [--path PATH]

Unmap a TCP route:
   cfroute unmap-route APP_NAME DOMAIN --port PORT""",
    examples=(
        "cfroute unmap-route my-app example.com                              # example.com",
        "cfroute unmap-route my-app example.com --hostname myhost            # myhost.example.com",
        "cfroute unmap-route my-app example.com --hostname myhost --path foo # myhost.example.com/foo",
        "cfroute unmap-route my-app example.com --port 5000                  # example.com:5000",
    ),
    see_also=("delete-route", "map-route", "routes"),
)
@argument("app_name")
@argument("domain")
@route_options("used to identify the HTTP route", port="Port used to identify the TCP route")
def unmap_route(
    session: Session, app_name: str, domain: str, hostname: str | None, path: str | None, port: int | None
) -> Resource:
    session.target.check(space=True)
    name = route_name(domain, hostname, path, port)
    found = lookup.domain(session.api, domain)
    app = lookup.app(session.api, session.target.space, app_name)
    route = lookup.find_route(session.api, found, name)
    if route is None:
        raise NotFound(name.missing)
    session.say(f"Removing route {render.name(route['url'])} from app {render.name(app_name)} in {session.target.place}...")
    destination = destination_of(route, app)
    if destination is None:
        session.say("Route to be unmapped is not currently mapped to the application.")
    else:
        session.api.call("DELETE", f"/v3/routes/{route['guid']}/destinations/{destination['guid']}")
    session.ok()
    return {"route": route["url"], "app": app_name, "unmapped": destination is not None}
