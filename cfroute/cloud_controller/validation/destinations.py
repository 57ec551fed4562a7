"""Which destinations a route may get."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from cfroute.cloud_controller.validation.common import unknown_fields

MOST = 100
_KEYS = {"app", "weight", "port", "protocol"}


class Wanted(msgspec.Struct, frozen=True):
    """A destination as it was asked for, with the defaults filled in."""

    app_guid: str
    process_type: str
    port: int
    protocol: str
    weight: int | None = None

    @property
    def place(self) -> tuple[str, str, int]:
        """What makes two destinations of one route the same."""
        return self.app_guid, self.process_type, self.port


def body_problems(body: Mapping[str, Any], *, replace: bool = False) -> list[str]:
    """What is wrong with the body of a request that adds destinations, or with `replace` sets all of them."""
    least = 0 if replace else 1
    problems = unknown_fields(body, ("destinations",))
    found = body.get("destinations")
    if not isinstance(found, list) or not least <= len(found) <= MOST:
        return [
            *problems,
            f"Destinations must be an array containing between {least} and {MOST} destination objects.",
        ]
    for index, each in enumerate(found):
        problems += [f"Destinations[{index}]: {problem}" for problem in _one(each, replace)]
    if problems:
        return problems
    return _ports(found) + _weights(found)


def _one(destination: object, replace: bool) -> list[str]:
    if not isinstance(destination, dict):
        return ["must be an object."]
    if "app" not in destination:
        return ['must have an "app".']
    if destination.keys() - _KEYS:
        return ['must have only "app" and optionally "weight", "port" or "protocol".']
    problems = _app(destination["app"])
    weight, port, protocol = (destination.get(key) for key in ("weight", "port", "protocol"))
    if weight is not None and not replace:
        problems.append("weighted destinations can only be used when replacing all destinations.")
    elif weight is not None and not _between(weight, 1, 100):
        problems.append("weight must be a positive integer between 1 and 100.")
    if port is not None and not _between(port, 1024, 65535):
        problems.append("port must be a positive integer between 1024 and 65535 inclusive.")
    if protocol is not None and protocol not in ("http1", "http2", "tcp"):
        problems.append("protocol must be 'http1', 'http2' or 'tcp'.")
    return problems


def _app(app: object) -> list[str]:
    guid = app.get("guid") if isinstance(app, dict) else None
    if not isinstance(app, dict) or not isinstance(guid, str) or not 1 <= len(guid) < 200:
        return ['app must have the structure {"guid": "app_guid"}']
    process = app.get("process")
    if process is None:
        return []
    if isinstance(process, dict) and list(process) == ["type"] and isinstance(process["type"], str) and process["type"]:
        return []
    return ['process must have the structure {"type": "process_type"}']


def _between(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _ports(destinations: Sequence[Mapping[str, Any]]) -> list[str]:
    counts = Counter(str(each["app"]) for each in destinations)
    return ["Process must have at most 10 exposed ports."] if counts and max(counts.values()) > 10 else []


def _weights(destinations: Sequence[Mapping[str, Any]]) -> list[str]:
    weights = [each.get("weight") for each in destinations]
    known = [weight for weight in weights if weight is not None]
    if not known:
        return []
    if len(known) < len(weights):
        return ["Destinations cannot contain both weighted and unweighted destinations."]
    return [] if sum(known) == 100 else ["Destinations must have weights that sum to 100."]


def wanted(body: Mapping[str, Any], route_protocol: str) -> list[Wanted]:
    """The destinations of a good body. A TCP route's speak TCP, an HTTP route's HTTP/1.1 unless told otherwise."""
    default = "tcp" if route_protocol == "tcp" else "http1"
    return [
        Wanted(
            each["app"]["guid"],
            (each["app"].get("process") or {}).get("type", "web"),
            each.get("port") or 8080,
            each.get("protocol") or default,
            each.get("weight"),
        )
        for each in body["destinations"]
    ]


def protocol_problem(protocol: str, route_protocol: str) -> str | None:
    """Why a route of that protocol ("http", "tcp") cannot have a destination that speaks `protocol`."""
    valid = ["tcp"] if route_protocol == "tcp" else ["http1", "http2"]
    if protocol in valid:
        return None
    return f"Cannot use '{protocol}' protocol for {route_protocol} routes; valid options are: [{', '.join(valid)}]."


def first_problem(new: Sequence[Wanted], existing: Sequence[Wanted], route_protocol: str, url: str) -> str | None:
    """Why good destinations cannot be added to those that the route has."""
    for each in new:
        if problem := protocol_problem(each.protocol, route_protocol):
            return problem
    if any(each.weight for each in existing):
        return "Destinations cannot be inserted when there are weighted destinations already configured."
    if any(count > 1 for count in Counter(each.place for each in new).values()):
        return "Destinations cannot contain duplicate entries"
    there = {each.place: each for each in existing}
    for each in new:
        old = there.get(each.place)
        if old and old.protocol != each.protocol:
            return (
                f"Cannot add destination with protocol: {each.protocol}. Destination already exists for route: {url}, "
                f"app: {each.app_guid}, process: {each.process_type}, and protocol: {old.protocol}."
            )
    if len({*there, *(each.place for each in new)}) > MOST:
        return f"Routes can be mapped to at most {MOST} destinations."
    return None
