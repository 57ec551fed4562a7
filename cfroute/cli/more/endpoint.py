"""`api`: where the API is that all commands use."""

import asyncio
import ssl

import click
import httpx
import msgspec

from cfroute.cli import render
from cfroute.cli.access.connection import client
from cfroute.cli.access.endpoints import INSECURE, described, is_insecure, normalized, request_error, version
from cfroute.cli.access.tokens import NotLoggedIn
from cfroute.cli.command import command
from cfroute.cli.kinds import PLACE
from cfroute.cli.misuse import apart, together
from cfroute.cli.options import Function, argument, option
from cfroute.cli.session import Session
from cfroute.cli.settings import Endpoint, save
from cfroute.errors import CfrouteError, ConfigurationError


class ApiShown(msgspec.Struct):
    """What `api` shows; user is "" as long as nobody has logged in. local: it is the state folder's own foundation."""

    api_endpoint: str
    api_version: str
    user: str
    local: bool


def _text(shown: ApiShown) -> str:
    facts = render.block([("API endpoint", shown.api_endpoint), ("API version", shown.api_version)])
    return facts if shown.user else f"{facts}\n\n{NotLoggedIn()}"


def endpoint_options(function: Function) -> Function:
    """--skip-ssl-validation and --ca-cert."""
    function = option(
        "--ca-cert",
        complete=PLACE,
        type=click.Path(exists=True, dir_okay=False, resolve_path=True),
        metavar="FILE",
        help="Authorities to trust besides the system's when the endpoint is verified",
    )(function)
    return option("--skip-ssl-validation", is_flag=True, help="Skip verification of the API endpoint. Not recommended!")(function)


@command(
    "api",
    usage="cfroute api [URL [--skip-ssl-validation] [--ca-cert FILE] | --unset]",
    examples=(
        "cfroute api",
        "cfroute api https://api.example.com",
        "cfroute api https://127.0.0.1:9443 --ca-cert ca.crt",
        "cfroute api --unset",
    ),
    see_also=("auth", "login", "target"),
    notes="Without an endpoint, commands use the foundation of the state folder, be it up or down, and need no login.",
    text=_text,
)
@argument("url", required=False)
@option("--unset", is_flag=True, help="Remove all API endpoint targeting, and go back to the foundation of the state folder")
@endpoint_options
def api(session: Session, url: str | None, unset: bool, skip_ssl_validation: bool, ca_cert: str | None) -> ApiShown | None:
    if unset:
        if url:
            raise apart("URL", "--unset")
        session.say("Unsetting API endpoint...")
        _use(session, None)
        session.ok()
        return None
    if wanted := meant(session, url, "URL", skip_ssl_validation=skip_ssl_validation, ca_cert=ca_cert or ""):
        session.say(f"Setting API endpoint to {render.name(url or wanted)}...")
        choose(session, wanted, skip_ssl_validation=skip_ssl_validation, ca_cert=ca_cert or "")
        if is_insecure(wanted):
            session.say(INSECURE)
        session.ok()
    return _shown(session)


def meant(session: Session, url: str | None, name: str, *, skip_ssl_validation: bool, ca_cert: str) -> str:
    """The URL to target, "" for none: the one given as `name`; the present one where it is to be verified otherwise.

    Raises Misuse at the foundation of the state folder, whose certificates are known.
    """
    if url:
        return normalized(url)
    if not session.settings.api and (skip_ssl_validation or ca_cert):
        raise together("--ca-cert" if ca_cert else "--skip-ssl-validation", name)
    return session.settings.api if skip_ssl_validation or ca_cert else ""


def choose(session: Session, url: str, *, skip_ssl_validation: bool = False, ca_cert: str = "") -> None:
    """Use the API at this URL from now on, as nobody. Raises RequestError when there is none.

    Then what was targeted stays so, as with cf. That this may be the state folder's foundation, cf would not do: it is told.
    """
    try:
        root = _root(session, url, skip_ssl_validation, ca_cert)
        endpoint = described(url, root, skip=skip_ssl_validation, ca_cert=ca_cert)
    except CfrouteError as error:
        if not (session.settings.api or error.hint):
            error.hint = f"commands go on to use the foundation of the state folder, {session.home.root}"
        raise
    _use(session, endpoint)


def _use(session: Session, endpoint: Endpoint | None) -> None:
    session.settings.retarget(endpoint)
    save(session.home, session.settings)
    session.reconnect()


def _root(session: Session, url: str, skip_ssl_validation: bool, ca_cert: str) -> object:
    """What the API says of itself to anybody. Raises RequestError."""
    hooks = session.trace.hooks() if session.trace else {}

    async def ask() -> httpx.Response:
        async with client(url, skip_ssl_validation=skip_ssl_validation, ca_cert=ca_cert, hooks=hooks) as asked:
            return await asked.get("/")

    try:
        answer = asyncio.run(ask())
    except httpx.RequestError as error:
        raise request_error("cloud_controller", error) from error
    except ssl.SSLError as error:
        raise ConfigurationError(f"{ca_cert}: {error.reason or error}", "--ca-cert takes certificates in PEM") from error
    try:
        return answer.json()
    except (ValueError, RecursionError):
        return None


def _shown(session: Session) -> ApiShown:
    root = session.api.root()
    known = session.settings.endpoint is None or session.settings.login is not None
    return ApiShown(
        api_endpoint=session.api.url,
        api_version=version(session.api.url, root),
        user=session.api.user if known else "",
        local=session.settings.endpoint is None,
    )
