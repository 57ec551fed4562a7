"""Being somebody: login, auth, logout, passwd."""

import os

from cfroute.cli.access.api import UaaRefusal
from cfroute.cli.access.endpoints import INSECURE, is_insecure
from cfroute.cli.access.tokens import Rejected
from cfroute.cli.command import command
from cfroute.cli.kinds import SECRET, TEXT
from cfroute.cli.misuse import Misuse, apart
from cfroute.cli.more.endpoint import choose, endpoint_options, meant
from cfroute.cli.options import argument, option
from cfroute.cli.session import Session
from cfroute.cli.users.targeting import Targeted, retarget_after_login, targeted, targeted_text
from cfroute.errors import CfrouteError

_TRIES = 3
_ADMIN = (
    "Until somebody has logged in, and after 'cfroute logout', every command is run by the admin of the state folder.\n"
    "At an endpoint somewhere else ('cfroute api URL') somebody has to log in."
)
_ENVIRONMENT = (
    ("CF_USERNAME", "Who to be, if it is not on the command line"),
    ("CF_PASSWORD", "The password, if it is not on the command line"),
)
_origin = option("--origin", help="Indicates the identity provider to be used for login")


@command(
    "auth",
    usage="cfroute auth USERNAME PASSWORD [--origin ORIGIN]\ncfroute auth CLIENT_ID CLIENT_SECRET --client-credentials",
    examples=("cfroute auth bob - < password.txt", "cfroute auth bob s3cret", "cfroute auth tool s3cret --client-credentials"),
    see_also=("login", "logout", "target"),
    environment=_ENVIRONMENT,
    notes=_ADMIN,
)
@argument("username", required=False)
@argument("password", required=False)
@option("--client-credentials", is_flag=True, help="Use (non-user) service account (also called client credentials)")
@_origin
def auth(session: Session, username: str | None, password: str | None, client_credentials: bool, origin: str | None) -> None:
    name, secret = username or os.environ.get("CF_USERNAME", ""), password or os.environ.get("CF_PASSWORD", "")
    if not name or not secret:
        missing = " and ".join(word for word, value in (("username", name), ("password", secret)) if not value)
        raise Misuse(f"{missing.capitalize()} not provided.")
    if client_credentials and origin:
        raise apart("--client-credentials", "--origin")
    session.say(f"API endpoint: {session.api.url}")
    session.say()
    session.say("Authenticating...")
    if client_credentials:
        form = {"grant_type": "client_credentials", "client_id": name, "client_secret": secret}
    else:
        form = {"grant_type": "password", "username": name, "password": secret}
    session.api.log_in(form, origin or "")
    session.ok()
    session.say("Use 'cfroute target' to view or set your target org and space.")


@command(
    "login",
    usage="cfroute login [-a API_URL] [-u USERNAME] [-p PASSWORD] [-o ORG] [-s SPACE] [--sso | --sso-passcode PASSCODE]\n"
    "   [--origin ORIGIN] [--skip-ssl-validation] [--ca-cert FILE]",
    examples=(
        "cfroute login",
        "cfroute login -u bob -p - -o acme -s dev < password.txt",
        "cfroute login -a https://api.example.com --sso",
    ),
    see_also=("api", "auth", "logout", "target"),
    environment=_ENVIRONMENT,
    notes=_ADMIN,
    text=targeted_text,
)
@option("-a", "api", complete=TEXT, help="API endpoint (e.g. https://api.example.com)")
@option("-u", "username", help="Username")
@option("-p", "password", help="Password; '-' is a line of stdin")
@option("-o", "org", help="Org")
@option("-s", "space", help="Space")
@option("--sso", is_flag=True, help="Prompt for a one-time passcode to login")
@option("--sso-passcode", complete=SECRET, metavar="PASSCODE", help="One-time passcode; '-' is a line of stdin")
@_origin
@endpoint_options
def login(
    session: Session,
    api: str | None,
    username: str | None,
    password: str | None,
    org: str | None,
    space: str | None,
    sso: bool,
    sso_passcode: str | None,
    origin: str | None,
    skip_ssl_validation: bool,
    ca_cert: str | None,
) -> Targeted:
    if origin and (sso or sso_passcode):
        raise apart("--sso" if sso else "--sso-passcode", "--origin")
    if sso and sso_passcode:
        raise apart("--sso-passcode", "--sso")
    if wanted := meant(session, api, "-a", skip_ssl_validation=skip_ssl_validation, ca_cert=ca_cert or ""):
        choose(session, wanted, skip_ssl_validation=skip_ssl_validation, ca_cert=ca_cert or "")
    session.say(f"API endpoint: {session.api.url}")
    if is_insecure(session.settings.api):
        session.warn(INSECURE)
        session.say()
    session.say()
    if sso or sso_passcode:
        _by_passcode(session, sso_passcode, origin or "")
    else:
        _by_password(session, username, password, origin or "")
    session.ok()
    retarget_after_login(session, org, space)
    return targeted(session)


def _by_passcode(session: Session, passcode: str | None, origin: str) -> None:
    code = passcode or session.ask(session.api.prompts()["passcode"][1], hidden=True)
    session.say("Authenticating...")
    session.api.log_in({"grant_type": "password", "passcode": code}, origin)


def _by_password(session: Session, username: str | None, password: str | None, origin: str) -> None:
    """Ask for what is not given; a password that was typed may be typed again."""
    prompts = session.api.prompts()
    name = username or os.environ.get("CF_USERNAME") or session.ask(prompts["username"][1])
    given = password or os.environ.get("CF_PASSWORD")
    for left in reversed(range(1 if given else _TRIES)):
        secret = given or session.ask(prompts["password"][1], hidden=True)
        session.say("Authenticating...")
        try:
            return session.api.log_in({"grant_type": "password", "username": name, "password": secret}, origin)
        except Rejected as error:
            if not left or "locked" in error.message:
                raise
            session.warn(error.message)
    return None


@command(
    "logout",
    usage="cfroute logout",
    examples=("cfroute logout", "cfroute logout && cfroute login -u bob"),
    see_also=("auth", "login"),
    notes=_ADMIN,
)
def logout(session: Session) -> None:
    session.say(f"Logging out {session.target.user}...")
    session.api.log_out()
    session.ok()


@command(
    "passwd",
    usage="cfroute passwd",
    examples=("cfroute passwd", "printf 'old\\nnew\\nnew\\n' | cfroute passwd"),
    see_also=("create-user", "login"),
)
def passwd(session: Session) -> None:
    if session.settings.login is None:
        raise CfrouteError(
            "The password of the admin is that of the state folder, and cannot be changed.", "log in as a user: 'cfroute login'"
        )
    if session.settings.login.client_id:
        raise CfrouteError("A client has no password.")
    old, new, again = (session.ask(f"{which} password", hidden=True) for which in ("Current", "New", "Verify"))
    session.say()
    session.say(f"Changing password for user {session.target.user}...")
    session.say()
    if new != again:
        raise CfrouteError("Password verification does not match.")
    try:
        session.api.uaa("PUT", f"/Users/{session.api.user_guid}/password", json={"oldPassword": old, "password": new})
    except UaaRefusal as error:
        raise CfrouteError("Current password did not match") if error.status == 401 else error from error
    session.api.log_out()
    session.ok()
    session.say("Please log in again.")
