"""Which domains may be created."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from cfroute.cloud_controller.validation.common import to_many, to_one, unknown_fields

_LABEL = r"[a-z0-9]|[a-z0-9][a-z0-9-]{0,61}[a-z0-9]"
_DOMAIN = re.compile(rf"((?:{_LABEL})\.)+(?:{_LABEL})", re.IGNORECASE)
_FIELDS = ("name", "internal", "relationships", "router_group", "metadata")
LONGEST = 253


def is_domain(name: str) -> bool:
    """Whether this is a domain name as RFC 1035 has it, with at least two labels."""
    return bool(_DOMAIN.fullmatch(name))


def body_problems(body: Mapping[str, Any]) -> list[str]:
    """What is wrong with the body of `POST /v3/domains`, by itself."""
    problems = unknown_fields(body, _FIELDS)
    if "relationships" in body:
        problems += _relationships(body["relationships"])
    return problems + name_problems(body.get("name")) + _router_group(body) + _exclusions(body)


def name_problems(name: object) -> list[str]:
    """What is wrong with a domain's name."""
    text = name if isinstance(name, str) else "" if name is None else str(name)
    checks = (
        (not text, "Name can't be blank"),
        (not isinstance(name, str), "Name must be a string"),
        (len(text) < 3, "Name is too short (minimum is 3 characters)"),
        (len(text) > LONGEST, f"Name is too long (maximum is {LONGEST} characters)"),
        (not is_domain(text), "Name does not comply with RFC 1035 standards"),
        ("." not in text, 'Name must contain at least one "."'),
        (any(len(label) > 63 for label in text.split(".")), "Name subdomains must each be at most 63 characters"),
        (bool(re.search(r"[^a-z0-9.-]", text, re.IGNORECASE)), "Name must consist of alphanumeric characters and hyphens"),
    )
    return [message for wrong, message in checks if wrong]


def _relationships(value: object) -> list[str]:
    if not isinstance(value, dict):
        return ["Relationships 'relationships' is not an object"]
    problems = unknown_fields(value, ("organization", "shared_organizations"))
    if value.get("organization") is not None:
        problems += to_one(value["organization"], "organization")
    if "shared_organizations" in value:
        problems += to_many(value["shared_organizations"], "shared_organizations")
        if "organization" not in value:
            problems.append("cannot contain shared_organizations without an owning organization.")
    return [f"Relationships {problem}" for problem in problems]


def _router_group(body: Mapping[str, Any]) -> list[str]:
    group = body.get("router_group")
    if group is None:
        return []
    if not isinstance(group, dict):
        return ["Router group must be an object"]
    problems = [f"Router group {problem}" for problem in unknown_fields(group, ("guid",))]
    return problems if isinstance(group.get("guid"), str) else [*problems, "Router group guid must be a string"]


def _exclusions(body: Mapping[str, Any]) -> list[str]:
    internal = body.get("internal")
    owned, grouped = "relationships" in body, "router_group" in body
    checks = (
        (internal is True and owned, "Cannot associate an internal domain with an organization"),
        (internal is True and grouped, "Internal domains cannot be associated to a router group."),
        (owned and grouped, "Domains scoped to an organization cannot be associated to a router group."),
        (internal is not None and not isinstance(internal, bool), "Internal must be a boolean"),
    )
    return [message for wrong, message in checks if wrong]


class Neighbour(NamedTuple):
    """Another domain, and the organization that owns it (None: shared)."""

    name: str
    owner: str | None


def conflict(name: str, owner: str | None, domains: Iterable[Neighbour], route_exists: bool) -> str | None:
    """Why a domain with a good name cannot be created beside those that there are.

    domains: at least those that are equal to it, above it, or below it; route_exists: a route has exactly this address.
    """
    name = name.lower()
    others = {each.name.lower(): each for each in domains}
    if name in others:
        return f'The domain name "{name}" is already in use'
    above = (others[parent] for parent in parents(name) if parent in others)
    below = (each for each in others.values() if owner and each.name.lower().endswith(f".{name}"))
    for each in (*above, *below):
        if each.owner != owner and (each.owner is not None or each.name.lower().endswith(f".{name}")):
            return _reserved(name, f'"{each.name}"', "another domain")
    if route_exists:
        return _reserved(name, f'"{name}"', "a route")
    return None


def parents(name: str) -> list[str]:
    """`a.b.c` -> `b.c`, `c`."""
    labels = name.split(".")
    return [".".join(labels[start:]) for start in range(1, len(labels))]


def _reserved(name: str, what: str, by: str) -> str:
    return f'The domain name "{name}" cannot be created because {what} is already reserved by {by}'
