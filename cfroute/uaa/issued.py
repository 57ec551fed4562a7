"""What can be asked about tokens that are out, and done to them: `/check_token`, `/introspect`, `/oauth/token/revoke`."""

from typing import Any

from cfroute.uaa.errors import OAuthError, bad_credentials, insufficient_scope, invalid_request
from cfroute.uaa.guard import ADMIN, Guard
from cfroute.uaa.login import Login
from cfroute.uaa.requests import Answer, Asked
from cfroute.uaa.store import Store

_RESOURCE, _REVOKE = "uaa.resource", "tokens.revoke"


class Issued:
    """The endpoints. Calls block: run them in a thread."""

    def __init__(self, store: Store, guard: Guard, login: Login) -> None:
        self._store = store
        self._guard = guard
        self._login = login

    def check(self, asked: Asked) -> Answer:
        """What a token says. Whoever asks is a client that is trusted with that (`uaa.resource`)."""
        self._trusted(asked)
        if "token" not in asked.form:
            raise invalid_request("Required parameter 'token' is not present")
        claims = self._claims(asked)
        if isinstance(claims, OAuthError):
            raise OAuthError(400, "invalid_token", str(claims))
        missing = set(asked.form.get("scopes", "").replace(",", " ").split()) - set(claims["scope"])
        if missing:
            raise OAuthError(400, "invalid_scope", f"Some requested scopes are missing: {','.join(sorted(missing))}")
        return Answer(claims)

    def introspect(self, asked: Asked) -> Answer:
        """The same as in RFC 7662: a bad token is no error."""
        self._trusted(asked)
        claims = self._claims(asked)
        return Answer({"active": False} if isinstance(claims, OAuthError) else {**claims, "active": True})

    def revoke(self, asked: Asked) -> Answer:
        """Take back one token by its id: one's own, or (`tokens.revoke`) any."""
        caller = self._guard.caller(asked)
        owner = self._store.tokens.owner(asked.path["id"])
        if not caller.may(_REVOKE) and owner != (caller.user, caller.client):
            raise insufficient_scope((ADMIN, _REVOKE))
        if not self._store.tokens.revoke(asked.path["id"]):
            raise OAuthError(404, "invalid_token", "Resource not found")
        return Answer(None)

    def revoke_all(self, asked: Asked) -> Answer:
        """All that can be taken back of a user, of a client, or of a user by a client."""
        user, client = asked.path.get("user"), asked.path.get("client")
        caller = self._guard.caller(asked)
        own = user == caller.user if user else not caller.user and client == caller.client
        if not own and not caller.may(_REVOKE):
            raise insufficient_scope((ADMIN, _REVOKE))
        if (user and not self._store.users.find(user)) or (client and not self._store.clients.find(client)):
            raise OAuthError(404, "invalid_token", "Resource not found")
        self._store.tokens.revoke_all(user_guid=user, client=client)
        return Answer(None)

    def _trusted(self, asked: Asked) -> None:
        if not asked.headers.get("authorization", "").lower().startswith("basic "):
            raise bad_credentials()
        client = self._login.client(*asked.client_credentials({}))
        if _RESOURCE not in client.authorities:
            raise OAuthError(403, "access_denied", "Access is denied")

    def _claims(self, asked: Asked) -> dict[str, Any] | OAuthError:
        try:
            return self._guard.claims(asked.form.get("token", ""))
        except OAuthError as refused:
            return refused
