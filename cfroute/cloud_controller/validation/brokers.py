"""Which service brokers, and which requests about managed instances, are good."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from cfroute.cloud_controller.labels import problems as metadata_problems
from cfroute.cloud_controller.validation.common import name, relationships, unknown_fields

_BASIC = 'Authentication authentication must be structured like this: {"type": "basic", "credentials": {"username", "password"}}'


def create_problems(body: Mapping[str, Any]) -> list[str]:
    problems = unknown_fields(body, ("name", "url", "authentication", "relationships", "metadata")) + name(body)
    problems += _url_problems(body.get("url")) + _authentication_problems(body.get("authentication"))
    if "relationships" in body:
        problems += relationships(body, (), ("space",))
    return problems + metadata_problems(body.get("metadata"))


def update_problems(body: Mapping[str, Any]) -> list[str]:
    problems = unknown_fields(body, ("name", "url", "authentication", "metadata")) + name(body, required=False)
    if "url" in body:
        problems += _url_problems(body["url"])
    if "authentication" in body:
        problems += _authentication_problems(body["authentication"])
    return problems + metadata_problems(body.get("metadata"))


def _url_problems(url: object) -> list[str]:
    if url is None or url == "":
        return ["Url can't be blank"]
    if not isinstance(url, str):
        return ["Url must be a string"]
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and url.isprintable() and " " not in url
        parts.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        good = False
    if not good:
        return [f"Url '{url}' must be a valid url"]
    return ["Url must not contain authentication"] if "@" in parts.netloc else []


def _authentication_problems(value: object) -> list[str]:
    if not isinstance(value, dict):
        return ["Authentication authentication can't be blank" if value is None else _BASIC]
    if value.get("type") != "basic":
        return ["Authentication authentication.type must be one of ['basic']"]
    credentials = value.get("credentials")
    if not isinstance(credentials, dict):
        return [_BASIC]
    return [
        f"Authentication {part} can't be blank"
        for part in ("username", "password")
        if not isinstance(credentials.get(part), str) or not credentials[part]
    ]


def managed_create_problems(body: Mapping[str, Any]) -> list[str]:
    problems = unknown_fields(body, ("type", "name", "parameters", "tags", "relationships", "metadata")) + name(body)
    return problems + relationships(body, ("space", "service_plan")) + _settings_problems(body)


def managed_update_problems(body: Mapping[str, Any]) -> list[str]:
    problems = unknown_fields(body, ("name", "parameters", "tags", "relationships", "metadata", "maintenance_info"))
    problems += name(body, required=False)
    if "relationships" in body:
        problems += relationships(body, ("service_plan",))
    info = body.get("maintenance_info")
    if info is not None and not (isinstance(info, dict) and isinstance(info.get("version"), str)):
        problems.append("Maintenance info version must be a string")
    return problems + _settings_problems(body)


def _settings_problems(body: Mapping[str, Any]) -> list[str]:
    tags = body.get("tags")
    good = tags is None or (isinstance(tags, list) and all(isinstance(tag, str) for tag in tags))
    problems = [] if good else ["Tags must be a list of strings"]
    if good and sum(len(tag) for tag in tags or []) > 2048:
        problems.append("Tags combined length must be less than or equal to 2048 characters")
    return problems + parameters_problems(body) + metadata_problems(body.get("metadata"))


def parameters_problems(body: Mapping[str, Any]) -> list[str]:
    given = body.get("parameters")
    return [] if given is None or isinstance(given, dict) else ["Parameters must be an object"]
