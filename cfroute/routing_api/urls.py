"""URL references by the rules of Go's `url.Parse`: whether a route is one, and is written as Go would write it."""

import re
from typing import Final

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+\-.]*:")
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2}).{0,2}", re.DOTALL)
_BAD_HOST: Final = re.compile(r"""[^A-Za-z0-9\-._~!$&'()*+,;=:\[\]<>"%\u0080-\U0010ffff]""")
_PORT: Final = re.compile(r"(:[0-9]*)?")
_STABLE_PATH: Final = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/\[\]]|%[0-9A-Fa-f]{2})*")
"""Paths that are written as they were read. Others, Go escapes."""


class URLError(ValueError):
    """The text is no URL; the message is Go's."""


def check(text: str) -> bool:
    """Whether a URL reference without query and fragment is written as Go would write it. Raises URLError if it is none."""
    try:
        return _check(text)
    except URLError as error:
        raise URLError(f'parse "{_escaped(text)}": {error}') from error


def _check(text: str) -> bool:
    if _CONTROL.search(text):
        raise URLError("net/url: invalid control character in URL")
    if text.startswith(":"):
        raise URLError("missing protocol scheme")
    scheme = _SCHEME.match(text)
    rest = text[scheme.end() :] if scheme else text
    if not rest.startswith("/"):
        if scheme:  # opaque: is kept as it is
            return scheme[0].islower()
        if ":" in rest.partition("/")[0]:
            raise URLError("first path segment in URL cannot contain colon")
    stable = scheme is None or scheme[0] == scheme[0].lower()
    if rest.startswith("//") and (scheme or not rest.startswith("///")):
        authority, slash, path = rest[2:].partition("/")
        host = authority.rpartition("@")[2]
        stable = _check_host(host) and stable
        rest = slash + path
    _check_escapes(rest)
    return stable and _STABLE_PATH.fullmatch(rest) is not None


def _check_host(host: str) -> bool:
    port = host.rpartition("]")[2] if host.startswith("[") else host[host.find(":") :] if ":" in host else ""
    if host.startswith("[") and "]" not in host:
        raise URLError("missing ']' in host")
    if not _PORT.fullmatch(port):
        raise URLError(f'invalid port "{_escaped(port)}" after host')
    _check_escapes(host)
    bad = _BAD_HOST.search(host)
    if bad:
        raise URLError(f'invalid character "{_escaped(bad[0])}" in host name')
    return host.isascii()


def _check_escapes(text: str) -> None:
    bad = _BAD_ESCAPE.search(text)
    if bad:
        raise URLError(f'invalid URL escape "{_escaped(bad[0])}"')


def _escaped(text: str) -> str:
    """As inside of Go's `%q`, as far as routes can need it."""
    short = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return "".join(short.get(char) or (char if char.isprintable() else f"\\x{ord(char):02x}") for char in text)
