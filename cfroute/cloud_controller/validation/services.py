"""Which user-provided service instances are good."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from cfroute.cloud_controller.labels import problems as metadata_problems
from cfroute.cloud_controller.validation.common import name, relationships, unknown_fields

_SETTINGS = ("name", "credentials", "tags", "syslog_drain_url", "route_service_url", "metadata")


def create_problems(body: Mapping[str, Any]) -> list[str]:
    problems = unknown_fields(body, (*_SETTINGS, "type", "relationships")) + name(body)
    return problems + relationships(body, ("space",)) + _settings_problems(body)


def update_problems(body: Mapping[str, Any]) -> list[str]:
    return unknown_fields(body, _SETTINGS) + name(body, required=False) + _settings_problems(body)


def _settings_problems(body: Mapping[str, Any]) -> list[str]:
    tags, credentials, drain = body.get("tags"), body.get("credentials"), body.get("syslog_drain_url")
    checks = (
        (tags is not None and not _texts(tags), "Tags must be a list of strings"),
        (
            _texts(tags) and sum(len(tag) for tag in tags or []) > 2048,
            "Tags combined length must be less than or equal to 2048 characters",
        ),
        (credentials is not None and not isinstance(credentials, dict), "Credentials must be an object"),
        (drain not in (None, "") and not is_uri(drain), "Syslog drain url must be a valid URI"),
    )
    problems = [message for wrong, message in checks if wrong]
    return problems + route_service_url_problems(body.get("route_service_url")) + metadata_problems(body.get("metadata"))


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def route_service_url_problems(url: object) -> list[str]:
    """What is wrong with a route service URL; null and "" stand for none."""
    if url in (None, ""):
        return []
    problems = [] if is_uri(url) else ["Route service url must be a valid URI"]
    if not (isinstance(url, str) and url.lower().startswith("https://")):
        problems.append("Route service url must be https")
    if not problems and not has_host(str(url)):
        # The database's own check, whose raw message is what upstream sends.
        problems.append("service_instance route_service_url_invalid")
    return problems


def is_uri(value: object) -> bool:
    """Whether this is an absolute URI: with a scheme, and without spaces and control characters."""
    if not isinstance(value, str) or any(character.isspace() or ord(character) < 32 for character in value):
        return False
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        return False
    # `https://` alone is a URI too, as Ruby's regular expression has it.
    return bool(parts.scheme) and len(value) > len(parts.scheme) + 1


def has_host(url: str) -> bool:
    """Whether the host has a first label: neither `https:///x` nor `https://.x.y`."""
    host = urlsplit(url).hostname or ""
    return bool(host.partition(".")[0])
