"""What a new role or user may look like. The messages are upstream's."""

from collections.abc import Mapping
from typing import Any

from cfroute.cloud_controller.permissions import ORGANIZATION_ROLES, SPACE_ROLES
from cfroute.cloud_controller.validation.common import to_one, unknown_fields

_KINDS = (
    "organization_auditor",
    "organization_billing_manager",
    "organization_manager",
    "organization_user",
    "space_auditor",
    "space_developer",
    "space_manager",
    "space_supporter",
)


def role_problems(body: Mapping[str, Any]) -> list[str]:
    """What is wrong with the body of `POST /v3/roles`."""
    problems = unknown_fields(body, ("type", "relationships"))
    if body.get("type") not in _KINDS:
        listed = ", ".join(f'"{kind}"' for kind in _KINDS)
        problems.append(f"Type must be one of the allowed types [{listed}]")
    value = body.get("relationships")
    if not isinstance(value, dict):
        return [*problems, "Relationships 'relationships' is not an object"]
    inner = unknown_fields(value, ("space", "user", "organization"))
    inner += _user_problems(value.get("user")) + _place_problems(value, body.get("type"))
    return problems + [f"Relationships {problem}" for problem in inner]


def _user_problems(value: object) -> list[str]:
    """A user is named by guid, or by name and maybe origin."""
    data = value.get("data") if isinstance(value, dict) else None
    data = data if isinstance(data, dict) else {}
    by_guid, by_name = "guid" in data, "username" in data
    problems = []
    if by_guid and by_name:
        problems.append("Username cannot be specified when identifying user by guid")
    if by_guid and "origin" in data:
        problems.append("User origin cannot be specified when identifying user by guid")
    if not by_name and "origin" in data:
        problems.append("User origin cannot be specified without specifying the username")
    if not by_name and not by_guid:
        problems.append("User must have a username or guid specified")
    if problems:
        return problems
    if by_guid:
        return to_one(value, "user")
    labels = {"username": "Username", "origin": "User origin"}
    return [f"{label} must be a string" for key, label in labels.items() if not isinstance(data.get(key, ""), str)]


def _place_problems(value: Mapping[str, Any], kind: object) -> list[str]:
    space, organization = (value.get(name) for name in ("space", "organization"))
    if space is None and organization is None:
        return ["must specify either a space or an organization."]
    problems = []
    if space is not None and kind in ORGANIZATION_ROLES:
        problems.append(f"Space cannot be provided with the organization role type: '{kind}'.")
    if organization is not None and kind in SPACE_ROLES:
        problems.append(f"Organization cannot be provided with the space role type: '{kind}'.")
    if space is not None and organization is not None:
        problems.append("cannot specify both an organization and a space.")
    if problems:
        return problems
    return to_one(space, "space") if space is not None else to_one(organization, "organization")


def user_problems(body: Mapping[str, Any]) -> list[str]:
    """What is wrong with the body of `POST /v3/users`."""
    problems = unknown_fields(body, ("guid", "username", "origin", "metadata"))
    guid, username, origin = (body.get(name) for name in ("guid", "username", "origin"))
    named = {"Username": username, "Origin": origin}
    if guid is not None and (username is not None or origin is not None):
        problems += [f"{label} cannot be provided with guid" for label, value in named.items() if value is not None]
    elif username is not None or origin is not None:
        problems += [f"{label} must be a string" for label, value in named.items() if not isinstance(value, str)]
    elif not isinstance(guid, str):
        problems.append("Guid must be a string")
    elif not 1 <= len(guid) <= 200:
        problems.append("Guid must be between 1 and 200 characters")
    return problems
