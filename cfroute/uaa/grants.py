"""`POST /oauth/token`: who asks, by which grant, and what they get or are told."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cfroute.clock import Clock
from cfroute.uaa import tokens
from cfroute.uaa.accounts import Account
from cfroute.uaa.config import Client, Config
from cfroute.uaa.errors import OAuthError, invalid_request, invalid_scope, invalid_token
from cfroute.uaa.keys import Keys
from cfroute.uaa.login import Login, hinted_origin
from cfroute.uaa.requests import Answer, Asked
from cfroute.uaa.store import Store
from cfroute.uaa.tokens import Issue, Subject

Form = Mapping[str, str]


class TokenEndpoint:
    """Answers token requests. Calls block (hashing, database): run them in a thread."""

    def __init__(self, config: Config, store: Store, keys: Keys, login: Login, clock: Clock, new_id: Callable[[], str]) -> None:
        self._config = config
        self._store = store
        self._keys = keys
        self._login = login
        self._clock = clock
        self._new_id = new_id
        self._grants: dict[str, Callable[[str, Client, Form], dict[str, Any]]] = {
            "password": self._password,
            "refresh_token": self._refresh,
            "client_credentials": self._client,
        }

    def answer(self, asked: Asked) -> Answer:
        """The token response. Raises OAuthError."""
        form = {"login_hint": asked.query.get("login_hint", ""), **asked.form}
        name, secret = asked.client_credentials(form)
        client = self._login.client(name, secret)
        grant = form.get("grant_type", "")
        if not grant:
            raise invalid_request("Missing grant type")
        if grant not in self._grants:
            raise OAuthError(400, "unsupported_grant_type", f"Unsupported grant type: {grant}")
        if grant not in client.grants:
            raise OAuthError(401, "invalid_client", f"Unauthorized grant type: {grant}")
        return Answer(self._grants[grant](name, client, form), headers={"Pragma": "no-cache"})

    def _client(self, name: str, client: Client, form: Form) -> dict[str, Any]:
        scopes = _allowed(client.authorities, form)
        issue = self._issue()
        subject = Subject(name, scopes, "client_credentials", revocable=_revocable(form))
        return self._access(subject, client, issue)

    def _password(self, name: str, client: Client, form: Form) -> dict[str, Any]:
        account = self._user(form)
        wanted = _allowed(client.scope, form)
        scopes = tokens.granted(client.scope, account.groups, form.get("scope", ""))
        if not scopes and client.scope:
            raise invalid_scope(f"[{', '.join(wanted)}] is invalid. This user is not allowed any of the requested scopes")
        now = int(self._clock.now())
        subject = Subject(name, scopes, "password", account, now, _revocable(form))
        issue = self._issue()
        answer = self._access(subject, client, issue)
        if "refresh_token" in client.grants:
            answer["refresh_token"] = self._new_refresh_token(subject, client, issue)
        return answer

    def _user(self, form: Form) -> Account:
        if "passcode" not in form:
            return self._login.user(form.get("username", ""), form.get("password", ""), hinted_origin(form.get("login_hint", "")))
        guid = self._store.passcodes.take(form["passcode"], self._clock.now())
        found = self._store.users.find(guid) if guid else None
        if found is None or not found.account.active:
            raise OAuthError(401, "unauthorized", "Invalid passcode")
        return found.account

    def _refresh(self, name: str, client: Client, form: Form) -> dict[str, Any]:
        sent = form.get("refresh_token", "")
        claims = self._keys.claims(sent) or {}
        token_id = str(claims.get("jti", ""))
        if not token_id.endswith(tokens.REFRESH_MARK) or claims.get("cid") != name or claims.get("iss") != self._config.issuer:
            raise invalid_token()
        found = self._store.users.find(str(claims.get("user_id", "")))
        if claims.get("exp", 0) <= self._clock.now() or not self._store.tokens.known(token_id):
            raise invalid_token()
        if found is None or not found.account.active:
            raise invalid_token()
        subject = self._refreshed(name, client, claims, found.account, form)
        issue = self._issue()
        answer = self._access(subject, client, issue)
        if self._config.rotate_refresh_tokens:
            sent = self._new_refresh_token(subject, client, issue, instead_of=token_id)
        return answer | {"refresh_token": sent}

    def _refreshed(self, name: str, client: Client, claims: Mapping[str, Any], account: Account, form: Form) -> Subject:
        first, asked = set(claims.get("granted_scopes", [])), form.get("scope", "")
        if not set(asked.split()) <= first:
            wanted = ", ".join(asked.split())
            raise invalid_scope(f"Unable to narrow the scope of the client authentication to [{wanted}].")
        scopes = tokens.granted(client.scope, first & account.groups.keys(), asked)
        revocable = claims.get("revocable") is True
        return Subject(name, scopes, str(claims.get("grant_type", "password")), account, int(claims["auth_time"]), revocable)

    def _issue(self) -> Issue:
        return Issue(self._config.issuer, int(self._clock.now()), self._new_id())

    def _access(self, subject: Subject, client: Client, issue: Issue) -> dict[str, Any]:
        lifetime = _or(client.access_token_validity, self._config.access_token_validity)
        if subject.revocable:
            self._keep(subject, issue.token_id, issue.now + lifetime, issue)
        return {
            "access_token": self._keys.sign(tokens.access_claims(subject, issue, lifetime)),
            "token_type": "bearer",
            "expires_in": lifetime - 1,  # the UAA counts whole seconds, and one has begun
            "scope": " ".join(subject.scopes),
            "jti": issue.token_id,
        }

    def _new_refresh_token(self, subject: Subject, client: Client, issue: Issue, *, instead_of: str = "") -> str:
        lifetime = _or(client.refresh_token_validity, self._config.refresh_token_validity)
        with self._store.database.writing():
            if instead_of and not self._store.tokens.revoke(instead_of):
                raise invalid_token()  # somebody else has used it in this moment
            self._keep(subject, issue.token_id + tokens.REFRESH_MARK, issue.now + lifetime, issue)
        return self._keys.sign(tokens.refresh_claims(subject, issue, lifetime))

    def _keep(self, subject: Subject, token_id: str, expires: float, issue: Issue) -> None:
        self._store.tokens.add(token_id, subject.user.guid if subject.user else None, subject.client, expires, issue.now)


def _allowed(scopes: Iterable[str], form: Form) -> list[str]:
    """The scopes that were asked for, or all. Raises OAuthError for one that the client may not have."""
    scopes = list(scopes)
    asked = form.get("scope", "").split()
    for scope in asked:
        if scope not in scopes:
            raise invalid_scope(f"{scope} is invalid. Please use a valid scope name in the request")
    return [scope for scope in scopes if scope in asked] if asked else scopes


def _revocable(form: Form) -> bool:
    return form.get("revocable", "").lower() == "true"


def _or(value: int | None, default: int) -> int:
    return default if value is None else value
