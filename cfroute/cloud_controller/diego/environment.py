"""What apps are told through their environment. Pure.

The cell adds what differs between instances: PORT, CF_INSTANCE_*, and the instance's part of VCAP_APPLICATION.
"""

from typing import Any

import msgspec

FILE_DESCRIPTORS = 16384


class Place(msgspec.Struct, frozen=True):
    """An app, and where it is."""

    app_guid: str
    app_name: str
    space_guid: str
    space_name: str
    organization_guid: str
    organization_name: str
    api: str
    uris: list[str] = []


class Service(msgspec.Struct, frozen=True):
    """A service instance that the app is bound to; one of a broker has a plan."""

    name: str
    guid: str
    binding_guid: str
    binding_name: str | None = None
    credentials: dict[str, Any] = {}
    tags: list[str] = []
    syslog_drain_url: str | None = None
    volume_mounts: list[dict[str, Any]] = []
    label: str = "user-provided"
    plan: str | None = None


def vcap_application(
    place: Place, *, memory_mb: int, disk_mb: int, version: str = "", process: tuple[str, str] | None = None
) -> dict[str, Any]:
    """VCAP_APPLICATION without the instance's part; process is its (guid, type)."""
    facts: dict[str, Any] = {
        "cf_api": place.api,
        "limits": {"fds": FILE_DESCRIPTORS, "mem": memory_mb, "disk": disk_mb},
        "application_name": place.app_name,
        "application_uris": place.uris,
        "name": place.app_name,
        "space_name": place.space_name,
        "space_id": place.space_guid,
        "organization_id": place.organization_guid,
        "organization_name": place.organization_name,
        "uris": place.uris,
        "users": None,
        "application_id": place.app_guid,
    }
    if process:
        facts |= {"process_id": process[0], "process_type": process[1]}
    if version:
        facts |= {"version": version, "application_version": version}
    return facts


def vcap_services(services: list[Service]) -> dict[str, list[dict[str, Any]]]:
    """VCAP_SERVICES: the bound services by their label, with everything in upstream's order."""
    found: dict[str, list[dict[str, Any]]] = {}
    for each in services:
        offered = {"provider": None, "plan": each.plan} if each.plan is not None else {}
        entry = {
            "label": each.label,
            **offered,
            "name": each.binding_name or each.name,
            "tags": each.tags,
            "instance_guid": each.guid,
            "instance_name": each.name,
            "binding_guid": each.binding_guid,
            "binding_name": each.binding_name,
            "credentials": each.credentials,
            "syslog_drain_url": each.syslog_drain_url,
            "volume_mounts": [_shown(mount) for mount in each.volume_mounts],
        }
        found.setdefault(each.label, []).append(entry)
    return found


def _shown(mount: dict[str, Any]) -> dict[str, Any]:
    """What apps may know of a volume: where it is, not how it is reached."""
    return {key: value for key, value in mount.items() if key in ("container_dir", "mode", "device_type")}


def variables(own: dict[str, str], application: dict[str, Any], services: list[Service], memory_mb: int) -> dict[str, str]:
    """The environment of a process: the app's own variables, and what the platform says."""
    return {
        "LANG": "en_US.UTF-8",
        **own,
        "MEMORY_LIMIT": f"{memory_mb}m",
        "VCAP_APPLICATION": msgspec.json.encode(application).decode(),
        "VCAP_SERVICES": msgspec.json.encode(vcap_services(services)).decode(),
    }
