"""Sticky sessions: the `__VCAP_ID__` cookie that ties a session to an instance.

With `cfroute.vcap_id_meta` a second cookie, `__VCAP_ID_META__`, keeps the attributes of the first: clients do not send them, and
so a session that has to move to another instance would lose them.
"""

import re
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Final, NamedTuple
from urllib.parse import parse_qs

from cfroute.gorouter.config import Config
from cfroute.proxy.headers import TOKEN, Headers

VCAP_ID: Final = "__VCAP_ID__"
VCAP_ID_META: Final = "__VCAP_ID_META__"
_HOST_PREFIX: Final = "__Host-"
_NEGOTIATE: Final = b"negotiate"
_NEGOTIATE_SECONDS: Final = 60
_EARLIEST_YEAR: Final = 1601  # before that, Go writes no Expires
_BAD_IN_VALUE: Final = re.compile(r"[^\x20-\x7e]|[\";\\]")
_BAD_IN_PATH: Final = re.compile(r"[^\x20-\x7e]|;")
_VALUE: Final = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]*")
_DIGITS: Final = re.compile(r"-?\d{1,18}", re.ASCII)  # what Go's int takes: more is no number
_SAME_SITE: Final = {"lax": "Lax", "strict": "Strict", "none": "None"}
_EXPIRES: Final = ("%a, %d %b %Y %H:%M:%S GMT", "%a, %d-%b-%Y %H:%M:%S GMT")


class Attributes(NamedTuple):
    """The attributes of a session cookie that its `__VCAP_ID__` shares. A max_age of 0 or less deletes the cookie."""

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


def sticky_id(found: dict[str, str], names: Collection[str]) -> str:
    """The instance that a request with these cookies is tied to, or "": it needs a session cookie as well as `__VCAP_ID__`."""
    vcap_id = found.get(VCAP_ID, "")
    return vcap_id if vcap_id and any(name in found for name in names) else ""


def session_cookies(headers: Headers, names: Collection[str]) -> list[Attributes]:
    """The attributes of the cookies set by the response that are among `names`."""
    lines = [line.decode("latin-1") for line in headers.get(b"Set-Cookie", ())]
    return [_attributes(line) for line in lines if line.partition("=")[0].strip() in names]


def sets_vcap_id(headers: Headers) -> bool:
    """Whether the response itself sets `__VCAP_ID__`; then it is left alone."""
    return any(line.startswith(b"__VCAP_ID__=") for line in headers.get(b"Set-Cookie", ()))


class StickySessions:
    """What one router does about sticky sessions. epoch gives the time in seconds."""

    def __init__(self, config: Config, epoch: Callable[[], float]) -> None:
        names = config.sticky_session_cookie_names
        self.negotiates = config.sticky_sessions_for_auth_negotiate
        self._keeps_attributes = config.cfroute.vcap_id_meta
        prefixed = [_HOST_PREFIX + name for name in names] if self._keeps_attributes else []
        self._names = frozenset((*names, *prefixed))
        self._secure = config.secure_cookies
        self._epoch = epoch

    def wish(self, headers: Headers) -> tuple[str, bool]:
        """The instance that a request is tied to, or "", and whether no other will do."""
        found = cookies(headers)
        if self.negotiates and headers.first(b"Authorization").lower().startswith(_NEGOTIATE) and found.get(VCAP_ID):
            return found[VCAP_ID], True
        return sticky_id(found, self._names), False

    def concerns(self, headers: Headers) -> bool:
        """Whether a response can begin a session; in all others only a session that has to move sets a cookie."""
        return b"Set-Cookie" in headers or (self.negotiates and b"Www-Authenticate" in headers)

    def stick(self, sticky: str, instance: str, path: str, request: Headers, response: Headers) -> None:
        """Add the cookies that tie the client to `instance`, to a response to a request that was tied to `sticky`."""
        if sets_vcap_id(response):
            return
        moved = sticky not in ("", instance)
        if self._begins_negotiation(response) and (moved or not sticky):
            attributes = Attributes(max_age=_NEGOTIATE_SECONDS, same_site="Strict")
            response.add(b"Set-Cookie", vcap_cookie(instance, path, attributes, secure=self._secure))
            return
        given = session_cookies(response, self._names)
        if not self._keeps_attributes:
            # What upstream calls B copies the attributes of the first cookie, and of its Max-Age only that it deletes.
            given = [one._replace(max_age=_deleting(one.max_age)) for one in given[:1]]
        if not given and moved:
            attributes = self._kept(cookies(request)) if self._keeps_attributes else Attributes()
            response.add(b"Set-Cookie", vcap_cookie(instance, path, attributes, secure=self._secure))
        for attributes in given:
            response.add(b"Set-Cookie", vcap_cookie(instance, path, attributes, secure=self._secure))
            if self._keeps_attributes:
                response.add(b"Set-Cookie", self._meta_cookie(path, attributes))

    def _begins_negotiation(self, response: Headers) -> bool:
        return self.negotiates and response.first(b"Www-Authenticate").lower().startswith(_NEGOTIATE)

    def _meta_cookie(self, path: str, attributes: Attributes) -> bytes:
        attributes = attributes._replace(secure=attributes.secure or self._secure)
        return vcap_cookie(encoded(attributes, self._epoch()), path, attributes, secure=self._secure, name=VCAP_ID_META)

    def _kept(self, found: dict[str, str]) -> Attributes:
        """The attributes in the client's `__VCAP_ID_META__`."""
        return decoded(found.get(VCAP_ID_META, ""), self._epoch())


def _deleting(max_age: int | None) -> int | None:
    return max_age if max_age is not None and max_age <= 0 else None


def encoded(attributes: Attributes, now: float) -> str:
    """The value of `__VCAP_ID_META__`: `secure&partitioned&expires=<epoch>&maxage=<epoch>&samesite=<word>`, as far as given."""
    parts = [name for name, holds in (("secure", attributes.secure), ("partitioned", attributes.partitioned)) if holds]
    if attributes.expires:
        expires = datetime.strptime(attributes.expires, _EXPIRES[0]).replace(tzinfo=UTC)
        parts.append(f"expires={int(expires.timestamp())}")
    if attributes.max_age is not None:
        parts.append(f"maxage={int(now) + attributes.max_age if attributes.max_age > 0 else -1}")
    if attributes.same_site:
        parts.append(f"samesite={attributes.same_site.lower()}")
    return "&".join(parts)


def decoded(value: str, now: float) -> Attributes:
    """The attributes in a value of `__VCAP_ID_META__`; what is not understood is left out."""
    given = {name: values[0] for name, values in parse_qs(value, keep_blank_values=True).items()}
    numbers = {name: int(given[name]) for name in ("maxage", "expires") if _DIGITS.fullmatch(given.get(name, ""))}
    ends = numbers.get("maxage", 0)
    return Attributes(
        expires=_written(numbers["expires"]) if "expires" in numbers else "",
        max_age=max(ends - int(now), 0) if ends else None,
        secure="secure" in given,
        same_site=_SAME_SITE.get(given.get("samesite", ""), ""),
        partitioned="partitioned" in given,
    )


def _written(epoch: int) -> str:
    try:
        return datetime.fromtimestamp(epoch, UTC).strftime(_EXPIRES[0])
    except (ValueError, OverflowError, OSError):  # no year that a date can be in
        return ""


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
            expires = datetime.strptime(value, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return expires.strftime(_EXPIRES[0]) if expires.year >= _EARLIEST_YEAR else ""
    return ""


def vcap_cookie(value: str, path: str, attributes: Attributes, *, secure: bool, name: str = VCAP_ID) -> bytes:
    """The cookie as Go writes it: bytes that may not stand in a cookie are left out, a value with spaces is quoted."""
    value = _BAD_IN_VALUE.sub("", value)
    if " " in value or "," in value:
        value = f'"{value}"'
    parts = [f"{name}={value}", f"Path={_BAD_IN_PATH.sub('', path)}"]
    if attributes.expires:
        parts.append(f"Expires={attributes.expires}")
    if attributes.max_age is not None:
        parts.append(f"Max-Age={max(attributes.max_age, 0)}")
    parts.append("HttpOnly")
    if attributes.secure or secure:
        parts.append("Secure")
    if attributes.same_site:
        parts.append(f"SameSite={attributes.same_site}")
    if attributes.partitioned:
        parts.append("Partitioned")
    return "; ".join(parts).encode("ascii")
