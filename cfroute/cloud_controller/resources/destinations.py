"""/v3/routes/:guid/destinations"""

from typing import Any

from cfroute.cloud_controller.actions import destinations, routes
from cfroute.cloud_controller.call import NO_CONTENT, Call, Reply
from cfroute.cloud_controller.endpoints import delete, get, patch, post
from cfroute.cloud_controller.errors import refuse_if, unprocessable
from cfroute.cloud_controller.models import Destination, Route
from cfroute.cloud_controller.presenters import routing as present
from cfroute.cloud_controller.validation import destinations as rules
from cfroute.cloud_controller.validation.common import unknown_fields


def index(call: Call) -> dict[str, Any]:
    route = call.the(Route)
    call.query.refuse_unknown(("guids", "app_guids"))
    answer = present.destinations(route, call.urls)
    if "guids" in call.query:
        guids = call.query.values("guids")
        answer["destinations"] = [each for each in answer["destinations"] if each["guid"] in guids]
    if "app_guids" in call.query:
        apps = call.query.values("app_guids")
        answer["destinations"] = [each for each in answer["destinations"] if each["app"]["guid"] in apps]
    return answer


def add(call: Call) -> dict[str, Any]:
    body = call.body
    refuse_if(rules.body_problems(body))
    route = call.the(Route)
    destinations.add(call, route, rules.wanted(body, route.protocol))
    return present.destinations(route, call.urls)


def replace(call: Call) -> dict[str, Any]:
    body = call.body
    refuse_if(rules.body_problems(body, replace=True))
    route = call.the(Route)
    destinations.replace(call, route, rules.wanted(body, route.protocol))
    return present.destinations(route, call.urls)


def update(call: Call) -> dict[str, Any]:
    route, body = call.the(Route), call.body
    destination = _of_route(call, route)
    refuse_if(unknown_fields(body, ("protocol",)))
    default = "tcp" if route.protocol == "tcp" else "http1"
    protocol = default if body.get("protocol") is None else body["protocol"]
    if protocol not in ("http1", "http2", "tcp"):
        raise unprocessable("Destination protocol must be 'http1', 'http2' or 'tcp'.")
    if problem := rules.protocol_problem(protocol, route.protocol):
        raise unprocessable(problem)
    destination.protocol = protocol
    routes.route_changed(call, route)
    call.session.flush()
    return present.destination(destination)


def remove(call: Call) -> Reply:
    route = call.the(Route)
    destination = _of_route(call, route)
    if destination.weight is not None:
        raise unprocessable("Weighted destinations cannot be deleted individually.")
    destinations.remove(call, route, [destination])
    return NO_CONTENT


def _of_route(call: Call, route: Route) -> Destination:
    found = [each for each in route.destinations if each.guid == call.path["destination"]]
    if not found:
        raise unprocessable("Unable to unmap route from destination. Ensure the route has a destination with this guid.")
    return found[0]


ENDPOINTS = (
    get("/v3/routes/{guid}/destinations", index),
    post("/v3/routes/{guid}/destinations", add),
    patch("/v3/routes/{guid}/destinations", replace),
    patch("/v3/routes/{guid}/destinations/{destination}", update),
    delete("/v3/routes/{guid}/destinations/{destination}", remove),
)
