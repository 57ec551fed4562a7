"""Apps, processes, and the way from packages to droplets."""

from collections.abc import Mapping
from typing import Final

from cfroute.cloud_controller.openapi.general import NUMBER, TEXTS, WORD, thing
from cfroute.cloud_controller.openapi.operation import (
    BYTES,
    JSON,
    YAML,
    Content,
    Operation,
    changed,
    file,
    gone,
    job,
    lists,
    made,
    one,
    page,
    refused,
)
from cfroute.cloud_controller.resources import apps, builds, droplets, packages, processes
from cfroute.cloud_controller.validation import bodies
from cfroute.cloud_controller.validation.shapes import (
    ANYTHING,
    BOOLEAN,
    OBJECT,
    TEXT,
    Schema,
    by_name,
    many,
    nullable,
    one_of,
    opened,
    ref,
    whole,
)

_HEALTH_CHECK: Final = opened(
    {
        "type": one_of("port", "process", "http"),
        "data": opened({}, timeout=NUMBER, invocation_timeout=NUMBER, interval=NUMBER, endpoint=TEXT),
    }
)
_STATES: Final = one_of("RUNNING", "STARTING", "DOWN", "CRASHED")
_PORT: Final = opened(
    {"external": NUMBER, "internal": NUMBER, "external_tls_proxy_port": NUMBER, "internal_tls_proxy_port": NUMBER}
)
_ENVIRONMENTS: Final = (
    "staging_env_json",
    "running_env_json",
    "environment_variables",
    "system_env_json",
    "application_env_json",
)

OBJECTS: Final[Mapping[str, Schema]] = {
    "Lifecycle": opened({"type": one_of("buildpack"), "data": opened({}, buildpacks=TEXTS, stack=TEXT)}),
    "Checksum": opened({"type": one_of("sha256"), "value": WORD}),
    "App": thing(
        {"name": TEXT, "state": one_of("STOPPED", "STARTED"), "lifecycle": ref("Lifecycle")}, "space", "current_droplet"
    ),
    "Environment": opened(dict.fromkeys(_ENVIRONMENTS, OBJECT)),
    "Variables": opened({"var": by_name(TEXT), "links": ref("Links")}),
    "Process": thing(
        {
            "version": TEXT,
            "type": TEXT,
            "command": WORD,
            "instances": whole(0),
            "memory_in_mb": whole(1),
            "disk_in_mb": whole(1),
            "log_rate_limit_in_bytes_per_second": whole(-1),
            "health_check": _HEALTH_CHECK,
            "readiness_health_check": _HEALTH_CHECK,
            "relationships": opened({"app": ref("ToOne"), "revision": nullable(ref("ToOne"))}),
        },
        process_instances=many(opened({"index": whole(0), "state": _STATES, "since": NUMBER})),
    ),
    "ProcessInstance": opened(
        {"type": TEXT, "index": whole(0), "state": _STATES, "uptime": whole(0), "isolation_segment": WORD, "details": WORD},
        routable=nullable(BOOLEAN),
        instance_guid=TEXT,
        host=TEXT,
        instance_internal_ip=TEXT,
        instance_ports=many(_PORT),
        mem_quota=NUMBER,
        disk_quota=NUMBER,
        log_rate_limit=NUMBER,
        fds_quota=whole(),
        usage=OBJECT,
    ),
    "Stats": opened({"resources": many(ref("ProcessInstance"))}),
    "Package": thing(
        {
            "type": one_of("bits"),
            "state": one_of("AWAITING_UPLOAD", "READY"),
            "data": opened({"error": WORD, "checksum": ref("Checksum")}),
        },
        "app",
    ),
    "Build": thing(
        {
            "created_by": opened({"guid": TEXT, "name": TEXT, "email": TEXT}),
            "state": one_of("STAGING", "STAGED", "FAILED"),
            "error": WORD,
            "lifecycle": ref("Lifecycle"),
            "package": ref("Guid"),
            "droplet": nullable(ref("Guid")),
        },
        "app",
    ),
    "Droplet": thing(
        {
            "state": TEXT,
            "error": WORD,
            "lifecycle": ref("Lifecycle"),
            "execution_metadata": TEXT,
            "process_types": nullable(by_name(TEXT)),
            "checksum": nullable(ref("Checksum")),
            "buildpacks": many(opened({"name": WORD, "detect_output": WORD, "version": WORD, "buildpack_name": WORD})),
            "stack": WORD,
            "image": WORD,
        },
        "app",
    ),
    "ManifestDiff": opened({"diff": many(opened({"op": TEXT, "path": TEXT}, was=ANYTHING, value=ANYTHING))}),
    "ResourceMatches": opened({"resources": many(OBJECT)}),
}

_EMPTY: Final = lists("names", "guids", "organization_guids", "space_guids", "app_guids", "status_values", "states")
_BITS: Final = Content("multipart/form-data", opened({}, bits={"type": "string", "format": "binary"}, resources=TEXT))
_DROPLET_BITS: Final = Content("multipart/form-data", opened({"bits": {"type": "string", "format": "binary"}}))
_COPY: Final = {"source_guid": TEXT}
_MANIFEST: Final = Content(YAML, opened({"applications": many(opened({"name": TEXT}), 1)}, version=whole(1, 1)))

OPERATIONS: Final[Mapping[str, Operation]] = {
    "GET /v3/apps": page("App", apps.LISTING),
    "POST /v3/apps": made("App", bodies.APP),
    "GET /v3/apps/{guid}": one("App", apps.LISTING),
    "PATCH /v3/apps/{guid}": changed("App", bodies.APP_UPDATE),
    "DELETE /v3/apps/{guid}": job(),
    "POST /v3/apps/{guid}/actions/start": changed("App"),
    "POST /v3/apps/{guid}/actions/stop": changed("App"),
    "POST /v3/apps/{guid}/actions/restart": changed("App"),
    "GET /v3/apps/{guid}/droplets/current": one("Droplet"),
    "GET /v3/apps/{guid}/relationships/current_droplet": one("ToOne"),
    "PATCH /v3/apps/{guid}/relationships/current_droplet": changed("ToOne", bodies.TO_ONE),
    "GET /v3/apps/{guid}/env": one("Environment"),
    "GET /v3/apps/{guid}/environment_variables": one("Variables"),
    "PATCH /v3/apps/{guid}/environment_variables": changed("Variables", bodies.VARIABLES),
    "GET /v3/apps/{guid}/manifest": file(YAML),
    "POST /v3/spaces/{guid}/actions/apply_manifest": Operation({202: None}, _MANIFEST),
    "POST /v3/spaces/{guid}/manifest_diff": Operation({201: Content(JSON, ref("ManifestDiff"))}, _MANIFEST),
    "GET /v3/processes": page("Process", processes.LISTING),
    "GET /v3/apps/{guid}/processes": page("Process", processes.LISTING),
    "GET /v3/processes/{guid}": one("Process"),
    "PATCH /v3/processes/{guid}": changed("Process", bodies.PROCESS),
    "POST /v3/processes/{guid}/actions/scale": changed("Process", bodies.SCALE, 202),
    "GET /v3/processes/{guid}/stats": one("Stats"),
    "GET /v3/processes/{guid}/sidecars": page("Object", **_EMPTY),
    "DELETE /v3/processes/{guid}/instances/{index}": gone(),
    "GET /v3/apps/{guid}/processes/{type}": one("Process"),
    "PATCH /v3/apps/{guid}/processes/{type}": changed("Process", bodies.PROCESS),
    "POST /v3/apps/{guid}/processes/{type}/actions/scale": changed("Process", bodies.SCALE, 202),
    "GET /v3/apps/{guid}/processes/{type}/stats": one("Stats"),
    "GET /v3/apps/{guid}/sidecars": page("Object", **_EMPTY),
    "DELETE /v3/apps/{guid}/processes/{type}/instances/{index}": gone(),
    "POST /v3/resource_matches": made("ResourceMatches", bodies.RESOURCE_MATCHES),
    "GET /v3/packages": page("Package", packages.LISTING),
    "POST /v3/packages": made("Package", bodies.PACKAGE, _COPY),
    "GET /v3/packages/{guid}": one("Package"),
    "DELETE /v3/packages/{guid}": job(),
    "POST /v3/packages/{guid}/upload": Operation({200: Content(JSON, ref("Package"))}, _BITS),
    "GET /v3/packages/{guid}/download": file(BYTES),
    "GET /v3/packages/{guid}/droplets": page("Droplet", packages.DROPLETS),
    "GET /v3/apps/{guid}/packages": page("Package", packages.LISTING),
    "GET /v3/builds": page("Build", builds.BUILDS),
    "POST /v3/builds": made("Build", bodies.BUILD),
    "GET /v3/builds/{guid}": one("Build"),
    "GET /v3/apps/{guid}/builds": page("Build", builds.BUILDS),
    "GET /v3/droplets": page("Droplet", droplets.LISTING),
    "POST /v3/droplets": made("Droplet", bodies.DROPLET, _COPY),
    "PATCH /v3/droplets/{guid}": changed("Droplet", bodies.METADATA),
    "POST /v3/droplets/{guid}/upload": Operation({202: Content(JSON, ref("Droplet"))}, _DROPLET_BITS),
    "GET /v3/droplets/{guid}": one("Droplet"),
    "DELETE /v3/droplets/{guid}": job(),
    "GET /v3/droplets/{guid}/download": file(BYTES),
    "GET /v3/apps/{guid}/droplets": page("Droplet", droplets.LISTING),
    "GET /v3/tasks": page("Object", **_EMPTY),
    "GET /v3/tasks/{guid}": one("Object"),
    "GET /v3/apps/{guid}/tasks": page("Object", **lists("names", "guids", "states", "sequence_ids")),
    "POST /v3/apps/{guid}/tasks": refused(),
}
