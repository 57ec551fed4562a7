"""`/oauth/clients`: the programs that may ask for tokens."""

from typing import Any

import msgspec

from cfroute.uaa import scim
from cfroute.uaa.config import Client
from cfroute.uaa.errors import OAuthError
from cfroute.uaa.guard import Guard
from cfroute.uaa.requests import Answer, Asked
from cfroute.uaa.scim_filter import matches
from cfroute.uaa.store import Store

_READ, _WRITE, _SECRET, _ADMIN = "clients.read", "clients.write", "clients.secret", "clients.admin"


class _Body(msgspec.Struct, forbid_unknown_fields=False):
    """A client as the UAA writes it; what is not here is ignored."""

    client_id: str = ""
    client_secret: str = ""
    authorities: list[str] = []
    scope: list[str] = []
    authorized_grant_types: list[str] = []
    access_token_validity: int | None = None
    refresh_token_validity: int | None = None


class Clients:
    """The endpoints. Calls block: run them in a thread."""

    def __init__(self, store: Store, guard: Guard) -> None:
        self._store = store
        self._guard = guard

    def index(self, asked: Asked) -> Answer:
        self._guard.permit(asked, _READ, _ADMIN)
        wanted = scim.wanted(asked.query)
        shown = [_shown(name, client) for name, client in self._store.clients.all().items()]
        return Answer(scim.page([each for each in shown if wanted is None or matches(wanted, each)], asked.query))

    def show(self, asked: Asked) -> Answer:
        self._guard.permit(asked, _READ, _ADMIN)
        return Answer(_shown(asked.path["id"], self._client(asked)))

    def create(self, asked: Asked) -> Answer:
        self._guard.permit(asked, _WRITE, _ADMIN)
        body = _body(asked)
        if not body.client_id:
            raise _invalid("Client id must not be empty")
        with self._store.database.writing():
            if self._store.clients.find(body.client_id):
                raise OAuthError(409, "invalid_client", f"Client already exists: {body.client_id}")
            self._store.clients.save(body.client_id, _client(body))
        return Answer(_shown(body.client_id, _client(body)), 201)

    def update(self, asked: Asked) -> Answer:
        """Everything but the secret."""
        self._guard.permit(asked, _WRITE, _ADMIN)
        self._client(asked)
        changed = _client(_body(asked))
        self._store.clients.change(asked.path["id"], changed)
        return Answer(_shown(asked.path["id"], changed))

    def set_secret(self, asked: Asked) -> Answer:
        """One's own with the old one, and others' without."""
        caller = self._guard.permit(asked, _SECRET, _ADMIN)
        self._client(asked)
        secret = asked.json.get("secret")
        if not isinstance(secret, str):
            raise _invalid("A secret must be provided")
        if caller.client != asked.path["id"] and not caller.may(_ADMIN):
            raise OAuthError(403, "access_denied", "Not permitted to change another client's secret")
        self._store.clients.set_secret(asked.path["id"], secret)
        return Answer({"status": "ok", "message": "secret updated"})

    def delete(self, asked: Asked) -> Answer:
        self._guard.permit(asked, _WRITE, _ADMIN)
        client = self._client(asked)
        self._store.clients.delete(asked.path["id"])
        return Answer(_shown(asked.path["id"], client))

    def _client(self, asked: Asked) -> Client:
        found = self._store.clients.find(asked.path["id"])
        if found is None:
            raise OAuthError(404, "not_found", f"No client with requested id: {asked.path['id']}")
        return found


def _body(asked: Asked) -> _Body:
    try:
        return msgspec.convert(asked.json, _Body)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from None


def _client(body: _Body) -> Client:
    if not body.authorized_grant_types:
        raise _invalid("An authorized grant type must be provided.")
    return Client(
        secret=body.client_secret,
        authorities=body.authorities or ["uaa.none"],
        scope=body.scope or ["uaa.none"],
        grants=body.authorized_grant_types,
        access_token_validity=body.access_token_validity,
        refresh_token_validity=body.refresh_token_validity,
    )


def _invalid(description: str) -> OAuthError:
    return OAuthError(400, "invalid_client", description)


def _shown(name: str, client: Client) -> dict[str, Any]:
    validities = {
        "access_token_validity": client.access_token_validity,
        "refresh_token_validity": client.refresh_token_validity,
    }
    return {
        "client_id": name,
        "scope": client.scope,
        "resource_ids": ["none"],
        "authorities": client.authorities,
        "authorized_grant_types": client.grants,
        "autoapprove": [],
        **{key: value for key, value in validities.items() if value is not None},
    }
