"""URLs as Go's `url.ParseRequestURI` and `url.Parse` take them apart, with their error texts."""

import re
from typing import NamedTuple

from cfroute.go.quoting import quote
from cfroute.proxy.target import escaped

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+\-.]*):")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2}).{0,2}", re.DOTALL)
_BAD_HOST = re.compile(r"""[^A-Za-z0-9\-._~!$&'()*+,;=:\[\]<>"%\u0080-\U0010ffff]""")
_HOST_ESCAPE = re.compile(r"%(?!25)(?![89A-Fa-f][0-9A-Fa-f])..", re.DOTALL)
_PORT = re.compile(r"(:[0-9]*)?")


class URLError(ValueError):
    """The text is no URL; the message is Go's."""


class URL(NamedTuple):
    """scheme (lower case), host (with port, as written) and the path as Go's `EscapedPath` gives it."""

    scheme: str
    host: str
    path: str


def parse_request_uri(text: str) -> URL:
    """An absolute URL or an absolute path. Raises URLError."""
    try:
        return _parse(text)
    except URLError as error:
        raise URLError(f"parse {quote(text)}: {error}") from error


def is_kept(text: str) -> bool:
    """Whether a URL reference without query and fragment is written by Go as it was read. Raises URLError if it is none."""
    try:
        return _is_kept(text)
    except URLError as error:
        raise URLError(f"parse {quote(text)}: {error}") from error


def check_reference(text: str) -> None:
    """Raises URLError unless the text is a URL reference, with query and fragment or without."""
    reference, _, fragment = text.partition("#")
    shown = reference
    try:
        _split_scheme(reference)  # a control character is as wrong in the query
        _is_kept(reference.partition("?")[0])
        shown = text
        _check_escapes(fragment)
    except URLError as error:
        raise URLError(f"parse {quote(shown)}: {error}") from error


def _is_kept(text: str) -> bool:
    scheme, rest = _split_scheme(text)
    if not rest.startswith("/"):
        if scheme:  # opaque: only the scheme could change
            return scheme.islower()
        if ":" in rest.partition("/")[0]:
            raise URLError("first path segment in URL cannot contain colon")
    kept = scheme == scheme.lower()
    if rest.startswith("//") and (scheme or not rest.startswith("///")):
        authority, slash, path = rest[2:].partition("/")
        kept = _host(authority.rpartition("@")[2]).isascii() and kept
        rest = slash + path
    _check_escapes(rest)
    return kept and _escaped_path(rest) == rest


def _parse(text: str) -> URL:
    if not text:
        raise URLError("empty url")
    if text == "*":
        return URL("", "", "*")
    scheme, rest = _split_scheme(text)
    scheme, rest = scheme.lower(), rest.partition("?")[0]
    if not rest.startswith("/"):
        if scheme:  # opaque, such as mailto:x
            return URL(scheme, "", "")
        raise URLError("invalid URI for request")
    host = ""
    if scheme and rest.startswith("//"):
        authority, slash, path = rest[2:].partition("/")
        host, rest = _host(authority.rpartition("@")[2]), slash + path
    _check_escapes(rest)
    return URL(scheme, host, _escaped_path(rest))


def _split_scheme(text: str) -> tuple[str, str]:
    if _CONTROL.search(text):
        raise URLError("net/url: invalid control character in URL")
    if text.startswith(":"):
        raise URLError("missing protocol scheme")
    match = _SCHEME.match(text)
    return (match[1], text[match.end() :]) if match else ("", text)


def _escaped_path(path: str) -> str:
    return escaped(path.encode("utf-8", "surrogateescape")).decode("ascii", "surrogateescape")


def _host(host: str) -> str:
    if host.startswith("["):
        inside, bracket, port = host.rpartition("]")
        if not bracket:
            raise URLError("missing ']' in host")
        _check_port(port)
        return inside + bracket + port
    colon = host.rfind(":")
    if colon >= 0:
        _check_port(host[colon:])
    _check_escapes(host)
    escape = _HOST_ESCAPE.search(host)
    if escape:
        raise URLError(f"invalid URL escape {quote(escape[0])}")
    bad = _BAD_HOST.search(host)
    if bad:
        raise URLError(f"invalid character {quote(bad[0])} in host name")
    return host


def _check_port(port: str) -> None:
    if not _PORT.fullmatch(port):
        raise URLError(f"invalid port {quote(port)} after host")


def _check_escapes(text: str) -> None:
    bad = _BAD_ESCAPE.search(text)
    if bad:
        raise URLError(f"invalid URL escape {quote(bad[0])}")
