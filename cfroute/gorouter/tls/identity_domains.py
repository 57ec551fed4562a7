"""Domains whose routes know their callers (RFC-0055): which hosts are theirs, and which callers a route lets in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cfroute.gorouter.config import Config
from cfroute.gorouter.config_sections import DomainConfig
from cfroute.gorouter.routing_table.route_options import RouteOptions
from cfroute.gorouter.tls.caller import Caller

_ANY: Final = "cf:any"


class IdentityDomains:
    """The `domains` of a configuration, by name."""

    def __init__(self, config: Config) -> None:
        self._by_name = {domain.domain.lower().removeprefix("*."): domain for domain in config.domains}

    def of(self, host: str) -> DomainConfig | None:
        """The domain, the most special one, that a host is in."""
        name = host.lower()
        while name:
            found = self._by_name.get(name)
            if found is not None:
                return found
            name = name.partition(".")[2]
        return None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a route's policy says to a caller: `policy` is the source that lets it in, or why nothing does."""

    allowed: bool
    policy: str


def decide(caller: Caller, options: RouteOptions, tags: Mapping[str, str]) -> Decision:
    """Whether the caller may use a route with these options, whose app has these tags. Nobody may who is not named.

    The scope is the boundary that even a named caller has to be within: the space or the organization of the app.
    """
    scope = options.route_policy_scope or "any"
    boundaries = {
        "any": True,
        "org": bool(caller.organization) and caller.organization == tags.get("organization_id"),
        "space": bool(caller.space) and caller.space == tags.get("space_id"),
    }
    if not boundaries.get(scope, False):
        return Decision(False, f"scope:{scope}")
    known = (("app", caller.app), ("space", caller.space), ("org", caller.organization))
    wanted = {_ANY, *(f"cf:{kind}:{guid}" for kind, guid in known if guid)}
    for source in options.route_policy_sources.split(","):
        if source.strip() in wanted:
            return Decision(True, source.strip())
    return Decision(False, "default:deny")
