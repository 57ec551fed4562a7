"""Organizations, spaces, users and roles."""

from collections.abc import Mapping
from typing import Final

from cfroute.cloud_controller.openapi.general import WORD, thing
from cfroute.cloud_controller.openapi.operation import Operation, changed, gone, job, made, one, page
from cfroute.cloud_controller.permissions import ORGANIZATION_ROLES, SPACE_ROLES
from cfroute.cloud_controller.resources import organization_quotas, organizations, roles, space_quotas, spaces, users
from cfroute.cloud_controller.validation import bodies
from cfroute.cloud_controller.validation.shapes import BOOLEAN, OBJECT, TEXT, Schema, by_name, one_of, opened, ref, whole

_LIMITS: Final = {"name": TEXT, "apps": OBJECT, "services": OBJECT, "routes": OBJECT}
OBJECTS: Final[Mapping[str, Schema]] = {
    "Organization": thing({"name": TEXT, "suspended": BOOLEAN}, "quota"),
    "OrganizationQuota": thing(
        {**_LIMITS, "domains": OBJECT, "relationships": opened({"organizations": ref("ToMany")})}, labelled=False
    ),
    "SpaceQuota": thing(
        {**_LIMITS, "relationships": opened({"organization": ref("ToOne"), "spaces": ref("ToMany")})}, labelled=False
    ),
    "Usage": opened({"usage_summary": by_name(whole(0)), "links": ref("Links")}),
    "Space": thing({"name": TEXT}, "organization", "quota"),
    "SpaceFeature": opened({"name": TEXT, "description": TEXT, "enabled": BOOLEAN}),
    "SpaceFeatures": opened({"features": {"type": "array"}}),
    "User": thing({"username": WORD, "presentation_name": TEXT, "origin": WORD}),
    "Role": thing({"type": one_of(*ORGANIZATION_ROLES, *SPACE_ROLES)}, "user", "organization", "space", labelled=False),
}

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
    "PATCH /v3/organizations/{guid}/relationships/default_isolation_segment": changed("ToOne", bodies.TO_ONE),
    "GET /v3/organizations/{guid}/usage_summary": one("Usage"),
    "GET /v3/organization_quotas": page("OrganizationQuota", organization_quotas.LISTING),
    "POST /v3/organization_quotas": made("OrganizationQuota", bodies.ORGANIZATION_QUOTA),
    "GET /v3/organization_quotas/{guid}": one("OrganizationQuota"),
    "PATCH /v3/organization_quotas/{guid}": changed("OrganizationQuota", bodies.ORGANIZATION_QUOTA_UPDATE),
    "DELETE /v3/organization_quotas/{guid}": job(),
    "POST /v3/organization_quotas/{guid}/relationships/organizations": changed("ToMany", bodies.TO_MANY),
    "GET /v3/spaces": page("Space", spaces.LISTING),
    "POST /v3/spaces": made("Space", bodies.SPACE),
    "GET /v3/spaces/{guid}": one("Space", spaces.LISTING),
    "PATCH /v3/spaces/{guid}": changed("Space", bodies.SPACE_UPDATE),
    "DELETE /v3/spaces/{guid}": job(),
    "DELETE /v3/spaces/{guid}/routes": job({"unmapped": BOOLEAN}),
    "GET /v3/spaces/{guid}/usage_summary": one("Usage"),
    "GET /v3/space_quotas": page("SpaceQuota", space_quotas.LISTING),
    "POST /v3/space_quotas": made("SpaceQuota", bodies.SPACE_QUOTA),
    "GET /v3/space_quotas/{guid}": one("SpaceQuota"),
    "PATCH /v3/space_quotas/{guid}": changed("SpaceQuota", bodies.SPACE_QUOTA_UPDATE),
    "DELETE /v3/space_quotas/{guid}": job(),
    "POST /v3/space_quotas/{guid}/relationships/spaces": changed("ToMany", bodies.TO_MANY),
    "DELETE /v3/space_quotas/{guid}/relationships/spaces/{space}": gone(),
    "GET /v3/spaces/{guid}/users": page("User", users.LISTING),
    "GET /v3/spaces/{guid}/features": one("SpaceFeatures"),
    "GET /v3/spaces/{guid}/features/ssh": one("SpaceFeature"),
    "PATCH /v3/spaces/{guid}/features/ssh": changed("SpaceFeature", bodies.FEATURE),
    "GET /v3/spaces/{guid}/relationships/isolation_segment": one("ToOne"),
    "PATCH /v3/spaces/{guid}/relationships/isolation_segment": changed("ToOne", bodies.TO_ONE),
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
