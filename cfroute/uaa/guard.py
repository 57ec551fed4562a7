"""Who may use an endpoint of the UAA itself: bearer tokens and their scopes."""

from typing import Any, NamedTuple

from cfroute.clock import Clock
from cfroute.uaa.config import Config
from cfroute.uaa.errors import insufficient_scope, invalid_token, not_authenticated
from cfroute.uaa.keys import Keys
from cfroute.uaa.requests import Asked
from cfroute.uaa.store import Store
from cfroute.uaa.tokens import REFRESH_MARK

ADMIN = "uaa.admin"
"""Who has this scope may do everything."""


class Caller(NamedTuple):
    """Whom a token speaks for: a user by guid, or a client alone."""

    user: str | None
    client: str
    scopes: frozenset[str]

    def may(self, *scopes: str) -> bool:
        """Whether it holds one of them."""
        return not self.scopes.isdisjoint((*scopes, ADMIN))


class Guard:
    """Checks tokens. What the rest of the platform cannot know is known here: which ones were taken back."""

    def __init__(self, config: Config, store: Store, keys: Keys, clock: Clock) -> None:
        self._issuer = config.issuer
        self._store = store
        self._keys = keys
        self._clock = clock

    def claims(self, token: str) -> dict[str, Any]:
        """What an access token says that is good now. Raises OAuthError 401."""
        claims = self._keys.claims(token)
        if claims is None or claims.get("iss") != self._issuer or not isinstance(claims.get("scope"), list):
            raise invalid_token()
        token_id = str(claims.get("jti", ""))
        if claims.get("exp", 0) <= self._clock.now() or token_id.endswith(REFRESH_MARK):
            raise invalid_token()
        if claims.get("revocable") is True and not self._store.tokens.known(token_id):
            raise invalid_token()
        if not self._owner_lives(claims):
            raise invalid_token()
        return claims

    def caller(self, asked: Asked) -> Caller:
        """Who sent the request. Raises OAuthError 401."""
        if not asked.bearer:
            raise not_authenticated()
        claims = self.claims(asked.bearer)
        return Caller(claims.get("user_id"), str(claims.get("client_id")), frozenset(claims["scope"]))

    def permit(self, asked: Asked, *scopes: str) -> Caller:
        """Who sent the request, if one of the scopes is held. Raises OAuthError 401 or 403."""
        caller = self.caller(asked)
        if not caller.may(*scopes):
            raise insufficient_scope((ADMIN, *scopes))
        return caller

    def _owner_lives(self, claims: dict[str, Any]) -> bool:
        if "user_id" not in claims:
            return self._store.clients.find(str(claims.get("client_id"))) is not None
        found = self._store.users.find(str(claims["user_id"]))
        return found is not None and found.account.active
