"""Where the requests for a route go."""

from cfroute.cli import lookup, render
from cfroute.cli.access.api import Resource
from cfroute.cli.command import command
from cfroute.cli.lookup import route_name
from cfroute.cli.options import argument, option, route_options
from cfroute.cli.session import Session
from cfroute.errors import CfrouteError, NotFound

_DEFAULT = "http1"


def destination_of(route: Resource, app: Resource) -> Resource | None:
    """The route's destination that is the app's web process."""
    for destination in route["destinations"]:
        if destination["app"]["guid"] == app["guid"] and destination["app"]["process"]["type"] == "web":
            return dict(destination)
    return None


@command(
    "update-destination",
    usage="""Edit an existing HTTP route:
   cfroute update-destination APP_NAME DOMAIN [--hostname HOSTNAME] [--app-protocol PROTOCOL] [--path PATH]""",
    examples=(
        "cfroute update-destination my-app example.com -n myhost --app-protocol http2            # myhost.example.com",
        "cfroute update-destination my-app example.com -n myhost --path foo --app-protocol http2 # myhost.example.com/foo",
    ),
    see_also=("create-route", "map-route", "routes", "unmap-route"),
)
@argument("app_name")
@argument("domain")
@route_options("for the HTTP route", hostname="Hostname for the HTTP route (required for shared domains)")
@option(
    "--app-protocol",
    "protocol",
    default=_DEFAULT,
    help="New Protocol for the route destination (http1 or http2). Only applied to HTTP routes",
)
def update_destination(
    session: Session, app_name: str, domain: str, hostname: str | None, path: str | None, protocol: str
) -> Resource:
    session.target.check(space=True)
    name = route_name(domain, hostname, path)
    found = lookup.domain(session.api, domain)
    app = lookup.app(session.api, session.target.space, app_name)
    route = lookup.find_route(session.api, found, name)
    if route is None:
        session.say("Route to be updated does not exist.")
        raise NotFound(name.missing)
    destination = _destination(session, route, app)
    if protocol == "tcp":
        raise CfrouteError("Destination protocol must be 'http1' or 'http2'")
    if destination["protocol"] == protocol:
        session.say(f" App '{app_name}' is already using '{protocol}'. Nothing has been updated")
    else:
        session.say(
            f"Updating destination protocol from {render.name(destination['protocol'])} to {render.name(protocol)} "
            f"for route {render.name(name)} in {session.target.place}..."
        )
        path_of_it = f"/v3/routes/{route['guid']}/destinations/{destination['guid']}"
        destination = dict(session.api.patch(path_of_it, {"protocol": protocol}))
    session.ok()
    return destination


def _destination(session: Session, route: Resource, app: Resource) -> Resource:
    destination = destination_of(route, app)
    if destination is None:
        session.say("Route's destination to be updated does not exist.")
        raise NotFound(
            f"Destination with app guid '{app['guid']}' and process type 'web' for route with guid '{route['guid']}' not found."
        )
    return destination
