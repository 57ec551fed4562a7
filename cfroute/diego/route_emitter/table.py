"""The routing table: routes of processes, endpoints of instances, and what to tell the routers when either changes.

Every change is the difference between what the process had to say before and what it has to say after. Two endpoints
differ by anything but modification tag and time; two routes by hostname, route service, isolation segment, app and
protocol, so that a new option alone is only told by the next periodic emit. That is upstream's rule.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from cfroute.diego.api import ActualLRP, DesiredLRP, ModificationTag
from cfroute.diego.route_emitter.messages import Registration

COMPONENT = "route-emitter"


class Changes(NamedTuple):
    """What to tell the routers: first what is there, then what is not any more, so that no route has a gap."""

    registrations: list[Registration]
    unregistrations: list[Registration]


NOTHING = Changes([], [])


class Route(msgspec.Struct, frozen=True):
    """One hostname (with a path, maybe) of one container port."""

    hostname: str
    container_port: int
    route_service_url: str = ""
    isolation_segment: str = ""
    protocol: str = ""
    options: dict[str, Any] = {}


class _CFRoute(msgspec.Struct):
    """An entry under `cf-router`, as the Cloud Controller writes it; null stands for nothing."""

    port: int
    hostnames: list[str] | None = None
    route_service_url: str | None = ""
    isolation_segment: str | None = ""
    protocol: str | None = ""
    options: dict[str, Any] | None = None


class Process(msgspec.Struct, frozen=True):
    """What is known of one process: its routes, and the instances that run."""

    desired: DesiredLRP
    routes: tuple[Route, ...]
    endpoints: dict[str, ActualLRP] = {}

    def with_endpoints(self, endpoints: dict[str, ActualLRP]) -> "Process":
        return msgspec.structs.replace(self, endpoints=endpoints)


def routes_of(desired: DesiredLRP) -> tuple[Route, ...]:
    """The HTTP routes of a process. Entries that make no sense are upstream's to refuse whole: there are none then."""
    try:
        entries = msgspec.convert(desired.routes.get("cf-router") or [], list[_CFRoute])
    except msgspec.ValidationError:
        return ()
    return tuple(
        Route(
            hostname,
            entry.port,
            entry.route_service_url or "",
            entry.isolation_segment or "",
            entry.protocol or "",
            entry.options or {},
        )
        for entry in entries
        for hostname in entry.hostnames or []
    )


class RoutingTable:
    """Processes by guid; only those that have an instance running here."""

    def __init__(self) -> None:
        self._processes: dict[str, Process] = {}

    def __len__(self) -> int:
        return sum(1 for _ in self.registrations())

    def knows(self, process_guid: str) -> bool:
        """Whether the routes of the process are known."""
        return process_guid in self._processes

    def registrations(self) -> Iterator[Registration]:
        """Everything there is to say."""
        for process in self._processes.values():
            yield from _said(process).values()

    def set_routes(self, desired: DesiredLRP) -> Changes:
        """The process has these routes now. One that has no instance here is none of our business."""
        process = self._processes.get(desired.process_guid)
        if process is None or not _newer(process.desired.modification_tag, desired.modification_tag):
            return NOTHING
        kept = {guid: lrp for guid, lrp in process.endpoints.items() if lrp.index < desired.instances}
        return self._put(process, Process(desired, routes_of(desired), kept))

    def remove_routes(self, process_guid: str) -> Changes:
        """The process is gone."""
        return self._put(self._processes.get(process_guid), None)

    def add_endpoint(self, lrp: ActualLRP, desired: DesiredLRP | None = None) -> Changes:
        """An instance runs. `desired` gives the routes of a process that is not known yet."""
        process = self._processes.get(lrp.process_guid)
        if process is None:
            if desired is None:
                return NOTHING
            process = Process(desired, routes_of(desired))
        if lrp.index >= process.desired.instances:
            return NOTHING
        known = process.endpoints.get(lrp.instance_guid)
        if known is not None and not _newer(known.modification_tag, lrp.modification_tag):
            return NOTHING
        before = self._processes.get(lrp.process_guid)
        return self._put(before, process.with_endpoints({**process.endpoints, lrp.instance_guid: lrp}))

    def remove_endpoint(self, lrp: ActualLRP) -> Changes:
        """An instance does not run any more, or is not to be reached."""
        process = self._processes.get(lrp.process_guid)
        if process is None or lrp.instance_guid not in process.endpoints:
            return NOTHING
        known = process.endpoints[lrp.instance_guid].modification_tag
        if known != lrp.modification_tag and not _newer(known, lrp.modification_tag):
            return NOTHING
        left = {guid: each for guid, each in process.endpoints.items() if guid != lrp.instance_guid}
        return self._put(process, process.with_endpoints(left))

    def swap(self, desired: Iterable[DesiredLRP], actual: Iterable[ActualLRP], fresh: Collection[str]) -> Changes:
        """Become what the BBS says. What is missing there is kept when its domain is not fresh."""
        new: dict[str, Process] = {lrp.process_guid: Process(lrp, routes_of(lrp)) for lrp in desired}
        for lrp in actual:
            process = new.get(lrp.process_guid)
            if process and lrp.index < process.desired.instances:
                endpoints = {**process.endpoints, lrp.instance_guid: lrp}
                new[lrp.process_guid] = process.with_endpoints(endpoints)
        changes = Changes([], [])
        for guid in self._processes.keys() | new.keys():
            before = self._processes.get(guid)
            after = new.get(guid)
            if before and before.desired.domain not in fresh:
                after = _kept(before, after)
            registrations, unregistrations = self._put(before, after)
            changes.registrations.extend(registrations)
            changes.unregistrations.extend(unregistrations)
        return changes

    def _put(self, before: Process | None, after: Process | None) -> Changes:
        process = after or before
        if process is None:
            return NOTHING
        if after is None or not after.endpoints:
            self._processes.pop(process.desired.process_guid, None)
        else:
            self._processes[process.desired.process_guid] = after
        return difference(_said(before), _said(after))


def routable(lrp: ActualLRP) -> bool:
    """Whether routers may send requests to the instance."""
    return lrp.state == "RUNNING" and lrp.routable


EndpointKey = tuple[Any, ...]
RouteKey = tuple[str, str, str, str, str]
Said = dict[tuple[EndpointKey, RouteKey], Registration]


def difference(before: Said, after: Said) -> Changes:
    """From what was said to what is to be said.

    The time of the endpoint's change is told only when the endpoint is what changed. A registration that changes in
    place (another route service, say) is not taken back: for the router it is the same one.
    """
    known = {endpoint for endpoint, _ in before}
    registrations = [
        message.without_time() if key[0] in known else message for key, message in after.items() if key not in before
    ]
    still = {message.identity for message in after.values()}
    unregistrations = [
        message.without_time() for key, message in before.items() if key not in after and message.identity not in still
    ]
    return Changes(registrations, unregistrations)


def _said(process: Process | None) -> Said:
    if process is None:
        return {}
    said: Said = {}
    for lrp in process.endpoints.values():
        tags = _tags(process.desired, lrp)
        for port in lrp.ports:
            endpoint = (lrp.instance_guid, lrp.index, lrp.address, port, lrp.availability_zone)
            for route in process.routes:
                if route.container_port == port.container_port:
                    message = _message(process.desired, lrp, port.host_port, port.host_tls_proxy_port, route, tags)
                    said[endpoint, _key(process.desired, route)] = message
    return said


def _key(desired: DesiredLRP, route: Route) -> RouteKey:
    return route.hostname, route.route_service_url, route.isolation_segment, desired.app_guid, route.protocol


def _message(desired: DesiredLRP, lrp: ActualLRP, port: int, tls_port: int, route: Route, tags: dict[str, str]) -> Registration:
    return Registration(
        host=lrp.address,
        port=port,
        tls_port=tls_port,
        uris=(route.hostname,),
        protocol=route.protocol,
        app=desired.app_guid,
        route_service_url=route.route_service_url,
        private_instance_id=lrp.instance_guid,
        private_instance_index=str(lrp.index),
        server_cert_domain_san=lrp.instance_guid,
        isolation_segment=route.isolation_segment,
        endpoint_updated_at_ns=lrp.since,
        tags=tags,
        availability_zone=lrp.availability_zone,
        options=route.options,
    )


def _tags(desired: DesiredLRP, lrp: ActualLRP) -> dict[str, str]:
    """The metric tags as the Cloud Controller would give them, sorted as Go writes maps."""
    own = {
        "app_id": desired.app_guid,
        "instance_id": str(lrp.index),
        "process_id": desired.process_guid[:36],  # a guid, followed by the version
        "process_instance_id": lrp.instance_guid,
        "process_type": desired.process_type,
        "source_id": desired.app_guid,
    }
    return dict(sorted((own | desired.metric_tags | {"component": COMPONENT}).items()))


def _newer(known: ModificationTag, offered: ModificationTag) -> bool:
    return offered.succeeds(known)


def _kept(before: Process, after: Process | None) -> Process:
    """What the BBS may have forgotten stays, beside what it says."""
    if after is None:
        return before
    routes = after.routes + tuple(route for route in before.routes if route not in after.routes)
    return Process(after.desired, routes, before.endpoints | after.endpoints)
