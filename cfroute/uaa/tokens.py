"""What the tokens say. Pure: (who asks, what they may, now, a token id) to claims.

Access tokens carry `scope`; refresh tokens have an id that ends in `-r` (as in the real UAA, so that nobody
takes one for an access token) and `granted_scopes` in its place.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

REFRESH_MARK = "-r"


class Account(msgspec.Struct, frozen=True):
    """A user as the tokens show one."""

    guid: str
    name: str
    groups: list[str]


class Subject(msgspec.Struct, frozen=True):
    """Whom a token speaks for: a client, and a user if there is one, who gave the password at auth_time."""

    client: str
    scopes: list[str]
    grant: str
    user: Account | None = None
    auth_time: int = 0


def granted(allowed: Iterable[str], held: Iterable[str], asked: str = "") -> list[str]:
    """The scopes that are allowed to the client, held by the user, and (when any were named) asked for."""
    held, wanted = set(held), set(asked.split())
    return [scope for scope in allowed if scope in held and (not wanted or scope in wanted)]


def audience(client: str, scopes: Iterable[str]) -> list[str]:
    """The resources that the scopes belong to (`routing.routes.read` -> `routing.routes`), and the client."""
    return sorted({scope.rpartition(".")[0] or scope for scope in scopes} | {client})


def access_claims(subject: Subject, issuer: str, now: int, lifetime: int, token_id: str) -> dict[str, Any]:
    """The claims of an access token that lives `lifetime` seconds."""
    claims: dict[str, Any] = {
        "jti": token_id,
        "sub": subject.user.guid if subject.user else subject.client,
        "scope": subject.scopes,
        "client_id": subject.client,
        "cid": subject.client,
        "azp": subject.client,
        "grant_type": subject.grant,
        "iat": now,
        "exp": now + lifetime,
        "iss": issuer,
        "zid": "uaa",
        "aud": audience(subject.client, subject.scopes),
        "revocable": False,
    }
    if subject.user is None:
        return claims | {"authorities": subject.scopes}
    return claims | {
        "user_id": subject.user.guid,
        "origin": "uaa",
        "user_name": subject.user.name,
        "email": subject.user.name,
        "auth_time": subject.auth_time,
    }


def refresh_claims(subject: Subject, issuer: str, now: int, lifetime: int, token_id: str) -> dict[str, Any]:
    """The claims of the refresh token that goes with a user's access token."""
    assert subject.user is not None
    return {
        "jti": token_id + REFRESH_MARK,
        "sub": subject.user.guid,
        "user_id": subject.user.guid,
        "user_name": subject.user.name,
        "cid": subject.client,
        "client_id": subject.client,
        "granted_scopes": subject.scopes,
        "auth_time": subject.auth_time,
        "iat": now,
        "exp": now + lifetime,
        "iss": issuer,
        "zid": "uaa",
        "aud": audience(subject.client, subject.scopes),
        "revocable": False,
    }
