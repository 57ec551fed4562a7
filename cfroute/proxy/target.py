"""Request targets: `/a%20b?x=1`, `http://host/p`, `host:443`, `*`.

The target is forwarded byte for byte; what is looked up and logged is derived from it by the rules of Go's `net/url`
(`ParseRequestURI`, `EscapedPath`).
"""

import re
from typing import Final, NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

_CONTROL: Final = re.compile(rb"[\x00-\x20\x7f]")
_BAD_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_BAD_HOST_ESCAPE: Final = re.compile(rb"%(?!25|[89A-Fa-f][0-9A-Fa-f])")  # in a host, only what is not ASCII may be escaped
_SCHEME: Final = re.compile(rb"([A-Za-z][A-Za-z0-9+\-.]*):")
_PORT: Final = re.compile(rb"(?::[0-9]*)?")
_HOST: Final = re.compile(rb"[A-Za-z0-9\-._~!$&'()*+,;=:%\[\]<>\"\x80-\xff]*")
# The characters of a raw path that Go takes as they are; anything else makes it encode the decoded path anew.
_VALID_PATH: Final = re.compile(rb"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@\[\]/]|%[0-9A-Fa-f]{2})*")


class Target(NamedTuple):
    """A parsed request target. `authority` is empty in origin form; `query` is None without a `?`."""

    authority: bytes
    path: bytes
    query: bytes | None


def parse(raw: bytes, method: bytes = b"GET") -> Target | None:
    """The parts of a request target, or None where Go refuses it."""
    if not raw or _CONTROL.search(raw):
        return None
    if raw[0] == 0x2F:
        path, mark, query = raw.partition(b"?")
        return Target(b"", path, query if mark else None) if not _BAD_ESCAPE.search(path) else None
    if raw == b"*":
        return Target(b"", b"*", None)
    if method == b"CONNECT":
        return Target(raw, b"", None) if _valid_authority(raw) else None
    return _absolute(raw)


def _absolute(raw: bytes) -> Target | None:
    scheme = _SCHEME.match(raw)
    if scheme is None:
        return None
    rest, mark, query = raw[scheme.end() :].partition(b"?")
    authority, path = b"", rest if rest.startswith(b"/") else b""  # without a slash, an opaque URL such as mailto:x
    if rest.startswith(b"//"):
        authority, slash, after = rest[2:].partition(b"/")
        authority, path = authority.rpartition(b"@")[2], slash + after
    if not _valid_authority(authority) or _BAD_ESCAPE.search(path):
        return None
    return Target(authority, path, query if mark else None)


def _valid_authority(authority: bytes) -> bool:
    if not _HOST.fullmatch(authority) or _BAD_HOST_ESCAPE.search(authority):
        return False
    if authority.startswith(b"["):
        _, bracket, port = authority.partition(b"]")
        return bool(bracket) and _PORT.fullmatch(port) is not None
    host, colon, port = authority.partition(b":")
    return b":" not in port and (not colon or port.isdigit() or not port) and b"[" not in host


def escaped(path: bytes) -> bytes:
    """The path as Go's `EscapedPath` gives it: itself if its characters are legal there, else encoded anew."""
    if _VALID_PATH.fullmatch(path):
        return path
    return quote_from_bytes(unquote_to_bytes(path), safe="$&+,/:;=@~").encode()


def double_slash_form(host: bytes, target: Target, scheme: bytes) -> bytes:
    """A target that begins with `//`, as Go sends it on: absolute, each segment and the query encoded anew."""
    segments = [quote_from_bytes(unquote_to_bytes(part), safe="$&+=:@~").encode() for part in target.path.split(b"/")]
    result = scheme + b"://" + host + b"/".join(segments)
    if target.query is None:
        return result
    query = encode_query(target.query)
    return result + b"?" + query if query else result + b"?" + target.query


def encode_query(query: bytes) -> bytes:
    """Parse and encode a query as Go's `url.Values.Encode`: sorted by key, broken pairs dropped."""
    pairs: list[tuple[bytes, bytes]] = []
    for part in query.split(b"&"):
        if not part or b";" in part or _BAD_ESCAPE.search(part):
            continue
        key, _, value = part.partition(b"=")
        pairs.append((_unescape(key), _unescape(value)))
    pairs.sort(key=lambda pair: pair[0])
    return b"&".join(_escape(key) + b"=" + _escape(value) for key, value in pairs)


def _unescape(text: bytes) -> bytes:
    return unquote_to_bytes(text.replace(b"+", b" "))


def _escape(text: bytes) -> bytes:
    return quote_from_bytes(text, safe=" ~").replace(" ", "+").encode()
