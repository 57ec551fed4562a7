"""Sticky sessions: the `__VCAP_ID__` cookie that ties a session to an instance."""

import re
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Final, NamedTuple

from cfroute.proxy.headers import TOKEN, Headers

VCAP_ID: Final = "__VCAP_ID__"
_VALUE: Final = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]*")
_DIGITS: Final = re.compile(r"-?\d+", re.ASCII)
_SAME_SITE: Final = {"lax": "Lax", "strict": "Strict", "none": "None"}
_EXPIRES: Final = ("%a, %d %b %Y %H:%M:%S GMT", "%a, %d-%b-%Y %H:%M:%S GMT")


class Attributes(NamedTuple):
    """The attributes of a session cookie that its `__VCAP_ID__` shares."""

    expires: str = ""
    max_age: int | None = None
    secure: bool = False
    same_site: str = ""
    partitioned: bool = False


def cookies(headers: Headers) -> dict[str, str]:
    """The request's cookies by name, the first of a name; malformed ones are dropped, as Go drops them."""
    found: dict[str, str] = {}
    for line in headers.get(b"Cookie", ()):
        for pair in line.decode("latin-1").split(";"):
            name, equals, value = pair.strip(" \t").partition("=")
            if not equals or not TOKEN.fullmatch(name.encode("latin-1")):
                continue
            if len(value) > 1 and value[0] == value[-1] == '"':
                value = value[1:-1]
            if _VALUE.fullmatch(value):
                found.setdefault(name, value)
    return found


def sticky_id(headers: Headers, session_cookies: Collection[str]) -> str:
    """The instance that the request is tied to, or "": it needs a session cookie as well as `__VCAP_ID__`."""
    found = cookies(headers)
    vcap_id = found.get(VCAP_ID, "")
    return vcap_id if vcap_id and any(name in found for name in session_cookies) else ""


def session_cookie(headers: Headers, names: Collection[str]) -> Attributes | None:
    """The attributes of the first cookie set by the response that is one of `names`."""
    for line in headers.get(b"Set-Cookie", ()):
        text = line.decode("latin-1")
        if text.partition("=")[0].strip() in names:
            return _attributes(text)
    return None


def sets_vcap_id(headers: Headers) -> bool:
    """Whether the response itself sets `__VCAP_ID__`; then it is left alone."""
    return any(line.startswith(b"__VCAP_ID__=") for line in headers.get(b"Set-Cookie", ()))


def _attributes(cookie: str) -> Attributes:
    expires, same_site = "", ""
    max_age: int | None = None
    secure = partitioned = False
    for attribute in cookie.split(";")[1:]:
        name, _, value = attribute.strip().partition("=")
        match name.lower():
            case "secure":
                secure = True
            case "partitioned":
                partitioned = True
            case "samesite":
                same_site = _SAME_SITE.get(value.lower(), "")
            case "max-age" if _DIGITS.fullmatch(value):
                max_age = int(value)
            case "expires":
                expires = _expires(value)
    return Attributes(expires, max_age, secure, same_site, partitioned)


def _expires(value: str) -> str:
    for form in _EXPIRES:
        try:
            return datetime.strptime(value, form).replace(tzinfo=UTC).strftime(_EXPIRES[0])
        except ValueError:
            continue
    return ""


def vcap_cookie(instance_id: str, path: str, attributes: Attributes, *, secure: bool) -> bytes:
    """The cookie as upstream writes it. A positive Max-Age is not copied; one that deletes is."""
    parts = [f"{VCAP_ID}={instance_id}", f"Path={path}"]
    if attributes.expires:
        parts.append(f"Expires={attributes.expires}")
    if attributes.max_age is not None and attributes.max_age <= 0:
        parts.append("Max-Age=0")
    parts.append("HttpOnly")
    if attributes.secure or secure:
        parts.append("Secure")
    if attributes.same_site:
        parts.append(f"SameSite={attributes.same_site}")
    if attributes.partitioned:
        parts.append("Partitioned")
    return "; ".join(parts).encode("latin-1", "replace")
