"""Options of routes, such as how requests are balanced: `loadbalancing=round-robin`."""

from cfroute.cli import lookup, render
from cfroute.cli.access.api import Resource
from cfroute.cli.command import command
from cfroute.cli.lookup import RouteName, route_name
from cfroute.cli.options import argument, option, route_options
from cfroute.cli.session import Session
from cfroute.errors import CfrouteError, NotFound

route_option = option("--option", "-o", "options", multiple=True, help="Set the value of a per-route option")


def parse_options(name: RouteName, options: tuple[str, ...]) -> dict[str, str]:
    """`loadbalancing=round-robin` as a dictionary. Raises CfrouteError for what is no pair."""
    pairs = {}
    for text in options:
        key, equals, value = text.partition("=")
        if not equals:
            raise CfrouteError(
                f"Route option '{text}' for route with host '{name.host}', domain '{name.domain}', "
                f"and path '{name.path or '/'}' was specified incorrectly. "
                "Please use key-value pair format key=value."
            )
        pairs[key] = value
    return pairs


@command(
    "update-route",
    usage="""Update an existing HTTP route:
   cfroute update-route DOMAIN [--hostname HOSTNAME] [--path PATH] [--option OPTION=VALUE] [--remove-option OPTION]""",
    examples=(
        "cfroute update-route example.com -o loadbalancing=round-robin",
        "cfroute update-route example.com -o loadbalancing=hash -o hash_header=My-Hash-Header -o hash_balance=1.3",
        "cfroute update-route example.com -r loadbalancing",
        "cfroute update-route example.com --hostname myhost --path foo -o loadbalancing=round-robin # myhost.example.com/foo",
    ),
    see_also=("check-route", "domains", "map-route", "routes", "unmap-route"),
)
@argument("domain")
@route_options("for the HTTP route", hostname="Hostname for the HTTP route (required for shared domains)")
@route_option
@option("--remove-option", "-r", "removed", multiple=True, help="Remove an option with the given name")
def update_route(
    session: Session, domain: str, hostname: str | None, path: str | None, options: tuple[str, ...], removed: tuple[str, ...]
) -> Resource:
    session.target.check(space=True)
    name = route_name(domain, hostname, path)
    route = lookup.find_route(session.api, lookup.domain(session.api, domain), name)
    if route is None:
        raise NotFound(name.missing)
    if not options and not removed:
        raise CfrouteError(f"Route option support: 'No options were specified for the update of the Route {route['url']}'")
    changes: dict[str, str | None] = {**parse_options(name, options), **dict.fromkeys(removed)}
    if options:
        session.say(f"Updating route {render.name(name)} for {session.target.place}...")
    updated = session.api.patch(f"/v3/routes/{route['guid']}", {"options": changes})
    session.say(f"Route {render.name(updated['url'])} has been updated")
    session.ok()
    return dict(updated)
