"""Access tokens of the admin user, kept from run to run until they are about to expire."""

import base64
import json
from collections.abc import Callable
from typing import Any

import httpx

from cfroute.cli.settings import Settings, save
from cfroute.clock import Clock
from cfroute.errors import CfrouteError
from cfroute.home import Home

MARGIN = 60.0  # seconds of life that a token must have left, as for cf

Run = Callable[[str, Any], httpx.Response]
"""Waits for a request to the component of that name."""


class Tokens:
    """Gets tokens by the password grant, with the password from the state folder."""

    def __init__(self, uaa: httpx.AsyncClient, settings: Settings, home: Home, password: str, clock: Clock) -> None:
        self._uaa = uaa
        self._settings = settings
        self._home = home
        self._password = password
        self._clock = clock

    def access(self, run: Run) -> str:
        """A token that is still valid for a while. Raises CfrouteError when the UAA refuses."""
        token = self._settings.access_token
        if not token or claims(token).get("exp", 0) < self._clock.now() + MARGIN:
            token = self._settings.access_token = self._grant(run)
            save(self._home, self._settings)
        return token

    def user(self, run: Run) -> str:
        """Whose token it is."""
        return str(claims(self.access(run)).get("user_name", "admin"))

    def forget(self) -> None:
        """Get a new token next time."""
        self._settings.access_token = ""

    def _grant(self, run: Run) -> str:
        form = {"grant_type": "password", "username": "admin", "password": self._password}
        answer = run("uaa", self._uaa.post("/oauth/token", data=form, auth=("cf", "")))
        if answer.is_error:
            raise CfrouteError(f"the UAA gives no token: {answer.status_code} {answer.text}")
        return str(answer.json()["access_token"])


def claims(token: str) -> dict[str, Any]:
    """What a JWT says; its signature is for the servers to check."""
    payload = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))
