"""What a broker gives with a binding, and what of it cannot be taken. Pure.

The rules and sentences are the Cloud Controller's: what an offering does not say that it `requires`, its bindings may not have.
"""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

_INVALID = "The service broker returned an invalid response: "
_NO_LOGS = (
    "The service is attempting to stream logs from your application, but is not registered as a logging service. "
    "Please contact the service provider."
)
_NO_VOLUMES = (
    "The service is attempting to supply volume mounts from your application, but is not registered as a volume mount service. "
    "Please contact the service provider."
)
_MOUNT_TEXTS = ("device_type", "mode", "container_dir", "driver")


class Flaw(NamedTuple):
    """Why it cannot be taken: the API's name for that, and a sentence; without one the whole answer is told."""

    error: str
    detail: str = ""


def flaw(values: Mapping[str, Any], requires: Collection[str]) -> Flaw | None:
    """The first thing that is wrong with what was given; None for a good binding."""
    credentials, url = values.get("credentials"), values.get("route_service_url")
    if credentials is not None and not isinstance(credentials, dict):
        return Flaw("ServiceBrokerResponseMalformed", f"{_INVALID}expected credentials to be a valid JSON object")
    if values.get("syslog_drain_url") is not None and "syslog_drain" not in requires:
        return Flaw("ServiceBrokerInvalidSyslogDrainUrl", _NO_LOGS)
    if url is not None and not ("route_forwarding" in requires and secure(url)):
        return Flaw("ServiceBrokerBadResponse")
    mounts = values.get("volume_mounts")
    problem = None if mounts is None else _mounts_problem(mounts, requires)
    return Flaw("ServiceBrokerInvalidVolumeMounts", f"{_INVALID}{problem}") if problem else None


def secure(url: Any) -> bool:
    """Whether route services may be there: https, with a host whose first label is not empty."""
    if not isinstance(url, str):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool((parts.hostname or "").split(".")[0])
    except ValueError:
        return False


def _mounts_problem(mounts: Any, requires: Collection[str]) -> str | None:
    if "volume_mount" not in requires:
        return _NO_VOLUMES
    if not (isinstance(mounts, list) and all(isinstance(each, dict) for each in mounts)):
        return 'expected "volume_mounts" key to contain an array of JSON objects in body'
    return next((problem for each in mounts if (problem := _mount_problem(each))), None)


def _mount_problem(mount: Mapping[str, Any]) -> str | None:
    device = mount.get("device")
    missing = [key for key in _MOUNT_TEXTS if not (isinstance(mount.get(key), str) and mount[key])]
    missing += [] if "device" in mount else ["device"]
    if missing:
        return f"missing required field '{missing[0]}'"
    if not isinstance(device, dict):
        return "required field 'device' must be an object"
    if not (isinstance(device.get("volume_id"), str) and device["volume_id"]):
        return "required field 'device.volume_id' must be a non-empty string"
    if not isinstance(device.get("mount_config", {}), dict | None):
        return "field 'device.mount_config' must be an object if it is defined"
    return None
