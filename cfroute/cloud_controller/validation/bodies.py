"""What the bodies of requests look like: for each a schema of its fields, their types and limits.

The functions beside this one say what is wrong with a body, in the words that clients know. These schemas tell clients
beforehand (`/openapi.json`); tests/cloud_controller/test_bodies.py holds the two together. A field that is refused together
with another one cannot be told here: that is in the answer.
"""

from typing import Final

from cfroute.cloud_controller.permissions import ORGANIZATION_ROLES, SPACE_ROLES
from cfroute.cloud_controller.validation.destinations import MOST
from cfroute.cloud_controller.validation.domains import LONGEST
from cfroute.cloud_controller.validation.quotas import LONGEST_NAME, ORGANIZATION_SECTIONS, SPACE_SECTIONS, Sections, largest
from cfroute.cloud_controller.validation.shapes import (
    ANYTHING,
    BOOLEAN,
    OBJECT,
    TEXT,
    Schema,
    by_name,
    closed,
    either,
    many,
    nullable,
    one_of,
    opened,
    text,
    whole,
)

_NAME = text(255, 1)
_GUID = text(200, 1)
_LARGEST = 2_147_483_647
_TO = closed({"guid": _GUID})
TO_ONE: Final = closed({"data": nullable(_TO)})
_OWNER = closed({"data": _TO})
TO_MANY: Final = opened({"data": many(closed({"guid": TEXT}))})
_METADATA = nullable(
    opened(
        {},
        labels=nullable(by_name(nullable(TEXT)) | {"propertyNames": {"pattern": "^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$"}}),
        annotations=nullable(by_name(nullable(TEXT))),
    )
)
METADATA: Final = closed({}, metadata=_METADATA)


def _relationships(*required: str, **optional: Schema) -> Schema:
    return closed(dict.fromkeys(required, _OWNER), **optional)


# organizations, spaces, people

_VARIABLES = by_name(nullable(TEXT))
ORGANIZATION: Final = closed({"name": _NAME}, suspended=nullable(BOOLEAN), metadata=_METADATA)
ORGANIZATION_UPDATE: Final = closed({}, name=_NAME, suspended=nullable(BOOLEAN), metadata=_METADATA)
SPACE: Final = closed({"name": _NAME, "relationships": _relationships("organization")}, metadata=_METADATA)
SPACE_UPDATE: Final = closed({}, name=_NAME, metadata=_METADATA)
USER: Final = closed({}, guid=_GUID, username=TEXT, origin=TEXT, metadata=_METADATA)
_WHO = closed({"data": either(_TO, opened({"username": TEXT}, origin=TEXT))})
ROLE: Final = closed(
    {
        "type": one_of(*ORGANIZATION_ROLES, *SPACE_ROLES),
        "relationships": closed({"user": _WHO}, space=nullable(_OWNER), organization=nullable(_OWNER)),
    }
)

# quotas

_QUOTA_NAME = text(LONGEST_NAME, 1)


def _limits(sections: Sections) -> dict[str, Schema]:
    return {section: closed({}, **{limit: _limit(limit) for limit in limits}) for section, limits in sections.items()}


def _limit(limit: str) -> Schema:
    return nullable(BOOLEAN if limit == "paid_services_allowed" else whole(0, largest(limit)))


ORGANIZATION_QUOTA: Final = closed(
    {"name": _QUOTA_NAME}, **_limits(ORGANIZATION_SECTIONS), relationships=closed({}, organizations=nullable(TO_MANY))
)
ORGANIZATION_QUOTA_UPDATE: Final = closed({}, name=_QUOTA_NAME, **_limits(ORGANIZATION_SECTIONS))
SPACE_QUOTA: Final = closed(
    {"name": _QUOTA_NAME, "relationships": _relationships("organization", spaces=nullable(TO_MANY))}, **_limits(SPACE_SECTIONS)
)
SPACE_QUOTA_UPDATE: Final = closed({}, name=_QUOTA_NAME, **_limits(SPACE_SECTIONS))

# domains and routes

DOMAIN: Final = closed(
    {"name": text(LONGEST, 3)},
    internal=nullable(BOOLEAN),
    router_group=nullable(closed({"guid": TEXT})),
    relationships=closed({}, organization=nullable(TO_ONE), shared_organizations=TO_MANY),
    metadata=_METADATA,
)
_OPTIONS = closed(
    {},
    loadbalancing=nullable(one_of("round-robin", "least-connection", "hash")),
    hash_header=nullable(TEXT),
    hash_balance=nullable(either(TEXT, {"type": "number"})),
)
ROUTE: Final = closed(
    {"relationships": _relationships("space", "domain")},
    host=nullable(text(63, pattern=r"^([A-Za-z0-9_-]+|\*|)$")),
    path=nullable(text(128, pattern=r"^(/[^?]+)?$")),
    port=nullable(whole(0, 65535)),
    options=_OPTIONS,
    metadata=_METADATA,
)
ROUTE_UPDATE: Final = closed({}, options=_OPTIONS, metadata=_METADATA)
_PROTOCOL = one_of("http1", "http2", "tcp")
_APP = opened({"guid": text(199, 1)}, process=nullable(closed({"type": text(shortest=1)})))
_PORT = nullable(whole(1024, 65535))
DESTINATIONS: Final = closed(
    {"destinations": many(closed({"app": _APP}, port=_PORT, protocol=nullable(_PROTOCOL)), 1, MOST)},
)
_WEIGHTED = closed({"app": _APP}, weight=nullable(whole(1, 100)), port=_PORT, protocol=nullable(_PROTOCOL))
ALL_DESTINATIONS: Final = closed({"destinations": many(_WEIGHTED, 0, MOST)})
DESTINATION: Final = closed({}, protocol=nullable(_PROTOCOL))

# apps

_LIFECYCLE = nullable(
    opened(
        {},
        type=one_of("buildpack"),
        data=closed({}, buildpacks=nullable(many(TEXT)), stack=nullable(TEXT)),
    )
)
APP: Final = closed(
    {"name": _NAME, "relationships": _relationships("space")},
    environment_variables=nullable(_VARIABLES),
    lifecycle=_LIFECYCLE,
    metadata=_METADATA,
)
APP_UPDATE: Final = closed({}, name=_NAME, lifecycle=_LIFECYCLE, metadata=_METADATA)
VARIABLES: Final = opened({"var": _VARIABLES})
SCALE: Final = closed(
    {},
    instances=nullable(whole(0, _LARGEST)),
    memory_in_mb=nullable(whole(1, _LARGEST)),
    disk_in_mb=nullable(whole(1, _LARGEST)),
    log_rate_limit_in_bytes_per_second=nullable(whole(-1, 2**63 - 1)),
)
_SECONDS = nullable(whole(1, _LARGEST))
_HEALTH_CHECK = opened(
    {},
    type=nullable(one_of("port", "process", "http")),
    data=nullable(opened({}, timeout=_SECONDS, invocation_timeout=_SECONDS, endpoint=nullable(text(pattern=r"^/\S*$")))),
)
PROCESS: Final = closed(
    {},
    command=nullable(text(4096, 1)),
    health_check=nullable(_HEALTH_CHECK),
    readiness_health_check=nullable(OBJECT),
    metadata=_METADATA,
)
PACKAGE: Final = closed(
    {"type": one_of("bits"), "relationships": _relationships("app")}, data=nullable(OBJECT), metadata=_METADATA
)
BUILD: Final = closed(
    {"package": opened({"guid": TEXT})},
    lifecycle=_LIFECYCLE,
    staging_memory_in_mb=nullable(whole()),
    staging_disk_in_mb=nullable(whole()),
    metadata=_METADATA,
)
DROPLET: Final = closed({"relationships": _relationships("app")}, process_types=nullable(by_name(TEXT)))
FEATURE: Final = closed({"enabled": BOOLEAN})
_STEP = closed({"instance_weight": whole(1, 100)})
DEPLOYMENT: Final = closed(
    {"relationships": opened({"app": _OWNER})},
    droplet=nullable(opened({"guid": TEXT})),
    revision=nullable(opened({"guid": TEXT})),
    strategy=nullable(one_of("rolling", "canary")),
    options=nullable(
        closed(
            {},
            canary=nullable(opened({}, steps=nullable(many(_STEP)))),
            max_in_flight=nullable(whole(1, _LARGEST)),
            web_instances=nullable(whole(0, _LARGEST)),
            memory_in_mb=nullable(whole(1, _LARGEST)),
            disk_in_mb=nullable(whole(1, _LARGEST)),
            log_rate_limit_in_bytes_per_second=nullable(whole(-1, 2**63 - 1)),
        )
    ),
    metadata=_METADATA,
)
RESOURCE_MATCHES: Final = closed({"resources": many(ANYTHING)})

# services

_TAGS = nullable(many(TEXT))
_URL = nullable(TEXT)
_USER_PROVIDED = {
    "credentials": nullable(OBJECT),
    "tags": _TAGS,
    "syslog_drain_url": _URL,
    "route_service_url": _URL,
    "metadata": _METADATA,
}
_PARAMETERS = nullable(OBJECT)
SERVICE_INSTANCE: Final = either(
    closed(
        {"type": one_of("user-provided"), "name": _NAME, "relationships": _relationships("space")},
        **_USER_PROVIDED,
    ),
    closed(
        {"type": one_of("managed"), "name": _NAME, "relationships": _relationships("space", "service_plan")},
        parameters=_PARAMETERS,
        tags=_TAGS,
        metadata=_METADATA,
    ),
)
SERVICE_INSTANCE_UPDATE: Final = either(
    closed({}, name=_NAME, **_USER_PROVIDED),
    closed(
        {},
        name=_NAME,
        parameters=_PARAMETERS,
        tags=_TAGS,
        relationships=_relationships("service_plan"),
        maintenance_info=nullable(opened({"version": TEXT})),
        metadata=_METADATA,
    ),
)
CREDENTIAL_BINDING: Final = either(
    closed(
        {"type": one_of("app"), "relationships": _relationships("service_instance", "app")},
        name=nullable(_NAME),
        strategy=nullable(one_of("single", "multiple")),
        parameters=_PARAMETERS,
        metadata=_METADATA,
    ),
    closed(
        {"type": one_of("key"), "name": _NAME, "relationships": _relationships("service_instance")},
        parameters=_PARAMETERS,
        metadata=_METADATA,
    ),
)
ROUTE_BINDING: Final = closed(
    {"relationships": _relationships("service_instance", "route")}, parameters=_PARAMETERS, metadata=_METADATA
)
_AUTHENTICATION = opened(
    {"type": one_of("basic"), "credentials": opened({"username": text(shortest=1), "password": text(shortest=1)})}
)
_BROKER_URL = text(shortest=1, pattern="^[Hh][Tt][Tt][Pp][Ss]?://[^@]+$")
BROKER: Final = closed(
    {"name": _NAME, "url": _BROKER_URL, "authentication": _AUTHENTICATION},
    relationships=closed({}, space=nullable(TO_ONE)),
    metadata=_METADATA,
)
BROKER_UPDATE: Final = closed({}, name=_NAME, url=_BROKER_URL, authentication=_AUTHENTICATION, metadata=_METADATA)
PLAN_VISIBILITY: Final = closed(
    {"type": one_of("public", "admin", "organization")}, organizations=nullable(many(opened({"guid": TEXT})))
)

# the platform

FEATURE_FLAG: Final = closed({}, enabled=BOOLEAN, custom_error_message=nullable(TEXT))
