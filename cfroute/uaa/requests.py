"""A request as the UAA's endpoints see it, and their answers. Pure."""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote_plus

import msgspec

from cfroute.uaa.errors import bad_credentials, invalid_request
from cfroute.unreadable import UNREADABLE


class Answer(NamedTuple):
    """JSON, unless the body is a text."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = {}


class Asked(NamedTuple):
    """`base` is the URL by which the client has reached us; `path` are the parts of the path that have names."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes
    base: str

    @property
    def form(self) -> dict[str, str]:
        """Raises OAuthError 400."""
        try:
            return dict(parse_qsl(self.raw.decode(), keep_blank_values=True))
        except ValueError:  # UnicodeDecodeError is one
            raise invalid_request("The form cannot be read") from None

    @property
    def json(self) -> dict[str, Any]:
        """Raises OAuthError 400 for what is no JSON object."""
        try:
            return msgspec.json.decode(self.raw, type=dict[str, Any])
        except UNREADABLE:
            raise invalid_request("The body is no JSON object") from None

    @property
    def bearer(self) -> str:
        """The token of the header; empty without one."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    def client_credentials(self, form: Mapping[str, str]) -> tuple[str, str]:
        """The client's name and secret, from Basic authentication or the form. Raises OAuthError without any."""
        scheme, _, encoded = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            if "client_id" not in form:
                raise bad_credentials()
            return form["client_id"], form.get("client_secret", "")
        try:
            name, colon, secret = b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise bad_credentials() from None
        if not colon:
            raise bad_credentials()
        if self.headers.get("x-cf-encoded-credentials", "").lower() == "true":
            return unquote_plus(name), unquote_plus(secret)
        return name, secret
