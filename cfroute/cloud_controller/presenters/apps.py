"""Apps, processes, packages, builds and droplets."""

from typing import Any

from cfroute.cloud_controller.models import App, Build, Droplet, Package, Process
from cfroute.cloud_controller.presenters.common import identity, metadata, to_one
from cfroute.cloud_controller.urls import Urls

HIDDEN = "[PRIVATE DATA HIDDEN IN LISTS]"
BUILDPACK_LIFECYCLE = "buildpack"


def app(app: App, urls: Urls) -> dict[str, Any]:
    path = f"/apps/{app.guid}"
    links = {
        "self": urls.link(path),
        "space": urls.link(f"/spaces/{app.space_guid}"),
        "start": urls.link(f"{path}/actions/start", "POST"),
        "stop": urls.link(f"{path}/actions/stop", "POST"),
    }
    for name in ("environment_variables", "processes", "packages", "routes", "sidecars", "revisions", "features"):
        links[name] = urls.link(f"{path}/{name}")
    links["current_droplet"] = urls.link(f"{path}/droplets/current")
    links["droplets"] = urls.link(f"{path}/droplets")
    links["deployed_revisions"] = urls.link(f"{path}/revisions/deployed")
    return {
        **identity(app),
        "name": app.name,
        "state": app.state,
        "lifecycle": lifecycle(app.buildpacks, app.stack),
        "relationships": {"space": to_one(app.space_guid), "current_droplet": to_one(app.droplet_guid)},
        "metadata": metadata(app),
        "links": links,
    }


def lifecycle(buildpacks: list[str], stack: str) -> dict[str, Any]:
    return {"type": BUILDPACK_LIFECYCLE, "data": {"buildpacks": buildpacks, "stack": stack}}


def process(process: Process, urls: Urls, command: str | None = HIDDEN) -> dict[str, Any]:
    """A process; lists do not show the command, which may hold secrets."""
    path = f"/processes/{process.guid}"
    revision = to_one(process.revision_guid) if process.revision_guid else None
    return {
        **identity(process),
        "version": process.version,
        "type": process.type,
        "command": command,
        "instances": process.instances,
        "memory_in_mb": process.memory_mb,
        "disk_in_mb": process.disk_mb,
        "log_rate_limit_in_bytes_per_second": process.log_rate_limit,
        "health_check": health_check(process),
        "readiness_health_check": {"type": "process", "data": {"invocation_timeout": None, "interval": None}},
        "relationships": {"app": to_one(process.app_guid), "revision": revision},
        "metadata": metadata(process),
        "links": {
            "self": urls.link(path),
            "scale": urls.link(f"{path}/actions/scale", "POST"),
            "app": urls.link(f"/apps/{process.app_guid}"),
            "space": urls.link(f"/spaces/{process.app.space_guid}"),
            "stats": urls.link(f"{path}/stats"),
        },
    }


def health_check(process: Process) -> dict[str, Any]:
    data: dict[str, Any] = {"timeout": process.health_check_timeout}
    if process.health_check_type != "process":
        data["invocation_timeout"] = process.health_check_invocation_timeout
        data["interval"] = None
    if process.health_check_type == "http":
        data["endpoint"] = process.health_check_endpoint or "/"
    return {"type": process.health_check_type, "data": data}


def package(package: Package, urls: Urls) -> dict[str, Any]:
    path = f"/packages/{package.guid}"
    return {
        **identity(package),
        "type": package.type,
        "state": package.state,
        "data": {"error": None, "checksum": {"type": "sha256", "value": package.checksum}},
        "relationships": {"app": to_one(package.app_guid)},
        "metadata": metadata(package),
        "links": {
            "self": urls.link(path),
            "upload": urls.link(f"{path}/upload", "POST"),
            "download": urls.link(f"{path}/download", "GET"),
            "app": urls.link(f"/apps/{package.app_guid}"),
        },
    }


def build(build: Build, urls: Urls) -> dict[str, Any]:
    links = {"self": urls.link(f"/builds/{build.guid}"), "app": urls.link(f"/apps/{build.app_guid}")}
    staged = build.state == "STAGED"
    if staged:
        links["droplet"] = urls.link(f"/droplets/{build.droplet_guid}")
    return {
        **identity(build),
        "created_by": {"guid": "", "name": build.created_by, "email": build.created_by},
        "state": build.state,
        "error": build.error,
        "lifecycle": lifecycle(build.buildpacks, build.app.stack),
        "package": {"guid": build.package_guid},
        "droplet": {"guid": build.droplet_guid} if staged else None,
        "relationships": {"app": to_one(build.app_guid)},
        "metadata": metadata(build),
        "links": links,
    }


def droplet(droplet: Droplet, urls: Urls) -> dict[str, Any]:
    path = f"/droplets/{droplet.guid}"
    links = {
        "self": urls.link(path),
        "app": urls.link(f"/apps/{droplet.app_guid}"),
        "assign_current_droplet": urls.link(f"/apps/{droplet.app_guid}/relationships/current_droplet", "PATCH"),
        "download": urls.link(f"{path}/download"),
    }
    if droplet.state == "AWAITING_UPLOAD":
        links["upload"] = urls.link(f"{path}/upload", "POST")
    if droplet.package_guid:
        links["package"] = urls.link(f"/packages/{droplet.package_guid}")
    found = {"name": droplet.buildpack, "detect_output": droplet.detected_output, "version": None}
    return {
        **identity(droplet),
        "state": droplet.state,
        "error": None,
        "lifecycle": {"type": BUILDPACK_LIFECYCLE, "data": {}},
        "execution_metadata": "",
        "process_types": droplet.process_types,
        "checksum": {"type": "sha256", "value": droplet.checksum},
        "buildpacks": [{**found, "buildpack_name": droplet.buildpack}] if droplet.buildpack else [],
        "stack": droplet.stack,
        "image": None,
        "relationships": {"app": to_one(droplet.app_guid)},
        "metadata": metadata(droplet),
        "links": links,
    }
