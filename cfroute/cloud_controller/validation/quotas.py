"""Quotas: which may be made, and what would exceed them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from cfroute.cloud_controller.validation.common import name, relationships, unknown_fields, whole_number

LONGEST_NAME = 250
_LARGEST_INTEGER, _LARGEST_BIGINT = 2_147_483_647, 9_223_372_036_854_775_807

SPACE_SECTIONS: Final = {
    "apps": (
        "total_memory_in_mb",
        "per_process_memory_in_mb",
        "total_instances",
        "per_app_tasks",
        "log_rate_limit_in_bytes_per_second",
    ),
    "services": ("paid_services_allowed", "total_service_instances", "total_service_keys"),
    "routes": ("total_routes", "total_reserved_ports"),
}
"""How the limits are grouped in bodies and answers."""
ORGANIZATION_SECTIONS: Final = {**SPACE_SECTIONS, "domains": ("total_domains",)}

Sections = Mapping[str, Sequence[str]]

_PORTS = "Total reserved ports must be -1, 0, or a positive integer, "
_MORE_PORTS_THAN_ROUTES = _PORTS + "and must be less than or equal to total routes."
_MORE_PORTS = (
    _PORTS
    + "must be less than or equal to total routes, and must be less than or equal to total reserved ports "
    + "for the organization quota."
)


def organization_quota_problems(body: Mapping[str, Any], *, new: bool) -> list[str]:
    """What is wrong with the body of `POST` (new) or `PATCH /v3/organization_quotas`, by itself."""
    problems = _problems(body, ORGANIZATION_SECTIONS, new=new)
    if "relationships" not in body or not new:
        return problems
    return problems + relationships(body, (), many=("organizations",))


def space_quota_problems(body: Mapping[str, Any], *, new: bool) -> list[str]:
    """What is wrong with the body of `POST` (new) or `PATCH /v3/space_quotas`, by itself."""
    problems = _problems(body, SPACE_SECTIONS, new=new)
    return problems + relationships(body, ("organization",), many=("spaces",)) if new else problems


def _problems(body: Mapping[str, Any], sections: Sections, *, new: bool) -> list[str]:
    known = ("name", *sections, *(("relationships",) if new else ()))
    problems = unknown_fields(body, known) + name(body, longest=LONGEST_NAME, required=new)
    for section in sections:
        if section in body:
            problems += [f"{section.capitalize()} {each}" for each in _section_problems(body[section], sections[section])]
    return problems


def _section_problems(given: object, limits: Sequence[str]) -> list[str]:
    if not isinstance(given, dict):
        return ["must be an object"]
    problems = unknown_fields(given, limits)
    for limit in limits:
        label = limit.capitalize().replace("_", " ")
        if limit == "paid_services_allowed":
            problems += [] if isinstance(given.get(limit), bool | None) else [f"{label} must be a boolean"]
        else:
            problems += whole_number(given, limit, label, 0, largest(limit))
    return problems


def largest(limit: str) -> int:
    """The largest number that this limit may be."""
    return _LARGEST_BIGINT if limit.startswith("log_rate") else _LARGEST_INTEGER


def organization_ports_problem(ports: int | None, routes: int | None) -> str | None:
    """Why an organization quota cannot have these limits for reserved ports and for routes."""
    return _MORE_PORTS_THAN_ROUTES if _more(ports, routes) else None


def space_ports_problem(ports: int | None, routes: int | None, organization_ports: int | None) -> str | None:
    """Why a space quota cannot have these limits, in an organization with that one."""
    return _MORE_PORTS if _more(ports, routes) or _more(ports, organization_ports) else None


def _more(limit: int | None, than: int | None) -> bool:
    return limit is not None and than is not None and limit > than


class Scope(NamedTuple):
    """A space or an organization with a quota: the limits, and what is used of them already, both by the limits' names.

    kind is `space` or `organization`. A limit for each single thing (per_process_memory_in_mb) has nothing used of it.
    """

    kind: str
    name: str
    limits: Mapping[str, int | None]
    used: Mapping[str, int]

    @property
    def prefix(self) -> str:
        """What the names of a space's errors begin with."""
        return "space_" if self.kind == "space" else ""


_EXCEEDED: Final = {
    "total_memory_in_mb": "memory {scope.prefix}quota_exceeded",
    "per_process_memory_in_mb": "memory {scope.prefix}instance_memory_limit_exceeded",
    "total_instances": "app_instance_limit {scope.prefix}app_instance_limit_exceeded",
    "total_service_instances": "You have exceeded your {scope.kind}'s services limit.",
    "total_service_keys": "You have exceeded your {scope.kind}'s limit for service binding of type key.",
    "total_routes": "Routes quota exceeded for {scope.kind} '{scope.name}'.",
    "total_reserved_ports": "Reserved route ports quota exceeded for {scope.kind} '{scope.name}'.",
    "total_domains": 'The number of private domains exceeds the quota for {scope.kind} "{scope.name}"',
}


def over(limit: int | None, used: int, more: int) -> bool:
    """Whether `more` is too much beside what is used. Where the limit is exceeded already, nothing at all fits."""
    return limit is not None and used + more > limit


def exceeded(scopes: Sequence[Scope], more: Mapping[str, int]) -> list[str]:
    """What would exceed its limit if there were `more`, in upstream's words: by scope, then in the order of `more`."""
    return [
        _EXCEEDED[limit].format(scope=scope)
        for scope in scopes
        for limit in more
        if over(scope.limits.get(limit), scope.used.get(limit, 0), more[limit])
    ]


_TOO_SMALL_TO_DEPLOY: Final = {
    "space": ("space_quota_exceeded", "space_app_instance_limit_exceeded"),
    "organization": ("quota_exceeded", "app_instance_limit_exceeded"),
}


def while_deploying(problems: Sequence[str], names: Mapping[str, str]) -> str:
    """What is said of processes that exceed a quota beside the old ones of a deployment; names of space and organization."""
    told = ", ".join(problems)
    for kind, errors in _TOO_SMALL_TO_DEPLOY.items():
        if any(error in told for error in errors):
            return (
                f"{told} for {kind} {names[kind]}. This {kind}'s quota may not be large enough to support rolling deployments "
                "or your configured max-in-flight."
            )
    return told


def paid_services_problem(*, space_allows: bool, organization_allows: bool) -> str | None:
    """Why an instance of a plan that is not free cannot be created."""
    if space_allows and organization_allows:
        return None
    whose = "" if space_allows else " for your space"
    return f"The service instance cannot be created because paid service plans are not allowed{whose}."
