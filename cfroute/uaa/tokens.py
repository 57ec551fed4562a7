"""What the tokens say. Pure: (who asks, what they may, now, a token id) to claims.

Access tokens carry `scope`; refresh tokens have an id that ends in `-r` (as in the real UAA, so that nobody
takes one for an access token) and `granted_scopes` in its place.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from cfroute.uaa.accounts import Account

REFRESH_MARK = "-r"


class Subject(msgspec.Struct, frozen=True):
    """Whom a token speaks for: a client, and a user if there is one, who gave the password at auth_time.

    revocable: the token is good only as long as the UAA knows it.
    """

    client: str
    scopes: list[str]
    grant: str
    user: Account | None = None
    auth_time: int = 0
    revocable: bool = False


class Issue(msgspec.Struct, frozen=True):
    """What all tokens of one answer have in common: who issues them, when, and under which id."""

    issuer: str
    now: int
    token_id: str


def granted(allowed: Iterable[str], held: Iterable[str], asked: str = "") -> list[str]:
    """The scopes that are allowed to the client, held by the user, and (when any were named) asked for."""
    held, wanted = set(held), set(asked.split())
    return [scope for scope in allowed if scope in held and (not wanted or scope in wanted)]


def audience(client: str, scopes: Iterable[str]) -> list[str]:
    """The resources that the scopes belong to (`routing.routes.read` -> `routing.routes`), and the client."""
    return sorted({scope.rpartition(".")[0] or scope for scope in scopes if scope != "uaa.none"} | {client})


def access_claims(subject: Subject, issue: Issue, lifetime: int) -> dict[str, Any]:
    """The claims of an access token that lives `lifetime` seconds."""
    claims: dict[str, Any] = {
        "jti": issue.token_id,
        "sub": subject.user.guid if subject.user else subject.client,
        "scope": subject.scopes,
        "client_id": subject.client,
        "cid": subject.client,
        "azp": subject.client,
        "grant_type": subject.grant,
        "iat": issue.now,
        "exp": issue.now + lifetime,
        "iss": issue.issuer,
        "zid": "uaa",
        "aud": audience(subject.client, subject.scopes),
    }
    if subject.user is None:
        more = {"revocable": True} if subject.revocable else {}
        return claims | {"authorities": subject.scopes} | more
    return claims | {
        "user_id": subject.user.guid,
        "origin": subject.user.origin,
        "user_name": subject.user.name,
        "email": subject.user.email or subject.user.name,
        "auth_time": subject.auth_time,
        "revocable": subject.revocable,
    }


def refresh_claims(subject: Subject, issue: Issue, lifetime: int) -> dict[str, Any]:
    """The claims of the refresh token that goes with a user's access token."""
    assert subject.user is not None
    return {
        "jti": issue.token_id + REFRESH_MARK,
        "sub": subject.user.guid,
        "user_id": subject.user.guid,
        "user_name": subject.user.name,
        "origin": subject.user.origin,
        "cid": subject.client,
        "client_id": subject.client,
        "granted_scopes": subject.scopes,
        "grant_type": subject.grant,
        "auth_time": subject.auth_time,
        "iat": issue.now,
        "exp": issue.now + lifetime,
        "iss": issue.issuer,
        "zid": "uaa",
        "aud": audience(subject.client, subject.scopes),
        "revocable": subject.revocable,
    }
