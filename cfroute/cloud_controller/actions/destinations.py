"""Mapping routes to apps and back."""

from collections.abc import Sequence

from sqlalchemy import select

from cfroute.cloud_controller.actions import app_events, lifecycle
from cfroute.cloud_controller.call import Call
from cfroute.cloud_controller.errors import unprocessable
from cfroute.cloud_controller.models import App, Destination, Route
from cfroute.cloud_controller.validation import destinations as rules
from cfroute.cloud_controller.validation.destinations import Wanted


def add(call: Call, route: Route, wanted: Sequence[Wanted]) -> None:
    """Add those that the route does not have. Raises 422."""
    existing = {destination_of(each).place for each in route.destinations}
    _check(call, route, wanted, [destination_of(each) for each in route.destinations])
    _insert(call, route, [each for each in wanted if each.place not in existing])


def replace(call: Call, route: Route, wanted: Sequence[Wanted]) -> None:
    """Make these the route's only ones; what stays the same keeps its guid. Raises 422."""
    _check(call, route, wanted, [])
    kept = {destination_of(each) for each in route.destinations} & set(wanted)
    gone = [each for each in route.destinations if destination_of(each) not in kept]
    remove(call, route, gone)
    _insert(call, route, [each for each in wanted if each not in kept])


def remove(call: Call, route: Route, gone: Sequence[Destination]) -> None:
    for each in gone:
        app_events.of_destination(call, "unmap-route", each)
        route.destinations.remove(each)
    lifecycle.destinations_changed(call, {each.app_guid for each in gone})


def destination_of(destination: Destination) -> Wanted:
    """The row as the value that the rules work on."""
    return Wanted(destination.app_guid, destination.process_type, destination.port, destination.protocol, destination.weight)


def _check(call: Call, route: Route, wanted: Sequence[Wanted], existing: Sequence[Wanted]) -> None:
    guids = list(dict.fromkeys(each.app_guid for each in wanted))
    apps = {app.guid: app for app in call.session.scalars(select(App).where(App.guid.in_(guids)))}
    missing = [guid for guid in guids if guid not in apps]
    if missing:
        raise unprocessable('App(s) with guid(s) "' + '", "'.join(missing) + '" do not exist.')
    if any(app.space_guid not in route.space_guids for app in apps.values()):
        raise unprocessable("Routes destinations must be in either the route's space or the route's shared spaces")
    if problem := rules.first_problem(wanted, existing, route.protocol, route.url):
        raise unprocessable(problem)


def _insert(call: Call, route: Route, wanted: Sequence[Wanted]) -> None:
    for each in wanted:
        destination = Destination(
            route_guid=route.guid,
            app_guid=each.app_guid,
            process_type=each.process_type,
            port=each.port,
            protocol=each.protocol,
            weight=each.weight,
        )
        route.destinations.append(destination)
        call.session.flush()
        app_events.of_destination(call, "map-route", destination)
    lifecycle.destinations_changed(call, {each.app_guid for each in wanted})
