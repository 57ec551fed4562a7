"""`/Users`: what `cf create-user`, `delete-user` and `passwd` call, and the Cloud Controller to know people by their names."""

from collections.abc import Callable

from cfroute.clock import Clock
from cfroute.uaa import scim
from cfroute.uaa.accounts import UAA, Account, check_password, profile
from cfroute.uaa.config import Config
from cfroute.uaa.errors import (
    OAuthError,
    already_exists,
    bad_filter,
    insufficient_scope,
    invalid_password,
    invalid_resource,
    no_such_resource,
)
from cfroute.uaa.guard import ADMIN, Guard
from cfroute.uaa.login import Login
from cfroute.uaa.requests import Answer, Asked
from cfroute.uaa.scim_filter import Filter, comparisons, matches, required
from cfroute.uaa.store import Store
from cfroute.uaa.user_store import Taken

READ, WRITE, CREATE = "scim.read", "scim.write", "scim.create"
PASSWORD, LOOK_UP, ME = "password.write", "scim.userids", "scim.me"


class Users:
    """The endpoints. Calls block: run them in a thread."""

    def __init__(
        self, config: Config, store: Store, guard: Guard, login: Login, clock: Clock, new_guid: Callable[[], str]
    ) -> None:
        self._default_groups = config.default_groups
        self._store = store
        self._guard = guard
        self._login = login
        self._clock = clock
        self._new_guid = new_guid

    def index(self, asked: Asked) -> Answer:
        self._guard.permit(asked, READ)
        return Answer(scim.page(self._found(scim.wanted(asked.query)), asked.query))

    def look_up(self, asked: Asked) -> Answer:
        """Ids for names and names for ids, for those who may see nothing else of users."""
        self._guard.permit(asked, LOOK_UP, READ)
        wanted = scim.wanted(asked.query)
        if wanted is None:
            raise bad_filter("a 'filter' parameter is required")
        compared = {each.attribute.lower(): each.operator for each in comparisons(wanted)}
        if not compared.keys() <= {"id", "username", "origin"} or compared.keys() == {"origin"}:
            raise bad_filter("Invalid filter attribute.")
        if set(compared.values()) - {"eq"}:
            raise bad_filter("Invalid operator.")
        query = {**asked.query, "attributes": "id,userName,origin"}
        return Answer(scim.page(self._found(wanted), query))

    def create(self, asked: Asked) -> Answer:
        self._guard.permit(asked, WRITE, CREATE)
        wanted = profile(asked.json)
        if wanted.origin == UAA:
            check_password(wanted.password)
        guid = self._new_guid()
        try:
            self._store.users.create(guid, wanted, self._default_groups, self._clock.now())
        except Taken:
            raise self._taken(wanted.name, wanted.origin) from None
        return self._answer(self._account(guid), 201)

    def show(self, asked: Asked) -> Answer:
        caller = self._guard.caller(asked)
        guid = asked.path["id"]
        if not caller.may(READ) and not (caller.user == guid and caller.may(ME)):
            raise insufficient_scope((ADMIN, READ))
        return self._answer(self._account(guid))

    def update(self, asked: Asked) -> Answer:
        """Everything but the password, if nobody else has changed it meanwhile (`If-Match`)."""
        self._guard.permit(asked, WRITE)
        account = self._account(asked.path["id"])
        match = asked.headers.get("if-match")
        if match is None:
            raise bad_filter("Missing If-Match for PUT")
        if match.strip('"') not in ("*", str(account.version)):
            raise already_exists(f"Attempt to update a user ({account.guid}) with wrong version: expected={account.version}")
        wanted = profile(asked.json)
        try:
            self._store.users.change(account.guid, wanted, self._clock.now())
        except Taken:
            raise self._taken(wanted.name, wanted.origin) from None
        return self._answer(self._account(account.guid))

    def delete(self, asked: Asked) -> Answer:
        self._guard.permit(asked, WRITE)
        account = self._account(asked.path["id"])
        self._store.users.delete(account.guid)
        return self._answer(account)

    def change_password(self, asked: Asked) -> Answer:
        """One's own with the old one, and others' without."""
        caller = self._guard.permit(asked, PASSWORD)
        account, body = self._account(asked.path["id"]), asked.json
        old, new = body.get("oldPassword"), body.get("password")
        if account.guid == caller.user:
            if not isinstance(old, str) or not old:
                raise invalid_resource("Previous password is required even for admin")
            self._login.check_password(account, old)
        elif not caller.may():
            raise OAuthError(403, "access_denied", "You are not permitted to change another user's password")
        if not isinstance(new, str):
            raise invalid_password(400, "Password must be at least 1 characters in length.")
        check_password(new)
        if new == old:
            raise invalid_password(422, "Your new password cannot be the same as the old password.")
        self._store.users.set_password(account.guid, new, self._clock.now())
        return Answer({"status": "ok", "message": "password updated"})

    def _found(self, wanted: Filter | None) -> list[dict[str, object]]:
        name = required(wanted, "userName") if wanted else None
        shown = [scim.user(account) for account in self._store.users.all(name)]
        return [each for each in shown if wanted is None or matches(wanted, each)]

    def _account(self, guid: str) -> Account:
        found = self._store.users.find(guid)
        if found is None:
            raise no_such_resource(f"User {guid} does not exist")
        return found.account

    def _taken(self, name: str, origin: str) -> OAuthError:
        known = self._store.users.named(name, origin)
        return already_exists(f"Username already in use: {name}", **({"user_id": known.account.guid} if known else {}))

    def _answer(self, account: Account, status: int = 200) -> Answer:
        return Answer(scim.user(account), status, {"ETag": f'"{account.version}"'})
