"""The signature by which a Gorouter knows its own requests when they come back from a route service.

    X-CF-Forwarded-Url    the URL of the request, in clear
    X-CF-Proxy-Signature  base64url( AES-128-GCM( {"forwarded_url":"…","requested_time":"…"} ) )
    X-CF-Proxy-Metadata   base64url( {"nonce":"<base64>"} )

The key is derived from the text of `route_services_secret`. All error texts are upstream's: clients get to see them.
"""

import base64
import hashlib
import re
from functools import cache
from typing import NamedTuple

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cfroute.go import base64 as go_base64
from cfroute.go import json as go_json
from cfroute.go import time as go_time
from cfroute.go import url as go_url
from cfroute.unreadable import UNREADABLE

_ITERATIONS = 100_001
_KEY_SIZE = 16
_NONCE_SIZE = 12
_TAG_SIZE = 16
_NO_AUTHENTICATION = "cipher: message authentication failed"

# What Go's JSON encoder does not write as it is.
_JSON_SPECIAL = re.compile(r'["\\<>&\x00-\x1f\u2028\u2029\ud800-\udfff]')
_JSON_SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


class SignatureError(Exception):
    """The signature is not accepted; the message is upstream's."""


class SignatureExpired(SignatureError):
    """It is one of ours, but too old."""


class Signature(NamedTuple):
    """What was signed: the URL of the request that went out, and when (nanoseconds since the epoch)."""

    forwarded_url: str
    requested_time_ns: int


@cache
def derive_key(secret: str) -> bytes:
    """The key for a secret. Takes tens of milliseconds, so each secret is derived once a process."""
    return hashlib.pbkdf2_hmac("sha256", secret.encode(), b"", _ITERATIONS, _KEY_SIZE)


class RouteServiceCrypto:
    """Seals with the current secret; opens with it, or with the previous one."""

    def __init__(self, secret: str, decrypt_only: str = "") -> None:
        """`decrypt_only` is the previous secret; empty when there is none."""
        self._current = AESGCM(derive_key(secret))
        self._previous = AESGCM(derive_key(decrypt_only)) if decrypt_only else None

    def seal(self, forwarded_url: str, requested_time_ns: int, nonce: bytes) -> tuple[str, str]:
        """The values of `X-CF-Proxy-Signature` and `X-CF-Proxy-Metadata`. A nonce must not be used twice."""
        url = _JSON_SPECIAL.sub(_json_escape, forwarded_url)
        text = f'{{"forwarded_url":"{url}","requested_time":"{go_time.format_rfc3339(requested_time_ns)}"}}'
        sealed = self._current.encrypt(nonce, text.encode(), None)
        metadata = b'{"nonce":"%b"}' % base64.b64encode(nonce)
        return base64.urlsafe_b64encode(sealed).decode(), base64.urlsafe_b64encode(metadata).decode()

    def open(self, signature: str, metadata: str | None) -> Signature:
        """What was signed. Raises SignatureError; with a previous secret, its error is the one that is told."""
        if not metadata:
            raise SignatureError("No metadata found")
        try:
            return _open(self._current, signature, metadata)
        except SignatureError:
            if self._previous is None:
                raise
        return _open(self._previous, signature, metadata)


def _open(key: AESGCM, signature: str, metadata: str) -> Signature:
    try:
        nonce = _nonce(go_base64.decode_url(metadata.encode()))
        sealed = go_base64.decode_url(signature.encode())
        if len(nonce) != _NONCE_SIZE:
            raise SignatureError("incorrect nonce length")
        if len(sealed) < _TAG_SIZE:
            raise SignatureError(_NO_AUTHENTICATION)
        return _contents(key.decrypt(nonce, sealed, None))
    except InvalidTag as error:
        raise SignatureError(_NO_AUTHENTICATION) from error
    except (go_base64.Base64Error, go_json.JSONError, go_time.TimeError) as error:
        raise SignatureError(str(error)) from error


class _Metadata(msgspec.Struct, forbid_unknown_fields=True):
    nonce: str


class _Contents(msgspec.Struct, forbid_unknown_fields=True):
    forwarded_url: str
    requested_time: str


_decode_metadata = msgspec.json.Decoder(_Metadata).decode
_decode_contents = msgspec.json.Decoder(_Contents).decode


def _nonce(text: bytes) -> bytes:
    try:
        return go_base64.decode_standard(_decode_metadata(text).nonce.encode())
    except UNREADABLE:
        return _nonce_as_go(text)


def _nonce_as_go(text: bytes) -> bytes:
    value = go_json.parse(text)
    assign = go_json.Assignment("Metadata")
    nonce = b""
    if value.kind not in ("object", "null"):
        assign.note(value, "", "routeservice.Metadata")
    for _, name, member in assign.members(value, {"nonce": None}):
        given = assign.string(member, name, "[]uint8")
        nonce = go_base64.decode_standard(given.encode()) if given else b""
    if assign.error is not None:
        raise assign.error
    return nonce


def _contents(text: bytes) -> Signature:
    try:
        contents = _decode_contents(text)
    except UNREADABLE:
        return _contents_as_go(text)
    return Signature(contents.forwarded_url, go_time.parse_rfc3339(contents.requested_time))


def _contents_as_go(text: bytes) -> Signature:
    value = go_json.parse(text)
    assign = go_json.Assignment("SignatureContents")
    url, requested = "", go_time.YEAR_ONE
    if value.kind not in ("object", "null"):
        assign.note(value, "", "routeservice.SignatureContents")
    for _, name, member in assign.members(value, {"forwarded_url": None, "requested_time": None}):
        if name == "forwarded_url":
            url = assign.string(member, name) or ""
        elif member.kind != "string":
            raise SignatureError("Time.UnmarshalJSON: input is not a JSON string")
        else:  # Go reads the time from the raw text: escapes in it are not resolved
            requested = go_time.parse_rfc3339(member.raw[1:-1].decode("utf-8", "surrogateescape"))
    if assign.error is not None:
        raise assign.error
    return Signature(url, requested)


def validate_age(signature: Signature, now_ns: int, timeout: float) -> None:
    """Raise SignatureExpired when the signature is older than `timeout` seconds. One from the future is fine."""
    if now_ns - signature.requested_time_ns > timeout * 1e9:
        raise SignatureExpired("route service request expired")


def parse_forwarded_url(text: str) -> tuple[str, str]:
    """Host (without port) and escaped path of a signed URL. Raises SignatureError."""
    try:
        url = go_url.parse_request_uri(text)
    except go_url.URLError as error:
        raise SignatureError(str(error)) from error
    return url.host.partition(":")[0], url.path


def _json_escape(match: re.Match[str]) -> str:
    char = match[0]
    if "\ud800" <= char <= "\udfff":  # a byte that is no UTF-8
        return "\\ufffd"
    return _JSON_SHORT.get(char) or f"\\u{ord(char):04x}"
