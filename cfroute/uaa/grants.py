"""`POST /oauth/token`: who asks, by which grant, and what they get or are told."""

import binascii
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote_plus

from cfroute.clock import Clock
from cfroute.uaa import passwords, tokens
from cfroute.uaa.config import Client, Config
from cfroute.uaa.keys import SigningKey
from cfroute.uaa.store import Store
from cfroute.uaa.tokens import Subject


class OAuthError(Exception):
    """An OAuth error: HTTP status, error word and description."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.body = {"error": error, "error_description": description}


def bad_credentials() -> OAuthError:
    return OAuthError(401, "unauthorized", "Bad credentials")


def client_credentials(headers: Mapping[str, str], form: Mapping[str, str]) -> tuple[str, str]:
    """The client's id and secret, from Basic authentication or the body. Raises OAuthError without any."""
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        if "client_id" not in form:
            raise bad_credentials()
        return form["client_id"], form.get("client_secret", "")
    try:
        name, colon, secret = b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise bad_credentials() from None
    if not colon:
        raise bad_credentials()
    if headers.get("x-cf-encoded-credentials", "").lower() == "true":
        return unquote_plus(name), unquote_plus(secret)
    return name, secret


class TokenEndpoint:
    """Answers token requests. Calls block (hashing, database): run them in a thread."""

    def __init__(self, config: Config, store: Store, key: SigningKey, clock: Clock, new_id: Callable[[], str]) -> None:
        self._config = config
        self._store = store
        self._key = key
        self._clock = clock
        self._new_id = new_id
        self._grants: dict[str, Callable[[str, Client, Mapping[str, str]], Subject]] = {
            "password": self._password,
            "refresh_token": self._refresh,
            "client_credentials": self._client,
        }

    def answer(self, headers: Mapping[str, str], form: Mapping[str, str]) -> dict[str, Any]:
        """The token response. Raises OAuthError."""
        grant = form.get("grant_type", "")
        if not grant:
            raise OAuthError(400, "invalid_request", "Missing grant type")
        name, secret = client_credentials(headers, form)
        client = self._store.client(name)
        if not passwords.matches(secret, client.secret if client else None):
            raise bad_credentials()
        assert client is not None
        if grant not in self._grants:
            raise OAuthError(400, "unsupported_grant_type", f"Unsupported grant type: {grant}")
        if grant not in client.grants:
            raise OAuthError(401, "unauthorized_client", f"Unauthorized grant type: {grant}")
        return self._response(self._grants[grant](name, client, form))

    def _client(self, name: str, client: Client, form: Mapping[str, str]) -> Subject:
        return Subject(name, _some(client.authorities, client.authorities, form), "client_credentials")

    def _password(self, name: str, client: Client, form: Mapping[str, str]) -> Subject:
        if "passcode" in form:
            raise OAuthError(401, "unauthorized", "Invalid passcode")
        found = self._store.user(name=form.get("username", ""))
        if not passwords.matches(form.get("password", ""), found.password if found else None):
            raise bad_credentials()
        assert found is not None
        scopes = _some(client.scope, found.account.groups, form)
        return Subject(name, scopes, "password", found.account, int(self._clock.now()))

    def _refresh(self, name: str, client: Client, form: Mapping[str, str]) -> Subject:
        claims = self._key.claims(form.get("refresh_token", "")) or {}
        if not str(claims.get("jti", "")).endswith(tokens.REFRESH_MARK) or claims.get("cid") != name:
            raise OAuthError(401, "invalid_token", "The token expired, was revoked, or the token ID is incorrect.")
        if claims.get("exp", 0) <= self._clock.now() or claims.get("iss") != self._config.issuer:
            raise OAuthError(401, "invalid_token", "Invalid refresh token (expired).")
        found = self._store.user(guid=str(claims.get("user_id", "")))
        if found is None:
            raise OAuthError(401, "invalid_token", "The user of this token does not exist any more.")
        held = set(found.account.groups) & set(claims.get("granted_scopes", []))
        return Subject(name, _some(client.scope, held, form), "refresh_token", found.account, int(claims["auth_time"]))

    def _response(self, subject: Subject) -> dict[str, Any]:
        now, token_id = int(self._clock.now()), self._new_id()
        config = self._config
        access = tokens.access_claims(subject, config.issuer, now, config.access_token_validity, token_id)
        response: dict[str, Any] = {
            "access_token": self._key.sign(access),
            "token_type": "bearer",
            "expires_in": config.access_token_validity,
            "scope": " ".join(subject.scopes),
            "jti": token_id,
        }
        if subject.user is not None:
            refresh = tokens.refresh_claims(subject, config.issuer, now, config.refresh_token_validity, token_id)
            response["refresh_token"] = self._key.sign(refresh)
        return response


def _some(allowed: list[str], held: list[str] | set[str], form: Mapping[str, str]) -> list[str]:
    asked = form.get("scope", "")
    scopes = tokens.granted(allowed, held, asked)
    if asked and not scopes:
        raise OAuthError(
            400,
            "invalid_scope",
            f"{sorted(asked.split())} is invalid. This user is not allowed any of the requested scopes",
        )
    return scopes
