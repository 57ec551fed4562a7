"""Users, groups and lists as SCIM shows them. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cfroute.uaa.accounts import UAA, Account
from cfroute.uaa.errors import bad_filter
from cfroute.uaa.scim_filter import Filter, FilterError, parse

SCHEMAS = ["urn:scim:schemas:core:1.0"]
_MOST = 500  # resources a page
_COUNT = 100


def user(account: Account) -> dict[str, Any]:
    """One user, without the password."""
    return {
        "id": account.guid,
        **({"externalId": account.external_id} if account.external_id else {}),
        "meta": {
            "version": account.version,
            "created": timestamp(account.created_at),
            "lastModified": timestamp(account.updated_at),
        },
        "userName": account.name,
        "name": {"familyName": account.family_name, "givenName": account.given_name},
        "emails": [{"value": account.email or account.name, "primary": True}],
        "groups": [{"value": guid, "display": name, "type": "DIRECT"} for name, guid in sorted(account.groups.items())],
        "approvals": [],
        "active": account.active,
        "verified": account.verified,
        "origin": account.origin,
        "zoneId": "uaa",
        "schemas": SCHEMAS,
    }


def group(guid: str, name: str, description: str, created_at: float, members: Sequence[str]) -> dict[str, Any]:
    """One group with its members."""
    return {
        "id": guid,
        "meta": {"version": 0, "created": timestamp(created_at), "lastModified": timestamp(created_at)},
        "displayName": name,
        "description": description,
        "zoneId": "uaa",
        "members": [member(each) for each in members],
        "schemas": SCHEMAS,
    }


def member(user_guid: str) -> dict[str, str]:
    """One member of a group."""
    return {"origin": UAA, "type": "USER", "value": user_guid}


def wanted(query: Mapping[str, str], default: str = "") -> Filter | None:
    """The filter of a list; None for everything. Raises OAuthError 400 when it is none."""
    text = query.get("filter", default)
    if not text.strip():
        return None
    try:
        return parse(text)
    except FilterError as error:
        raise bad_filter(f"Invalid filter expression: [{text}] ({error})") from None


def page(resources: Sequence[dict[str, Any]], query: Mapping[str, str]) -> dict[str, Any]:
    """The part of a list that `startIndex` and `count` name, each with the `attributes` that were asked for."""
    start = max(_number(query, "startIndex", 1), 1)
    count = min(max(_number(query, "count", _COUNT), 0), _MOST)
    names = [name.strip().lower() for name in query.get("attributes", "").split(",") if name.strip()]
    shown = resources[start - 1 : start - 1 + count]
    return {
        "resources": [_only(each, names) for each in shown] if names else list(shown),
        "startIndex": start,
        "itemsPerPage": count,
        "totalResults": len(resources),
        "schemas": SCHEMAS,
    }


def _only(resource: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: value for name, value in resource.items() if name.lower() in names}


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else default


def timestamp(moment: float) -> str:
    """`2026-01-31T12:00:00.000Z`"""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
