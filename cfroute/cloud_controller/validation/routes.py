"""Which routes may be created: the body's own problems, then the order of checks against everything else."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from cfroute.cloud_controller.labels import problems as metadata_problems
from cfroute.cloud_controller.validation.common import relationships, unknown_fields, whole_number

_FIELDS = ("host", "path", "port", "relationships", "options", "metadata")
_LONGEST_FQDN = 253
_LARGEST_OPTIONS = 4096  # bytes of JSON: what upstream's column takes
# Letters and digits of ASCII only, as Ruby's \w has it.
_HOST = re.compile(r"[A-Za-z0-9_-]+|\*|")
HOST_RULE = 'Host must be either "*" or contain only alphanumeric characters, "_", or "-"'


def body_problems(body: Mapping[str, Any], *, hashing: bool = False) -> list[str]:
    """What is wrong with the body of `POST /v3/routes`, by itself; hashing: the flag hash_based_routing is on."""
    problems = metadata_problems(body.get("metadata")) + host_problems(body.get("host"))
    problems += path_problems(body.get("path")) + port_problems(body.get("port"))
    problems += unknown_fields(body, _FIELDS) + relationships(body, ("space", "domain"))
    return problems + options_problems(body, hashing=hashing)


def host_problems(host: object) -> list[str]:
    if host is None:
        return []
    if not isinstance(host, str):
        return ["Host must be a string"]
    too_long = ["Host is too long (maximum is 63 characters)"] if len(host) > 63 else []
    return too_long + ([] if _HOST.fullmatch(host) else [HOST_RULE])


def path_problems(path: object) -> list[str]:
    if path is None:
        return []
    if not isinstance(path, str):
        return ["Path must be a string"]
    checks = (
        (len(path) > 128, "Path is too long (maximum is 128 characters)"),
        (path != "" and not path.startswith("/"), "Path must begin with /"),
        ("?" in path, "Path cannot contain ?"),
        (path == "/", "Path cannot be exactly /"),
    )
    return [message for wrong, message in checks if wrong]


def port_problems(port: object) -> list[str]:
    return whole_number({"port": port}, "port", "Port", 0, 65535)


def algorithms(hashing: bool) -> list[str]:
    return ["round-robin", "least-connection", *(["hash"] if hashing else [])]


def options_problems(body: Mapping[str, Any], *, hashing: bool = False) -> list[str]:
    """What is wrong with the per-route options; null takes an option away."""
    if "options" not in body:
        return []
    options = body["options"]
    if not isinstance(options, dict):
        return ["Options 'options' is not a valid object"]
    if len(msgspec.json.encode(options)) >= _LARGEST_OPTIONS:
        return [f"Route options size exceeded: options must be smaller than {_LARGEST_OPTIONS} bytes."]
    known = ("loadbalancing", "hash_header", "hash_balance") if hashing else ("loadbalancing",)
    problems = [f"Options {problem}" for problem in unknown_fields(options, known)]
    chosen = options.get("loadbalancing")
    if chosen is not None and chosen not in algorithms(hashing):
        valid = ", ".join(algorithms(hashing))
        return [*problems, f"Options Loadbalancing must be one of '{valid}' if present"]
    return problems + (_hash_problems(options) if hashing else [])


def _hash_problems(options: Mapping[str, Any]) -> list[str]:
    header, balance = options.get("hash_header"), options.get("hash_balance")
    if options.get("loadbalancing") != "hash":
        given = (("header", header), ("balance", balance))
        return [f"Options Hash {name} can only be set when loadbalancing is hash" for name, value in given if value]
    missing = [] if header else ["Hash header must be present when loadbalancing is set to hash."]
    if header and not isinstance(header, str):
        missing = ["Options Hash header must be a string"]
    if balance is None or _is_hash_balance(balance):
        return missing
    return [*missing, "Options Hash balance must be either 0 or between 1.1 and 10.0"]


def _is_hash_balance(value: object) -> bool:
    try:
        number = float(str(value))
    except ValueError:
        return False
    return number == 0 or 1.1 <= number <= 10.0


class Wanted(msgspec.Struct, frozen=True):
    """A route that somebody wants, and what the rules need to know of the world around it.

    port is 0 for none. taken_domain: host.domain is a domain itself; twin: there is a route with the same address;
    other_space: another space has a route of the same host (and another path); port_taken: another domain of the router group
    has that port; free_port: whether any port is left; reservable: whether the router group has that port at all. exceeded: which
    quota does not allow it, in upstream's words.
    """

    host: str = ""
    path: str = ""
    port: int = 0
    domain: str = ""
    organization: str = ""
    shared: bool = True
    internal: bool = False
    tcp: bool = False
    usable: bool = True
    exceeded: str = ""
    taken_domain: bool = False
    system_host: bool = False
    twin: bool = False
    other_space: bool = False
    port_taken: bool = False
    free_port: bool = True
    reservable: bool = True
    has_router_group: bool = True

    @property
    def fqdn(self) -> str:
        return f"{self.host}.{self.domain}" if self.host else self.domain


def _exists(route: Wanted) -> str:
    parts = (
        ("host", route.host),
        ("path", route.path),
        ("port", str(route.port) if route.port else ""),
    )
    named = " and ".join(f"{name} '{value}'" for name, value in parts if value)
    return f"Route already exists{f' with {named}' if named else ''} for domain '{route.domain}'."


_Rule = tuple[Callable[[Wanted], bool], Callable[[Wanted], str]]


def _says(text: str) -> Callable[[Wanted], str]:
    return lambda route: text.format(route=route)


# In upstream's order: the first that applies is what the client is told.
RULES: tuple[_Rule, ...] = (
    (
        lambda r: not r.has_router_group,
        _says("Route could not be created because the specified domain does not have a valid router group."),
    ),
    (lambda r: not r.free_port, _says("There are no more ports available for this domain.")),
    (
        lambda r: not r.usable,
        _says("Invalid domain. Domain '{route.domain}' is not available in organization '{route.organization}'."),
    ),
    (lambda r: r.exceeded != "", lambda r: r.exceeded),
    (lambda r: r.taken_domain, _says("Route conflicts with domain '{route.fqdn}'.")),
    (lambda r: r.system_host, _says("Route conflicts with a reserved system route.")),
    (lambda r: r.internal and r.host == "*", _says("Wildcard hosts are not supported for internal domains.")),
    (lambda r: r.internal and r.path != "", _says("Paths are not supported for internal domains.")),
    (
        lambda r: r.shared and not r.tcp and not r.host and not r.port,
        _says("Missing host. Routes in shared domains must have a host defined."),
    ),
    (
        lambda r: len(r.fqdn) > _LONGEST_FQDN,
        _says(f"Host combined with domain name must be no more than {_LONGEST_FQDN} characters."),
    ),
    (lambda r: r.twin, _exists),
    (lambda r: r.tcp and r.host != "", _says("Hosts are not supported for TCP routes.")),
    (lambda r: r.tcp and r.path != "", _says("Paths are not supported for TCP routes.")),
    (lambda r: r.tcp and not r.port, _says("Routes with protocol 'tcp' must specify a port.")),
    (
        lambda r: r.tcp and (not r.reservable or r.port_taken),
        _says("Port '{route.port}' is not available. Try a different port or use a different domain."),
    ),
    (lambda r: not r.tcp and r.port > 0, _says("Routes with protocol 'http' do not support ports.")),
    (
        lambda r: r.other_space and r.shared and not r.tcp,
        _says("domain_id and host host_and_domain_taken_different_space"),
    ),
)


def first_problem(route: Wanted) -> str | None:
    """Why this route, whose body is good, cannot be created."""
    return next((say(route) for applies, say in RULES if applies(route)), None)
