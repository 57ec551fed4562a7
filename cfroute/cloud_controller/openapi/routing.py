"""Domains, routes and their destinations."""

from collections.abc import Mapping
from typing import Final

from cfroute.cloud_controller.openapi.general import IDENTITY, NUMBER, thing
from cfroute.cloud_controller.openapi.operation import Operation, changed, gone, job, lists, made, number, one, page
from cfroute.cloud_controller.resources import domains, routes
from cfroute.cloud_controller.validation import bodies
from cfroute.cloud_controller.validation.shapes import BOOLEAN, TEXT, Schema, by_name, many, nullable, one_of, opened, ref, whole

OBJECTS: Final[Mapping[str, Schema]] = {
    "Domain": thing(
        {
            "name": TEXT,
            "internal": BOOLEAN,
            "router_group": nullable(ref("Guid")),
            "supported_protocols": many(one_of("http", "tcp"), 1),
            "relationships": opened({"organization": ref("ToOne"), "shared_organizations": ref("ToMany")}),
        }
    ),
    "Destination": opened(
        {
            **IDENTITY,
            "app": opened({"guid": TEXT, "process": opened({"type": TEXT})}),
            "weight": nullable(whole(1, 100)),
            "port": NUMBER,
            "protocol": one_of("http1", "http2", "tcp"),
        }
    ),
    "Destinations": opened({"destinations": many(ref("Destination")), "links": ref("Links")}),
    "Route": thing(
        {
            "protocol": one_of("http", "tcp"),
            "port": nullable(whole(1, 65535)),
            "host": TEXT,
            "path": TEXT,
            "url": TEXT,
            "destinations": many(ref("Destination")),
            "options": by_name(TEXT),
        },
        "space",
        "domain",
    ),
    "RouteReservation": opened({"matching_route": BOOLEAN}),
    "Status": opened({"status": TEXT}),
}
_ADDRESS: Final = {"host": TEXT, "path": TEXT, "port": number(0, 65535)}

OPERATIONS: Final[Mapping[str, Operation]] = {
    "GET /v3/domains": page("Domain", domains.LISTING),
    "POST /v3/domains": made("Domain", bodies.DOMAIN),
    "GET /v3/domains/{guid}": one("Domain"),
    "PATCH /v3/domains/{guid}": changed("Domain", bodies.METADATA),
    "DELETE /v3/domains/{guid}": job(),
    "GET /v3/domains/{guid}/route_reservations": one("RouteReservation", query=_ADDRESS),
    "POST /v3/domains/{guid}/relationships/shared_organizations": changed("ToMany", bodies.TO_MANY),
    "DELETE /v3/domains/{guid}/relationships/shared_organizations/{organization}": gone(),
    "GET /v3/routes": page("Route", routes.LISTING),
    "POST /v3/routes": made("Route", bodies.ROUTE),
    "GET /v3/routes/{guid}": one("Route", routes.LISTING),
    "PATCH /v3/routes/{guid}": changed("Route", bodies.ROUTE_UPDATE),
    "DELETE /v3/routes/{guid}": job(),
    "GET /v3/apps/{guid}/routes": page("Route", routes.LISTING),
    "GET /v3/routes/{guid}/destinations": one("Destinations", query=lists("guids", "app_guids")),
    "POST /v3/routes/{guid}/destinations": changed("Destinations", bodies.DESTINATIONS),
    "PATCH /v3/routes/{guid}/destinations": changed("Destinations", bodies.ALL_DESTINATIONS),
    "PATCH /v3/routes/{guid}/destinations/{destination}": changed("Destination", bodies.DESTINATION),
    "DELETE /v3/routes/{guid}/destinations/{destination}": gone(),
    "GET /v3/routes/{guid}/relationships/shared_spaces": one("ToMany"),
    "POST /v3/routes/{guid}/relationships/shared_spaces": changed("ToMany", bodies.TO_MANY),
    "DELETE /v3/routes/{guid}/relationships/shared_spaces/{space}": gone(),
    "PATCH /v3/routes/{guid}/relationships/space": changed("Status", bodies.TO_ONE),
}
