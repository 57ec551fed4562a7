"""Who somebody is: clients by their secret, users by their password or a code, as often as they may try."""

import threading

import msgspec

from cfroute.clock import Clock
from cfroute.uaa.accounts import UAA, Account
from cfroute.uaa.config import Client, Config
from cfroute.uaa.errors import OAuthError, bad_credentials, locked
from cfroute.uaa.passwords import Verifier
from cfroute.uaa.store import Store
from cfroute.uaa.user_store import Credentials

_LOCKS = 64
_UNKNOWN_ORIGIN = (
    "The origin provided in the login_hint does not match an active Identity Provider, that supports password grant."
)


class Login:
    """Checks what people and programs say of themselves. Calls block: run them in a thread."""

    def __init__(self, config: Config, store: Store, clock: Clock) -> None:
        self._lockout = config.lockout
        self._store = store
        self._clock = clock
        self._verifier = Verifier()
        # Who tries many passwords at once has as many attempts as who tries one after the other.
        self._one_at_a_time = [threading.Lock() for _ in range(_LOCKS)]

    def client(self, name: str, secret: str) -> Client:
        """Raises OAuthError 401."""
        client = self._store.clients.find(name)
        if not self._verifier.matches(secret, client.secret if client else None):
            raise bad_credentials()
        assert client is not None
        return client

    def user(self, name: str, password: str, origin: str = UAA) -> Account:
        """Raises OAuthError 401; with the text about the lock when there were too many wrong passwords."""
        if origin != UAA:
            raise OAuthError(401, "unauthorized", _UNKNOWN_ORIGIN)
        with self._one_at_a_time[hash(name.lower()) % _LOCKS]:
            return self._user(name, password)

    def _user(self, name: str, password: str) -> Account:
        found = self._store.users.named(name)
        account = found.account if found else None
        if account is not None:
            self._refuse_locked(account)
        if not self._right(password, found) or account is None or not account.active:
            if account is not None:
                self._failed(account)
            raise bad_credentials()
        if self._store.users.failures(account.guid):
            self._store.users.forget_failures(account.guid)
        return account

    def check_password(self, account: Account, password: str) -> None:
        """Raises OAuthError 401 unless it is the user's; who tries too often is locked out, as at the login."""
        self.user(account.name, password, account.origin)

    def _right(self, password: str, found: Credentials | None) -> bool:
        return self._verifier.matches(password, (found.password or None) if found else None)

    def _refuse_locked(self, account: Account) -> None:
        if self._lockout.locked(self._store.users.failures(account.guid), self._clock.now()):
            raise locked()

    def _failed(self, account: Account) -> None:
        now = self._clock.now()
        self._store.users.add_failure(account.guid, now, now - self._lockout.within)


def hinted_origin(hint: str) -> str:
    """The origin of the users that `login_hint={"origin": …}` asks for. Raises OAuthError 401 when it says none."""
    if not hint:
        return UAA
    try:
        return msgspec.json.decode(hint, type=dict[str, str]).get("origin", UAA)
    except msgspec.MsgspecError:
        raise OAuthError(401, "unauthorized", _UNKNOWN_ORIGIN) from None
