"""Why a TCP route did not get its port, and what to do about it."""

import contextlib

from cfroute.cli.access.api import ApiError, Resource
from cfroute.cli.routes import router_groups
from cfroute.cli.routes.router_groups import RouterGroup
from cfroute.cli.session import Session
from cfroute.errors import CfrouteError

_TAKEN, _EXHAUSTED = "is not available. Try a different port", "There are no more ports"


def hint(session: Session, domain: Resource, port: int | None, error: ApiError) -> str:
    """What to do next when a route in `domain` was refused with this error; empty when its ports are not the reason."""
    if advice := router_groups.advice(error):
        return advice
    if not error.says(detail=_TAKEN) and not error.says(detail=_EXHAUSTED):
        return ""
    with contextlib.suppress(CfrouteError):  # the error is what counts
        group = next((each for each in router_groups.every(session) if each.guid == domain["router_group"]["guid"]), None)
        if group is not None:
            return _exhausted(group) if port is None else _unavailable(session, domain, group, port)
    return ""


def _exhausted(group: RouterGroup) -> str:
    return (
        f"every port of router group '{group.name}' ({group.reservable_ports}) has a route; 'cfroute delete-orphaned-routes' "
        "deletes those of this space that lead nowhere, 'cfroute up --tcp-ports' gives a foundation more"
    )


def _unavailable(session: Session, domain: Resource, group: RouterGroup, port: int) -> str:
    routes = session.api.list("/v3/routes", ports=[str(port)])
    holder = next((route["url"] for route in routes if route["protocol"] == "tcp"), None)
    why = (
        f"it is {holder}'s, which is in the same router group"
        if holder
        else f"router group '{group.name}' has the ports {group.reservable_ports}"
    )
    return f"{why}; 'cfroute create-route {domain['name']}' takes any that is free"
