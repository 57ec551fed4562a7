"""Who may do what: one table, from a line of the API to the roles that allow it. Pure.

Everything that changes something stands here; what does not is for admins alone. What only reads stands here where seeing the
thing is not enough. Which things somebody sees at all is for `visibility`; admins see and do everything.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

ORGANIZATION_ROLES: Final = (
    "organization_user",
    "organization_auditor",
    "organization_manager",
    "organization_billing_manager",
)
SPACE_ROLES: Final = ("space_auditor", "space_developer", "space_manager", "space_supporter")

_IN_A_SPACE: Final = (
    "Space",
    "App",
    "Process",
    "Package",
    "Build",
    "Droplet",
    "Deployment",
    "Revision",
    "Route",
    "ServiceInstance",
    "CredentialBinding",
    "RouteBinding",
    "ServiceBroker",
)


class Held(NamedTuple):
    """A role that somebody has, in an organization or in a space."""

    type: str
    organization: str | None
    space: str | None


class Place(NamedTuple):
    """Where a thing is: in a space of an organization, or in an organization itself, or (with neither) nowhere."""

    organization: str | None
    space: str | None = None


class Rule(NamedTuple):
    """One of the `roles` has to be held where the things are that a request names, as far as they are of the `kinds`."""

    roles: frozenset[str]
    kinds: tuple[str, ...] = _IN_A_SPACE

    def allows(self, held: Iterable[Held], place: Place) -> bool:
        """Whether somebody with these roles may do it there."""
        return any(role.type in self.roles and _is_at(role, place) for role in held)


def _is_at(role: Held, place: Place) -> bool:
    if role.space is not None:
        return role.space == place.space
    return role.organization is not None and role.organization == place.organization


ANYBODY: Final = Rule(frozenset(), ())
_DEVELOPER: Final = Rule(frozenset({"space_developer"}))
_SUPPORTER: Final = Rule(frozenset({"space_developer", "space_supporter"}))
# A droplet that is copied has only to be seen; a package is the app's source, which only developers may have.
_APP_DEVELOPER: Final = Rule(frozenset({"space_developer"}), ("App",))
_ROUTE_DEVELOPER: Final = Rule(frozenset({"space_developer"}), ("Route",))
_ROUTE_SUPPORTER: Final = Rule(frozenset({"space_developer", "space_supporter"}), ("Route",))
_MANAGER: Final = Rule(frozenset({"organization_manager"}), ("Organization", "Space"))
_DOMAIN_OWNER: Final = Rule(frozenset({"organization_manager"}), ("Domain",))
_QUOTA_MANAGER: Final = Rule(frozenset({"organization_manager"}), ("SpaceQuota",))
_OWNER: Final = Rule(frozenset({"space_developer"}), ("ServiceInstance",))
# A binding is its app's: the instance may be another space's that shares it. A key is where the instance is.
_BINDER: Final = Rule(frozenset({"space_developer"}), ("App", "Space"))
_SPACE_MANAGER: Final = Rule(frozenset({"organization_manager", "space_manager"}), ("Organization", "Space", "Role"))

RULES: Final = {
    "POST /v3/organizations": ANYBODY,  # the feature flag user_org_creation decides
    "PATCH /v3/organizations/{guid}": _MANAGER,
    "POST /v3/spaces": _MANAGER,
    "PATCH /v3/spaces/{guid}": _SPACE_MANAGER,
    "DELETE /v3/spaces/{guid}": _MANAGER,
    "DELETE /v3/spaces/{guid}/routes": _DEVELOPER,
    "POST /v3/spaces/{guid}/actions/apply_manifest": _DEVELOPER,
    "POST /v3/spaces/{guid}/manifest_diff": _DEVELOPER,
    "PATCH /v3/spaces/{guid}/features/ssh": _SPACE_MANAGER,
    "PATCH /v3/organizations/{guid}/relationships/default_isolation_segment": _MANAGER,
    "PATCH /v3/spaces/{guid}/relationships/isolation_segment": _MANAGER,
    "POST /v3/space_quotas": Rule(frozenset({"organization_manager"}), ("Organization",)),
    "PATCH /v3/space_quotas/{guid}": _QUOTA_MANAGER,
    "DELETE /v3/space_quotas/{guid}": _QUOTA_MANAGER,
    "POST /v3/space_quotas/{guid}/relationships/spaces": _QUOTA_MANAGER,
    "DELETE /v3/space_quotas/{guid}/relationships/spaces/{space}": _QUOTA_MANAGER,
    "POST /v3/roles": _SPACE_MANAGER,
    "DELETE /v3/roles/{guid}": _SPACE_MANAGER,
    "POST /v3/domains": Rule(frozenset({"organization_manager"}), ("Organization",)),
    "PATCH /v3/domains/{guid}": _DOMAIN_OWNER,
    "DELETE /v3/domains/{guid}": _DOMAIN_OWNER,
    "POST /v3/domains/{guid}/relationships/shared_organizations": _DOMAIN_OWNER,
    "DELETE /v3/domains/{guid}/relationships/shared_organizations/{organization}": _DOMAIN_OWNER,
    "POST /v3/routes": _SUPPORTER,
    "PATCH /v3/routes/{guid}": _SUPPORTER,
    "DELETE /v3/routes/{guid}": _SUPPORTER,
    "POST /v3/routes/{guid}/destinations": _SUPPORTER,
    "PATCH /v3/routes/{guid}/destinations": _SUPPORTER,
    "PATCH /v3/routes/{guid}/destinations/{destination}": _SUPPORTER,
    "DELETE /v3/routes/{guid}/destinations/{destination}": _SUPPORTER,
    "POST /v3/routes/{guid}/relationships/shared_spaces": _ROUTE_SUPPORTER,
    "DELETE /v3/routes/{guid}/relationships/shared_spaces/{space}": _ROUTE_SUPPORTER,
    "PATCH /v3/routes/{guid}/relationships/space": _ROUTE_DEVELOPER,
    "POST /v3/apps": _DEVELOPER,
    "PATCH /v3/apps/{guid}": _DEVELOPER,
    "DELETE /v3/apps/{guid}": _DEVELOPER,
    "POST /v3/apps/{guid}/actions/start": _SUPPORTER,
    "POST /v3/apps/{guid}/actions/stop": _SUPPORTER,
    "POST /v3/apps/{guid}/actions/restart": _SUPPORTER,
    "PATCH /v3/apps/{guid}/relationships/current_droplet": _SUPPORTER,
    "GET /v3/apps/{guid}/env": _DEVELOPER,
    "GET /v3/apps/{guid}/environment_variables": _SUPPORTER,
    "PATCH /v3/apps/{guid}/environment_variables": _DEVELOPER,
    "GET /v3/apps/{guid}/manifest": _SUPPORTER,
    "PATCH /v3/processes/{guid}": _SUPPORTER,
    "PATCH /v3/apps/{guid}/processes/{type}": _SUPPORTER,
    "POST /v3/processes/{guid}/actions/scale": _SUPPORTER,
    "POST /v3/apps/{guid}/processes/{type}/actions/scale": _SUPPORTER,
    "DELETE /v3/processes/{guid}/instances/{index}": _SUPPORTER,
    "DELETE /v3/apps/{guid}/processes/{type}/instances/{index}": _SUPPORTER,
    "POST /v3/resource_matches": ANYBODY,
    "POST /v3/packages": _DEVELOPER,
    "DELETE /v3/packages/{guid}": _DEVELOPER,
    "POST /v3/packages/{guid}/upload": _DEVELOPER,
    "GET /v3/packages/{guid}/download": _DEVELOPER,
    "POST /v3/builds": _SUPPORTER,
    "POST /v3/apps/{guid}/tasks": _DEVELOPER,
    "PATCH /v3/apps/{guid}/features/{feature}": _DEVELOPER,
    "POST /v3/droplets": _APP_DEVELOPER,
    "PATCH /v3/droplets/{guid}": _DEVELOPER,
    "DELETE /v3/droplets/{guid}": _DEVELOPER,
    "POST /v3/droplets/{guid}/upload": _DEVELOPER,
    "GET /v3/droplets/{guid}/download": _DEVELOPER,
    "POST /v3/deployments": _SUPPORTER,
    "PATCH /v3/deployments/{guid}": _DEVELOPER,
    "POST /v3/deployments/{guid}/actions/cancel": _SUPPORTER,
    "POST /v3/deployments/{guid}/actions/continue": _SUPPORTER,
    "PATCH /v3/revisions/{guid}": _DEVELOPER,
    "GET /v3/revisions/{guid}/environment_variables": _DEVELOPER,
    "POST /v3/service_brokers": _DEVELOPER,
    "PATCH /v3/service_brokers/{guid}": _DEVELOPER,
    "DELETE /v3/service_brokers/{guid}": _DEVELOPER,
    "POST /v3/service_instances": _DEVELOPER,
    "PATCH /v3/service_instances/{guid}": _DEVELOPER,
    "DELETE /v3/service_instances/{guid}": _DEVELOPER,
    "GET /v3/service_instances/{guid}/credentials": _DEVELOPER,
    "GET /v3/service_instances/{guid}/parameters": _DEVELOPER,
    "POST /v3/service_instances/{guid}/relationships/shared_spaces": _OWNER,
    "DELETE /v3/service_instances/{guid}/relationships/shared_spaces/{space}": _OWNER,
    "POST /v3/service_credential_bindings": _BINDER,
    "PATCH /v3/service_credential_bindings/{guid}": _DEVELOPER,
    "DELETE /v3/service_credential_bindings/{guid}": _DEVELOPER,
    "GET /v3/service_credential_bindings/{guid}/details": _DEVELOPER,
    "GET /v3/service_credential_bindings/{guid}/parameters": _DEVELOPER,
    "POST /v3/service_route_bindings": _DEVELOPER,
    "PATCH /v3/service_route_bindings/{guid}": _DEVELOPER,
    "DELETE /v3/service_route_bindings/{guid}": _DEVELOPER,
    "GET /v3/service_route_bindings/{guid}/parameters": _DEVELOPER,
}


def rule_of(method: str, path: str) -> Rule | None:
    """The rule of one line of the API. None for what changes something and is not listed: that is for admins."""
    return RULES.get(f"{method} {path}", ANYBODY if method == "GET" else None)
