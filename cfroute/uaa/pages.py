"""What people and the cf CLI see before anybody has a token: prompts, addresses, and the page with one-time codes."""

import html
from collections.abc import Callable
from typing import Any

from cfroute.clock import Clock
from cfroute.uaa.errors import OAuthError
from cfroute.uaa.login import Login
from cfroute.uaa.requests import Answer, Asked
from cfroute.uaa.store import Store

VERSION = "77.20.0"
_PASSCODE_LASTS = 300.0  # seconds
_NO_SSH = "cf ssh is not supported: app instances here are processes of this machine, without an SSH proxy before them"
_HTML = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": "default-src 'none'; form-action 'self'"}
_FORM = """<form method="post" action="passcode">
<p><label>Email <input name="username" autofocus autocomplete="username"></label></p>
<p><label>Password <input name="password" type="password" autocomplete="current-password"></label></p>
<p><button>Get a code</button></p>
</form>"""


def login(asked: Asked) -> Answer:
    """What the cf CLI asks a person for. A browser is sent to what there is to see."""
    if "text/html" in asked.headers.get("accept", ""):
        return Answer("", 302, {"Location": f"{asked.base}/passcode"})
    return Answer(_about(asked, passcode=True))


def info(asked: Asked) -> Answer:
    return Answer(_about(asked, passcode=False))


def authorize(_asked: Asked) -> Answer:
    """Only `cf ssh` and `cf ssh-code` come here."""
    raise OAuthError(400, "invalid_client", _NO_SSH)


def passcode_form(_asked: Asked) -> Answer:
    return _page(_FORM)


def _about(asked: Asked, *, passcode: bool) -> dict[str, Any]:
    prompts = {"username": ["text", "Email"], "password": ["password", "Password"]}
    if passcode:
        prompts["passcode"] = ["password", f"Temporary Authentication Code ( Get one at {asked.base}/passcode )"]
    return {
        "app": {"version": VERSION},
        "showLoginLinks": True,
        "links": {"uaa": asked.base, "login": asked.base},
        "zone_name": "uaa",
        "prompts": prompts,
    }


def _page(content: str, status: int = 200) -> Answer:
    title = "Temporary Authentication Code"
    return Answer(f"<!doctype html>\n<title>{title}</title>\n<h1>{title}</h1>\n{content}\n", status, _HTML)


class PasscodePage:
    """Gives out the codes that `cf login --sso` asks for."""

    def __init__(self, store: Store, login: Login, clock: Clock, new_code: Callable[[], str]) -> None:
        self._store = store
        self._login = login
        self._clock = clock
        self._new_code = new_code

    def give(self, asked: Asked) -> Answer:
        """A page with a code for whoever has sent a right password, or with the form again."""
        form = asked.form
        try:
            account = self._login.user(form.get("username", ""), form.get("password", ""))
        except OAuthError as refused:
            return _page(f"<p>{html.escape(str(refused))}</p>\n{_FORM}", refused.status)
        code, now = self._new_code(), self._clock.now()
        self._store.passcodes.add(code, account.guid, now + _PASSCODE_LASTS, now)
        return _page(f"<h2>{html.escape(code)}</h2>\n<p>It is good for one login within five minutes.</p>")
