"""The routing table: routes of processes, endpoints of instances, and what to tell the routers when either changes.

Every change is the difference between what the process had to say before and what it has to say after, of whatever kind its
routes are. Two endpoints differ by anything but modification tag and time; two HTTP routes by hostname, route service,
isolation segment, app and protocol, so that a new option alone is only told by the next periodic emit. That is upstream's rule.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

import msgspec

from cfroute.diego.api import ActualLRP, DesiredLRP, ModificationTag
from cfroute.diego.route_emitter.endpoints import endpoints_of
from cfroute.diego.route_emitter.messages import Message, without_time
from cfroute.diego.route_emitter.routes import Route, Rules, routes_of

Key = tuple[object, ...]
Said = dict[tuple[Key, Key], Message]
"""What is said of a process, by endpoint and route."""


class Changes(NamedTuple):
    """What to tell the routers: first what is there, then what is not any more, so that no route has a gap."""

    registrations: list[Message]
    unregistrations: list[Message]


NOTHING = Changes([], [])


class Process(msgspec.Struct, frozen=True):
    """What is known of one process: its routes, and the instances that run."""

    desired: DesiredLRP
    routes: tuple[Route, ...]
    endpoints: dict[str, ActualLRP] = {}

    def with_endpoints(self, endpoints: dict[str, ActualLRP]) -> "Process":
        return msgspec.structs.replace(self, endpoints=endpoints)

    @property
    def version(self) -> tuple[object, ...]:
        """What is equal where nothing has changed."""
        tags = {guid: lrp.modification_tag for guid, lrp in self.endpoints.items()}
        return self.desired.modification_tag, self.routes, tags


class RoutingTable:
    """Processes by guid; only those that have an instance running here."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._processes: dict[str, Process] = {}
        self._told: Counter[Key] = Counter()
        """How many instances stand behind what is told: two processes may have the same name for the same address."""

    def __len__(self) -> int:
        return sum(1 for _ in self.registrations())

    def knows(self, process_guid: str) -> bool:
        """Whether the routes of the process are known."""
        return process_guid in self._processes

    def registrations(self) -> Iterator[Message]:
        """Everything there is to say."""
        for process in self._processes.values():
            yield from self._said(process).values()

    def set_routes(self, desired: DesiredLRP) -> Changes:
        """The process has these routes now. One that has no instance here is none of our business."""
        process = self._processes.get(desired.process_guid)
        if process is None or not _newer(process.desired.modification_tag, desired.modification_tag):
            return NOTHING
        kept = {guid: lrp for guid, lrp in process.endpoints.items() if lrp.index < desired.instances}
        return self._put([(process, Process(desired, self._routes(desired), kept))])

    def remove_routes(self, process_guid: str) -> Changes:
        """The process is gone."""
        return self._put([(self._processes.get(process_guid), None)])

    def add_endpoint(self, lrp: ActualLRP, desired: DesiredLRP | None = None) -> Changes:
        """An instance runs. `desired` gives the routes of a process that is not known yet."""
        process = self._processes.get(lrp.process_guid)
        if process is None:
            if desired is None:
                return NOTHING
            process = Process(desired, self._routes(desired))
        if lrp.index >= process.desired.instances:
            return NOTHING
        known = process.endpoints.get(lrp.instance_guid)
        if known is not None and not _newer(known.modification_tag, lrp.modification_tag):
            return NOTHING
        before = self._processes.get(lrp.process_guid)
        return self._put([(before, process.with_endpoints({**process.endpoints, lrp.instance_guid: lrp}))])

    def remove_endpoint(self, lrp: ActualLRP) -> Changes:
        """An instance does not run any more, or is not to be reached."""
        process = self._processes.get(lrp.process_guid)
        if process is None or lrp.instance_guid not in process.endpoints:
            return NOTHING
        known = process.endpoints[lrp.instance_guid].modification_tag
        if known != lrp.modification_tag and not _newer(known, lrp.modification_tag):
            return NOTHING
        left = {guid: each for guid, each in process.endpoints.items() if guid != lrp.instance_guid}
        return self._put([(process, process.with_endpoints(left))])

    def swap(self, desired: Iterable[DesiredLRP], actual: Iterable[ActualLRP], fresh: Collection[str]) -> Changes:
        """Become what the BBS says. What is missing there is kept when its domain is not fresh."""
        new: dict[str, Process] = {lrp.process_guid: Process(lrp, self._routes(lrp)) for lrp in desired}
        for lrp in actual:
            process = new.get(lrp.process_guid)
            if process and lrp.index < process.desired.instances:
                endpoints = {**process.endpoints, lrp.instance_guid: lrp}
                new[lrp.process_guid] = process.with_endpoints(endpoints)
        pairs = [(self._processes.get(guid), new.get(guid)) for guid in self._processes.keys() | new.keys()]
        return self._put(
            (before, _kept(before, after) if before and before.desired.domain not in fresh else after) for before, after in pairs
        )

    def _put(self, changed: Iterable[tuple[Process | None, Process | None]]) -> Changes:
        """Processes as they were and as they are now."""
        changes = Changes([], [])
        for before, after in changed:
            if before and after and before.version == after.version:
                continue  # in a list of thousands that is most of them
            said, to_say = self._said(before), self._said(after)
            self._store(before, after)
            self._told.update(message.key for message in to_say.values())
            self._told.subtract(message.key for message in said.values())
            changes.registrations.extend(_new(said, to_say))
            changes.unregistrations.extend(without_time(message) for key, message in said.items() if key not in to_say)
        # What is still told, by whomever, is the same one for the router, and not taken back.
        gone = {message.key: message for message in changes.unregistrations if not self._told[message.key]}
        for key in gone:
            del self._told[key]
        return Changes(changes.registrations, list(gone.values()))

    def _store(self, before: Process | None, after: Process | None) -> None:
        if after and after.endpoints:
            self._processes[after.desired.process_guid] = after
        elif process := before or after:
            self._processes.pop(process.desired.process_guid, None)

    def _routes(self, desired: DesiredLRP) -> tuple[Route, ...]:
        return tuple(routes_of(desired, self._rules))

    def _said(self, process: Process | None) -> Said:
        if process is None:
            return {}
        return {
            (endpoint.key, (process.desired.app_guid, *route.key)): route.message(process.desired.app_guid, endpoint)
            for lrp in process.endpoints.values()
            for endpoint in endpoints_of(process.desired, lrp, direct=self._rules.direct)
            for route in process.routes
            if route.container_port == endpoint.container_port
        }


def routable(lrp: ActualLRP) -> bool:
    """Whether routers may send requests to the instance."""
    return lrp.state == "RUNNING" and lrp.routable


def _new(before: Said, after: Said) -> Iterator[Message]:
    """What is to be said that was not. The time of the endpoint's change is told only when the endpoint is what changed."""
    known = {endpoint for endpoint, _ in before}
    for key, message in after.items():
        if key not in before:
            yield without_time(message) if key[0] in known else message


def _newer(known: ModificationTag, offered: ModificationTag) -> bool:
    return offered.succeeds(known)


def _kept(before: Process, after: Process | None) -> Process:
    """What the BBS may have forgotten stays, beside what it says."""
    if after is None:
        return before
    routes = after.routes + tuple(route for route in before.routes if route not in after.routes)
    return Process(after.desired, routes, before.endpoints | after.endpoints)
