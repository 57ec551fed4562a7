"""Strings as Go's `%q` writes them, which is how the access log and many messages show them.

"plain"  "with \\"quotes\\" and \\\\"  "tab\\t"  "\\x00"  "\\u2028"  "Ünïcode is kept"  "\\xff" (a byte that is no UTF-8)
"""

import re
from unicodedata import category

_ODD = re.compile(r"[^ !#-\[\]-~]")
_SHORT = {
    '"': '\\"',
    "\\": "\\\\",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
}
# Letters, marks, numbers, punctuation and symbols: what Go's unicode.IsPrint calls printable. The space alone is so, too.
_PRINTABLE = frozenset("LMNPS")


def is_plain(text: str) -> bool:
    """Whether nothing in the text has to be escaped. Much quicker than a regular expression, and most texts are plain."""
    return text.isascii() and text.isprintable() and '"' not in text and "\\" not in text


def quote(text: str) -> str:
    """The quoted text. Bytes that are no UTF-8 are expected as the surrogates of Python's `surrogateescape`."""
    if is_plain(text):
        return f'"{text}"'
    return '"' + _ODD.sub(_escaped, text) + '"'


def _escaped(match: re.Match[str]) -> str:
    char = match[0]
    short = _SHORT.get(char)
    if short is not None:
        return short
    code = ord(char)
    if code < 0x80:
        return f"\\x{code:02x}"
    if 0xDC80 <= code <= 0xDCFF:  # a byte that did not decode
        return f"\\x{code - 0xDC00:02x}"
    if category(char)[0] in _PRINTABLE:
        return char
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
