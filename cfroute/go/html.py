"""What Go's html/template adds to a template: each action is escaped for the place in the page where it stands.

Known places are text, `<title>` and `<textarea>`, comments (which are left out of the page), and the values of ordinary
attributes. An action anywhere else (tag and attribute names, URLs, styles, scripts) is refused: there the rules are others.
A `<` in the text that begins no tag is written as `&lt;`.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple, NoReturn

from cfroute.go.template import Branch, Node, Output, TemplateError, Text

_TEXT, _RCDATA, _RAW, _COMMENT = "text", "rcdata", "raw text", "a comment"
_TAG, _ATTR_NAME, _AFTER_NAME, _BEFORE_VALUE, _VALUE = "a tag", "an attribute name", "after a name", "before a value", "a value"

_CONTENT: Final = {"title": _RCDATA, "textarea": _RCDATA, "script": _RAW, "style": _RAW}
_TAG_START: Final = re.compile(r"<(?:!--|(/?)([A-Za-z](?:[A-Za-z0-9]|[:-](?=[A-Za-z0-9]))*))")
_NAME: Final = re.compile(r"[^ \t\n\f\r=>\"'<]+")
_SPACE: Final = " \t\n\f\r"
_STRAY: Final = re.compile(r"<(?!!doctype)", re.IGNORECASE)
_VALUE_END: Final = {'"': re.compile('"'), "'": re.compile("'"), "": re.compile(r"[ \t\n\f\r>]")}

# What an attribute's value is, where it is not ordinary text.
_URLS: Final = frozenset((
    "action", "archive", "background", "cite", "classid", "codebase", "data", "formaction", "href", "icon", "longdesc",
    "manifest", "poster", "profile", "src", "usemap",
))  # fmt: skip
_HTML: Final = {"\0": "\ufffd", '"': "&#34;", "&": "&amp;", "'": "&#39;", "+": "&#43;", "<": "&lt;", ">": "&gt;"}
_NO_SPACE: Final = _HTML | {
    "\0": "&#xfffd;", "\t": "&#9;", "\n": "&#10;", "\v": "&#11;", "\f": "&#12;", "\r": "&#13;", " ": "&#32;", "=": "&#61;",
    "`": "&#96;",
}  # fmt: skip
_HTML_TABLE: Final = str.maketrans(_HTML)
_NO_SPACE_TABLE: Final = str.maketrans(_NO_SPACE)


class Place(NamedTuple):
    """Where in the page something stands. quote is that around a value; special tells of a value that is no ordinary text."""

    state: str = _TEXT
    element: str = ""
    quote: str = ""
    special: str = ""


def escape(nodes: Sequence[Node]) -> list[Node]:
    """The template with its actions escaped. Raises TemplateError where that is not possible."""
    result, place = _escape(nodes, Place())
    if place.state != _TEXT:
        raise TemplateError(f"html/template: ends in a non-text context: {place.state}")
    return result


def _escape(nodes: Sequence[Node], place: Place) -> tuple[list[Node], Place]:
    result: list[Node] = []
    for node in nodes:
        if isinstance(node, Text):
            text, place = _through(node.text, place)
            result.append(Text(text))
        elif isinstance(node, Output):
            place = _nudged(place)
            result.append(replace(node, escape=_escaper(place, node.line)))
        elif isinstance(node, Branch):
            then, first = _escape(node.then, place)
            otherwise, second = _escape(node.otherwise, place)
            if first != second and _nudged(first) != _nudged(second):
                _refuse(node.line, "its branches end in different contexts")
            place = first if first == second else _nudged(first)
            result.append(replace(node, then=then, otherwise=otherwise))
        else:
            result.append(node)
    return result, place


def _refuse(line: int, problem: str) -> NoReturn:
    raise TemplateError(f"html/template:error-message:{line}: {problem}")


def _nudged(place: Place) -> Place:
    """Where an action stands, if there is none of the text left that would lead there."""
    if place.state == _TAG:
        return place._replace(state=_ATTR_NAME)
    if place.state == _BEFORE_VALUE:
        return place._replace(state=_VALUE, quote="")
    if place.state == _AFTER_NAME:
        return place._replace(state=_ATTR_NAME, special="")
    return place


# Escapers


def html_text(text: str) -> str:
    """Escaped for text, and for values in quotes."""
    return text.translate(_HTML_TABLE)


def bare_value(text: str) -> str:
    """Escaped for a value without quotes."""
    return text.translate(_NO_SPACE_TABLE) or "ZgotmplZ"


def _nothing(_: str) -> str:
    return ""


def _escaper(place: Place, line: int) -> Callable[[str], str]:
    if place.state in (_TEXT, _RCDATA):
        return html_text
    if place.state == _COMMENT:
        return _nothing
    if place.state == _VALUE and not place.special:
        return html_text if place.quote else bare_value
    _refuse(line, f"actions in {place.special or place.state} are not supported")


# The way through text


def _through(text: str, place: Place) -> tuple[str, Place]:
    """The text as it goes into the page, and the place behind it."""
    out: list[str] = []
    at = 0
    while at < len(text):
        step = _STEPS[place.state]
        end, after = step(text, at, place)
        piece = text[at:end]
        if place.state in (_TEXT, _RCDATA):
            tag = piece.rfind("<") if place.state == _TEXT != after.state else len(piece)
            piece = _STRAY.sub("&lt;", piece[:tag]) + piece[tag:]
            piece = piece.removesuffix("<!--") if after.state == _COMMENT else piece
        elif place.state == _COMMENT:
            piece = ""
        out.append(piece)
        at, place = end, after
    return "".join(out), place


def _text(text: str, at: int, place: Place) -> tuple[int, Place]:
    tag = _TAG_START.search(text, at)
    if tag is None:
        return len(text), place
    if tag[2] is None:
        return tag.end(), Place(_COMMENT)
    element = tag[2].lower() if not tag[1] and tag[2].lower() in _CONTENT else ""
    return tag.end(), Place(_TAG, element)


def _comment(text: str, at: int, place: Place) -> tuple[int, Place]:
    end = text.find("-->", at)
    return (end + 3, Place()) if end >= 0 else (len(text), place)


def _element(text: str, at: int, place: Place) -> tuple[int, Place]:
    """The contents of an element that only its own end tag ends."""
    end = re.compile(rf"</{place.element}(?=[ \t\n\f\r/>])", re.IGNORECASE).search(text, at)
    return (end.start(), Place()) if end else (len(text), place)


def _tag(text: str, at: int, place: Place) -> tuple[int, Place]:
    at = _past_space(text, at)
    if at == len(text):
        return at, place
    if text[at] == ">":
        return at + 1, Place(_CONTENT.get(place.element, _TEXT), place.element)
    name = _NAME.match(text, at)
    if name is None:
        raise TemplateError(f"html/template: expected space, attr name, or end of tag, but got {text[at : at + 20]!r}")
    state = _ATTR_NAME if name.end() == len(text) else _AFTER_NAME
    return name.end(), place._replace(state=state, special=_special(name[0].lower()))


def _attr_name(text: str, at: int, place: Place) -> tuple[int, Place]:
    name = _NAME.match(text, at)
    end = name.end() if name else at
    return end, place if end == len(text) else place._replace(state=_AFTER_NAME)


def _after_name(text: str, at: int, place: Place) -> tuple[int, Place]:
    at = _past_space(text, at)
    if at == len(text):
        return at, place
    return (at + 1, place._replace(state=_BEFORE_VALUE)) if text[at] == "=" else (at, place._replace(state=_TAG, special=""))


def _before_value(text: str, at: int, place: Place) -> tuple[int, Place]:
    at = _past_space(text, at)
    if at == len(text):
        return at, place
    quote = text[at] if text[at] in "\"'" else ""
    return at + len(quote), place._replace(state=_VALUE, quote=quote)


def _value(text: str, at: int, place: Place) -> tuple[int, Place]:
    end = _VALUE_END[place.quote].search(text, at)
    if end is None:
        return len(text), place
    return end.start() + len(place.quote), Place(_TAG, place.element)


_STEPS: Final = {
    _TEXT: _text, _RCDATA: _element, _RAW: _element, _COMMENT: _comment, _TAG: _tag, _ATTR_NAME: _attr_name,
    _AFTER_NAME: _after_name, _BEFORE_VALUE: _before_value, _VALUE: _value,
}  # fmt: skip


def _past_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def _special(name: str) -> str:
    """What the value of that attribute is, if it is no ordinary text: Go's table, and its guesses from names."""
    if name.startswith("data-"):
        name = name.removeprefix("data-")
    elif ":" in name:
        prefix, _, name = name.partition(":")
        if prefix == "xmlns":
            return "a URL"
    if name in ("style", "srcset", "srcdoc"):
        return f"{name} attributes"
    if name in _URLS:
        return "a URL"
    if name.startswith("on"):
        return "a script"
    return "a URL" if any(part in name for part in ("src", "uri", "url")) else ""
