"""Requests and responses as text that may be shown to others: what is secret is left out, in cf's words."""

import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

HIDDEN = "[PRIVATE DATA HIDDEN]"
_FORM = "[application/x-www-form-urlencoded CONTENT HIDDEN]"
_FILES = "[MULTIPART/FORM-DATA CONTENT HIDDEN]"

_HEADERS = {"authorization", "cookie", "proxy-authorization", "set-cookie", "x-uaa-csrf"}
_SECRET = re.compile(r"(?i)token|passw|passcode|passphrase|secret|credentials|private_?key|refresh|^code$|^assertion$")
_JWT = re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]+")
_MOST = 100_000  # characters of a body that are shown


def head(first_line: str, headers: Iterable[tuple[str, str]]) -> str:
    """The first line and the headers."""
    return "\n".join([first_line, *(f"{_cased(name)}: {_header(name, value)}" for name, value in headers)])


def target(url: str) -> str:
    """Path and query of a URL."""
    parts = urlsplit(_url(url))
    return urlunsplit(("", "", parts.path or "/", parts.query, ""))


def body(content: bytes, content_type: str) -> str:
    """A body: JSON indented and without its secrets, text as it is, of forms and of files only that they were there."""
    kind = content_type.partition(";")[0].strip().lower()
    if not content:
        return ""
    if kind == "application/x-www-form-urlencoded":
        return _FORM
    if kind.startswith("multipart/"):
        return _FILES
    try:
        return _JWT.sub(HIDDEN, json.dumps(_without_secrets(json.loads(content)), indent=2))[:_MOST]
    except ValueError:
        pass
    if kind.startswith("text/") or kind.endswith(("yaml", "yml")):
        return _words(content.decode(errors="replace"))[:_MOST]
    return f"[{len(content)} bytes of {kind or 'unknown kind'}]"


def _header(name: str, value: str) -> str:
    lowered = name.lower()
    if lowered in _HEADERS or _SECRET.search(lowered):
        return HIDDEN
    return _url(value) if lowered == "location" else value


def _url(url: str) -> str:
    """A URL without user, password and secret parameters."""
    parts = urlsplit(url)
    place = f"{HIDDEN}@{parts.netloc.rpartition('@')[2]}" if "@" in parts.netloc else parts.netloc
    given = parse_qsl(parts.query, keep_blank_values=True)
    if not any(_SECRET.search(name) for name, _ in given):
        return urlunsplit((parts.scheme, place, parts.path, parts.query, parts.fragment))
    shown = urlencode([(name, HIDDEN if _SECRET.search(name) else value) for name, value in given], safe="[] ")
    return urlunsplit((parts.scheme, place, parts.path, shown, parts.fragment))


def _without_secrets(value: Any, *, secret: bool = False) -> Any:
    if isinstance(value, dict):
        return {key: _without_secrets(each, secret=secret or bool(_SECRET.search(key))) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_secrets(each, secret=secret) for each in value]
    return HIDDEN if secret and value not in (None, "", True, False) and not _is_link(value) else value


def _is_link(value: Any) -> bool:
    """URLs of endpoints that have "token" or "credentials" in their names, as the links of an answer are."""
    return isinstance(value, str) and value.startswith(("http://", "https://")) and "@" not in value and "?" not in value


def _words(text: str) -> str:
    """Lines of YAML and the like: values of secret keys are hidden."""
    hidden = _JWT.sub(HIDDEN, text)
    return re.sub(
        r"(?im)^(\s*(?:- )?[\"']?[\w.-]*(?:token|password|passcode|secret|private_?key)[\w.-]*[\"']?\s*[:=])\s*\S.*$",
        rf"\1 {HIDDEN}",
        hidden,
    )


def _cased(name: str) -> str:
    """HTTP/1.1's usual spelling: `X-Vcap-Request-Id`."""
    return "-".join(part.capitalize() for part in name.split("-"))
