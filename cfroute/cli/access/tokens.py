"""Access tokens, kept from run to run until they are about to expire: of whoever has logged in.

Where nobody has, the state folder's own foundation is used as its admin; an endpoint somewhere else is not used at all.
"""

import base64
import json
from collections.abc import Callable
from typing import Any

import httpx

from cfroute.cli.access.answers import UnexpectedAnswer, question, read_object
from cfroute.cli.settings import Login, Settings, save
from cfroute.clock import Clock
from cfroute.errors import CfrouteError
from cfroute.home import Home

MARGIN = 60.0  # seconds of life that a token must have left, as for cf
_NOBODY = httpx.Auth()
_CF = httpx.BasicAuth("cf", "")  # the command line's client has an empty secret
REJECTED = "Credentials were rejected, please try again."

Run = Callable[[str, Any], httpx.Response]
"""Waits for a request to the component of that name."""


class Rejected(CfrouteError):
    """The UAA does not believe it. The message is for a person."""


class NotLoggedIn(CfrouteError):
    """Somebody has to log in first."""

    def __init__(self) -> None:
        super().__init__("Not logged in. Use 'cfroute login' or 'cfroute login --sso' to log in.")


class Tokens:
    """Gets tokens from the UAA. `password` is that of the state folder's admin."""

    def __init__(self, uaa: httpx.AsyncClient, settings: Settings, home: Home, password: str, clock: Clock) -> None:
        self._uaa = uaa
        self._settings = settings
        self._home = home
        self._password = password
        self._clock = clock

    def access(self, run: Run) -> str:
        """A token that is still valid for a while. Raises CfrouteError when the UAA refuses."""
        token = self._settings.access_token
        if _expiry(token) < self._clock.now() + MARGIN:
            token = self._settings.access_token = self._renewed(run, self._settings.login)
            save(self._home, self._settings)
        return token

    def user(self, run: Run) -> str:
        """Whose token it is: the name of a user or of a client."""
        known = claims(self.access(run))
        return str(known.get("user_name") or known.get("client_id") or "admin")

    def guid(self, run: Run) -> str:
        """The guid of that user, or the client's name."""
        return str(claims(self.access(run)).get("sub", ""))

    def forget(self) -> None:
        """Get a new token next time."""
        self._settings.access_token = ""

    def log_in(self, run: Run, form: dict[str, str], origin: str = "") -> None:
        """Be somebody else from now on. Raises Rejected when the UAA does not take the credentials."""
        as_client = "client_id" in form
        query = {"login_hint": json.dumps({"origin": origin})} if origin else None
        answer = run("uaa", self._uaa.post("/oauth/token", data=form, params=query, auth=_NOBODY if as_client else _CF))
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            if self._settings.endpoint is not None:
                self.log_out()  # as cf does: who was refused is not to go on as somebody else
            raise Rejected(_why(answer))
        got = _granted(answer)
        self._settings.access_token = got["access_token"]
        self._settings.login = (
            Login(client_id=form["client_id"], client_secret=form["client_secret"])
            if as_client
            else Login(refresh_token=str(got.get("refresh_token") or ""))
        )
        save(self._home, self._settings)

    def log_out(self) -> None:
        """Be nobody, which here is the admin; elsewhere the targeted org and space are forgotten too."""
        if self._settings.endpoint is not None:
            self._settings.retarget(self._settings.endpoint)
        self._settings.login, self._settings.access_token = None, ""
        save(self._home, self._settings)

    def _renewed(self, run: Run, login: Login | None) -> str:
        if login is None and self._settings.endpoint is not None:
            raise NotLoggedIn
        if login is None:
            form = {"grant_type": "password", "username": "admin", "password": self._password}
        elif login.client_id:
            form = {"grant_type": "client_credentials", "client_id": login.client_id, "client_secret": login.client_secret}
        else:
            form = {"grant_type": "refresh_token", "refresh_token": login.refresh_token}
        answer = run("uaa", self._uaa.post("/oauth/token", data=form, auth=_NOBODY if "client_id" in form else _CF))
        if login and answer.status_code == httpx.codes.UNAUTHORIZED:
            raise Rejected(
                "The token expired, was revoked, or the token ID is incorrect. Please log back in to re-authenticate.",
                "'cfroute login' does" + ("" if self._settings.endpoint else "; after 'cfroute logout' you are the admin"),
            )
        got = _granted(answer)
        if login and "refresh_token" in got:
            login.refresh_token = str(got["refresh_token"])
        return str(got["access_token"])


def _why(answer: httpx.Response) -> str:
    """The UAA's reason for refusing, where it has one and it is not the obvious one."""
    try:
        told = str(answer.json()["error_description"])
    except (ValueError, KeyError, TypeError, RecursionError):  # a proxy's answer, for instance
        return REJECTED
    return told if told not in ("", "Bad credentials") else REJECTED


def _granted(answer: httpx.Response) -> dict[str, Any]:
    if answer.is_error:
        raise CfrouteError(f"the UAA gives no token: {answer.status_code} {answer.text}")
    got = read_object(answer)
    token = got.get("access_token")
    if not (isinstance(token, str) and _expiry(token)):
        raise UnexpectedAnswer(question(answer), "it has no token that says until when it is good")
    return got


def _expiry(token: str) -> float:
    """When the token expires, in seconds of the epoch; 0 for what is no token."""
    try:
        until = claims(token).get("exp", 0)
    except (ValueError, IndexError, TypeError, RecursionError):
        return 0.0
    return float(until) if isinstance(until, int | float) else 0.0


def claims(token: str) -> dict[str, Any]:
    """What a JWT says; its signature is for the servers to check."""
    payload = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))
