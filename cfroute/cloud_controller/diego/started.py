"""The started processes, read from the database as the values that `desired` works on."""

from collections import defaultdict
from collections.abc import Collection

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from cfroute.cloud_controller.diego.desired import Mapping, Run, Started
from cfroute.cloud_controller.models import App, Destination, Process, Route


def started(session: Session, app_guids: Collection[str] | None = None) -> list[Started]:
    """The processes that are to run: all, or those of some apps."""
    found = (
        select(Process)
        .join(App, App.guid == Process.app_guid)
        .where(App.state == "STARTED", Process.version != "")
        .order_by(Process.created_at, Process.guid)
    )
    if app_guids is not None:
        found = found.where(Process.app_guid.in_(app_guids))
    processes = session.scalars(found).all()
    mappings = _mappings(session, {process.app_guid for process in processes})
    return [
        Started(
            guid=process.guid,
            version=process.version,
            app_guid=process.app_guid,
            type=process.type,
            instances=process.instances,
            run=msgspec.convert(process.run, Run),
            mappings=tuple(mappings[process.app_guid, process.type]),
        )
        for process in processes
        if process.run
    ]


def _mappings(session: Session, app_guids: Collection[str]) -> dict[tuple[str, str], list[Mapping]]:
    found = (
        select(Destination, Route)
        .join(Route, Route.guid == Destination.route_guid)
        .where(Destination.app_guid.in_(app_guids))
        .options(selectinload(Route.binding))
        .order_by(Destination.created_at, Destination.guid)
    )
    mappings: defaultdict[tuple[str, str], list[Mapping]] = defaultdict(list)
    for destination, route in session.execute(found):
        mappings[destination.app_guid, destination.process_type].append(_mapping(destination, route))
    return mappings


def _mapping(destination: Destination, route: Route) -> Mapping:
    return Mapping(
        url=route.fqdn if route.domain.internal or route.port else route.url,
        port=destination.port,
        protocol=destination.protocol,
        options=route.options,
        route_service_url=route.binding.route_service_url if route.binding else "",
        internal=route.domain.internal,
        router_group=route.domain.router_group_guid or "" if route.domain.tcp else "",
        external_port=route.port,
    )
