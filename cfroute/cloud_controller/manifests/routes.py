"""The routes of a manifest: `host.domain/path`, `domain:port`, with or without a scheme. Pure.

Which part is the host can only be said by who knows the domains: the whole name is tried as a domain first, then what
stands behind its first label. No other split is tried.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from cfroute.cloud_controller.validation.routes import algorithms

_ROUTE = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://)?(?P<name>(?:\*\.)?[\w-]+(?:\.[\w-]+)*)(?::(?P<port>\d{1,5}))?(?P<path>/\S*)?",
    re.ASCII,
)
_PROTOCOLS = ("http1", "http2", "tcp")


class ManifestRoute(msgspec.Struct, frozen=True):
    """One route. candidates are the (host, domain) pairs that it may stand for, the likeliest first."""

    text: str
    candidates: tuple[tuple[str, str], ...]
    path: str = ""
    port: int | None = None
    protocol: str | None = None
    options: dict[str, Any] | None = None


def parse(entry: Mapping[str, Any]) -> ManifestRoute | None:
    """The route of one entry of `routes`; None when it is not properly formed."""
    text = str(entry["route"])
    match = _ROUTE.fullmatch(text.strip())
    if match is None:
        return None
    port = int(match["port"]) if match["port"] else None
    allowed = ("tcp",) if port is not None else ("http", "https")
    if match["scheme"] and match["scheme"].lower() not in allowed:
        return None
    # Hosts are kept as they are given; domains are in lower case.
    first, _, rest = match["name"].partition(".")
    whole = () if first == "*" else (("", match["name"].lower()),)
    path = match["path"] or ""
    return ManifestRoute(
        text=text,
        candidates=(*whole, *(((first, rest.lower()),) if rest else ())),
        path="" if path == "/" else path,
        port=port,
        protocol=entry.get("protocol"),
        options=entry.get("options"),
    )


def problems(app: Mapping[str, Any], *, hashing: bool = False) -> list[str]:
    """What is wrong with what an application says of its routes, in upstream's order."""
    found = []
    if "routes" in app:
        routes = app["routes"]
        if not isinstance(routes, list) or not all(isinstance(each, dict) and each.get("route") for each in routes):
            return ["Routes must be a list of route objects"]
        found += [_malformed(each) for each in routes if parse(each) is None]
        for each in routes:
            if each.get("protocol") not in (None, *_PROTOCOLS):
                found.append("Route protocol must be 'http1', 'http2' or 'tcp'.")
            found += _options_problems(each, hashing)
    for key in ("no_route", "random_route", "default_route"):
        if not (app.get(key) is None or isinstance(app[key], bool)):
            found.append(f"{key.capitalize().replace('_', '-')} must be a boolean")
    if app.get("random_route") and app.get("default_route"):
        found.append("Random-route and default-route may not be used together")
    return found


def _malformed(entry: Mapping[str, Any]) -> str:
    return f"The route '{entry['route']}' is not a properly formed URL"


def _options_problems(entry: Mapping[str, Any], hashing: bool) -> list[str]:
    if "options" not in entry:
        return []
    route, options = entry["route"], entry["options"]
    if not isinstance(options, dict):
        return [f"Route '{route}': options must be an object"]
    keys = ["loadbalancing", *(["hash_header", "hash_balance"] if hashing else [])]
    valid = ", ".join(keys)
    found = [
        f"Route '{route}' contains invalid route option '{key}'. Valid keys: '{valid}'" for key in options if key not in keys
    ]
    chosen, known = options.get("loadbalancing"), algorithms(hashing)
    if "loadbalancing" in options and chosen not in known:
        values = ", ".join(known)
        found.append(f"Cannot use loadbalancing value '{chosen}' for Route '{route}'; Valid values are: '{values}'")
    return found
