"""Endpoints: URLs as people write them, what their root says, and why one cannot be reached, all in cf's words."""

import os
import socket
import ssl
from typing import Any
from urllib.parse import urlsplit

import httpx

from cfroute.cli.settings import Endpoint
from cfroute.errors import CfrouteError, TimedOut, UsageError

_LINKS = ("login", "uaa", "log_cache", "routing")
"""The servers besides the Cloud Controller that commands ask."""
INSECURE = "Warning: Insecure http API endpoint detected: secure https API endpoints are recommended"
_PROXY = (
    "TIP: If you are behind a firewall and require an HTTP proxy, verify the https_proxy environment variable is correctly set. "
    "Else, check your network connection."
)
_SKIP = "TIP: Use 'cfroute api --skip-ssl-validation' to continue with an insecure API endpoint"


class RequestError(CfrouteError):
    """An endpoint somewhere else cannot be reached, or is not what it was taken for."""


def normalized(text: str) -> str:
    """The URL of an endpoint: https, unless it says http, and no slash at its end. Raises UsageError."""
    url = text if "://" in text else f"https://{text}"
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise UsageError(f"{text!r} is no URL of an API", "for example: https://api.example.com")
    return url.rstrip("/")


def is_insecure(url: str) -> bool:
    """Whether everything, tokens too, is sent so that others can read it."""
    return url.startswith("http:")


def described(url: str, root: Any, *, skip: bool, ca_cert: str) -> Endpoint:
    """The endpoint whose `GET /` answered `root`. Raises RequestError for what is no Cloud Controller."""
    version(url, root)
    try:
        links = {name: _usable(str(root["links"][name]["href"])) for name in _LINKS if root["links"].get(name)}
        login = links.get("login") or links["uaa"]
    except (KeyError, TypeError, ValueError) as error:
        raise _no_endpoint(url) from error
    return Endpoint(
        url=url,
        login=login,
        uaa=links.get("uaa", login),
        log_cache=links.get("log_cache", url),
        routing=links.get("routing", ""),
        skip_ssl_validation=skip,
        ca_cert=ca_cert,
    )


def version(url: str, root: Any) -> str:
    """The version of the API of which this is the root. Raises RequestError for what is no Cloud Controller."""
    try:
        return str(root["links"]["cloud_controller_v3"]["meta"]["version"])
    except (KeyError, TypeError) as error:
        raise _no_endpoint(url) from error


def _no_endpoint(url: str) -> RequestError:
    return RequestError(f"API endpoint not found at '{url}'")


def _usable(href: str) -> str:
    """The URL without a slash at its end. Raises ValueError for what no server can have."""
    parts = urlsplit(href)
    if parts.port == 0 or not parts.scheme or not parts.netloc:
        raise ValueError(href)
    return href.rstrip("/")


def request_error(component: str, error: httpx.RequestError) -> CfrouteError:
    """Why there was no answer from somewhere else."""
    request = error.request
    url = str(request.url).rstrip("/")
    if isinstance(error, httpx.TimeoutException):
        return TimedOut(f'Request error: {request.method.capitalize()} "{url}": no answer in time\n{_PROXY}')
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return RequestError(f"Invalid SSL Cert for {_origin(request.url)}\n{_SKIP}")
    return RequestError(f'Request error: {request.method.capitalize()} "{url}": {_why(error, request.url)}\n{_PROXY}')


def _why(error: BaseException, url: httpx.URL) -> str:
    """The system's word for it, which httpx has wrapped several times, as Go writes it."""
    cause: BaseException | None = error
    while cause is not None and not (isinstance(cause, OSError) and cause.errno):
        cause = cause.__cause__ or cause.__context__
    if not isinstance(cause, OSError) or cause.errno is None:
        return str(error) or "EOF"
    if isinstance(cause, ssl.SSLError):
        return f"tls: {str(cause.reason or cause).lower().replace('_', ' ')}"
    if isinstance(cause, socket.gaierror):
        return f"dial tcp: lookup {url.host}: no such host"
    port = url.port or (443 if url.scheme == "https" else 80)
    return f"dial tcp {url.host}:{port}: connect: {os.strerror(cause.errno).lower()}"


def _origin(url: httpx.URL) -> str:
    return str(url.copy_with(path="/", query=None)).rstrip("/")
