"""Organizations, spaces, users and roles."""

from collections.abc import Mapping
from typing import Final

from cfroute.cloud_controller.openapi.general import WORD, thing
from cfroute.cloud_controller.openapi.operation import Operation, changed, job, lists, made, one, page
from cfroute.cloud_controller.permissions import ORGANIZATION_ROLES, SPACE_ROLES
from cfroute.cloud_controller.resources import organizations, roles, spaces, users
from cfroute.cloud_controller.validation import bodies
from cfroute.cloud_controller.validation.shapes import BOOLEAN, OBJECT, TEXT, Schema, one_of, opened

OBJECTS: Final[Mapping[str, Schema]] = {
    "Organization": thing({"name": TEXT, "suspended": BOOLEAN}, "quota"),
    "OrganizationQuota": thing({"name": TEXT, "apps": OBJECT, "services": OBJECT, "routes": OBJECT, "domains": OBJECT}),
    "Space": thing({"name": TEXT}, "organization", "quota"),
    "SpaceFeature": opened({"name": TEXT, "description": TEXT, "enabled": BOOLEAN}),
    "SpaceFeatures": opened({"features": {"type": "array"}}),
    "User": thing({"username": WORD, "presentation_name": TEXT, "origin": WORD}),
    "Role": thing({"type": one_of(*ORGANIZATION_ROLES, *SPACE_ROLES)}, "user", "organization", "space", labelled=False),
}
_NAMES: Final = lists("names", "guids", "organization_guids")

OPERATIONS: Final[Mapping[str, Operation]] = {
    "GET /v3/organizations": page("Organization", organizations.LISTING),
    "POST /v3/organizations": made("Organization", bodies.ORGANIZATION),
    "GET /v3/organizations/{guid}": one("Organization"),
    "PATCH /v3/organizations/{guid}": changed("Organization", bodies.ORGANIZATION_UPDATE),
    "DELETE /v3/organizations/{guid}": job(),
    "GET /v3/organizations/{guid}/domains": page("Domain", organizations.DOMAINS),
    "GET /v3/organizations/{guid}/domains/default": one("Domain"),
    "GET /v3/organizations/{guid}/users": page("User", users.LISTING),
    "GET /v3/organizations/{guid}/relationships/default_isolation_segment": one("ToOne"),
    "GET /v3/organization_quotas": page("OrganizationQuota", **_NAMES),
    "GET /v3/organization_quotas/{guid}": one("OrganizationQuota"),
    "GET /v3/spaces": page("Space", spaces.LISTING),
    "POST /v3/spaces": made("Space", bodies.SPACE),
    "GET /v3/spaces/{guid}": one("Space", spaces.LISTING),
    "PATCH /v3/spaces/{guid}": changed("Space", bodies.SPACE_UPDATE),
    "DELETE /v3/spaces/{guid}": job(),
    "DELETE /v3/spaces/{guid}/routes": job({"unmapped": BOOLEAN}),
    "GET /v3/spaces/{guid}/users": page("User", users.LISTING),
    "GET /v3/spaces/{guid}/features": one("SpaceFeatures"),
    "GET /v3/spaces/{guid}/features/ssh": one("SpaceFeature"),
    "GET /v3/spaces/{guid}/relationships/isolation_segment": one("ToOne"),
    "GET /v3/users": page("User", users.LISTING),
    "POST /v3/users": made("User", bodies.USER),
    "GET /v3/users/{guid}": one("User"),
    "PATCH /v3/users/{guid}": changed("User", bodies.METADATA),
    "DELETE /v3/users/{guid}": job(),
    "GET /v3/roles": page("Role", roles.LISTING),
    "POST /v3/roles": made("Role", bodies.ROLE),
    "GET /v3/roles/{guid}": one("Role", roles.LISTING),
    "DELETE /v3/roles/{guid}": job(),
}
