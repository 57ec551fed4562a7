"""Users as the UAA knows them, and the rules that new ones have to keep. Pure."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from cfroute.uaa.errors import invalid_password, invalid_resource

UAA = "uaa"
"""The origin of users whose password we keep ourselves."""

_USER_NAME = re.compile(r"[\w+\-.@'!]+")
_LONGEST = 255  # characters of a password, and of a name


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A user. Times are seconds of the epoch; `groups` are the names and guids of the groups that the user is in."""

    guid: str
    name: str
    origin: str = UAA
    email: str = ""
    given_name: str = ""
    family_name: str = ""
    external_id: str = ""
    active: bool = True
    verified: bool = True
    created_at: float = 0.0
    updated_at: float = 0.0
    version: int = 0
    groups: dict[str, str] = {}


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What a request says that a user is like."""

    name: str
    email: str
    origin: str = UAA
    given_name: str = ""
    family_name: str = ""
    external_id: str = ""
    active: bool = True
    verified: bool = True
    password: str = ""


def profile(body: Mapping[str, Any]) -> Profile:
    """What a SCIM user says. Raises OAuthError 400 in the UAA's words for what is none."""
    name = _text(body, "userName")
    if not name:
        raise invalid_resource("A username must be provided.")
    origin = _text(body, "origin") or UAA
    if origin == UAA and (not _USER_NAME.fullmatch(name) or len(name) > _LONGEST):
        raise invalid_resource(f"Username must match pattern: {_USER_NAME.pattern}")
    names = body.get("name")
    names = names if isinstance(names, Mapping) else {}
    return Profile(
        name=name,
        email=_email(body.get("emails")),
        origin=origin,
        given_name=_text(names, "givenName"),
        family_name=_text(names, "familyName"),
        external_id=_text(body, "externalId"),
        active=body.get("active") is not False,
        verified=body.get("verified") is not False,
        password=_text(body, "password"),
    )


def check_password(password: str) -> None:
    """Raises OAuthError 400 for one that cannot be had."""
    if not password:
        raise invalid_password(400, "Password must be at least 1 characters in length.")
    if len(password) > _LONGEST:
        raise invalid_password(400, f"Password must be no more than {_LONGEST} characters in length.")


def _email(emails: object) -> str:
    if not isinstance(emails, list) or len(emails) != 1 or not isinstance(emails[0], Mapping):
        raise invalid_resource("Exactly one email must be provided.")
    value = _text(emails[0], "value")
    if not value:
        raise invalid_resource("An email must be provided.")
    return value


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise invalid_resource(f"{name} must be a text")
    return value or ""
