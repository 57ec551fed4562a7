"""Patterns for names of files as Go's `filepath.Match` reads them.

    *        any characters        [a-c]   one of these, [^a-c] one that is none of these
    ?        one character         \\c      the character itself

There is no `**`, a leading dot is a character like others, and a pattern that is not well-formed is an error.
"""

import re


class PatternError(ValueError):
    """The pattern is not well-formed; the message is Go's."""

    def __init__(self) -> None:
        super().__init__("syntax error in pattern")


def translate(pattern: str) -> re.Pattern[str]:
    """A regular expression for whole names (without separators). Raises PatternError."""
    return re.compile(_Reader(pattern).read(), re.DOTALL)


class _Reader:
    """Reads a pattern from left to right."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    def read(self) -> str:
        parts = []
        while self._at < len(self._pattern):
            char = self._take()
            if char == "*":
                parts.append("[^/]*")
            elif char == "?":
                parts.append("[^/]")
            elif char == "[":
                parts.append(self._class())
            else:
                parts.append(re.escape(self._take() if char == "\\" else char))
        return "".join(parts)

    def _take(self) -> str:
        if self._at == len(self._pattern):
            raise PatternError
        self._at += 1
        return self._pattern[self._at - 1]

    def _peek(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def _class(self) -> str:
        negated = self._peek() == "^"
        self._at += negated
        ranges: list[str] = []
        count = 0
        while self._peek() != "]" or not count:
            count += 1
            low = high = self._member()
            if self._peek() == "-":
                self._at += 1
                high = self._member()
            if low <= high:  # a range that is upside down has nothing in it
                ranges.append(f"{re.escape(low)}-{re.escape(high)}")
        self._at += 1
        if not ranges:
            return "." if negated else "(?!)"
        return f"[{'^' if negated else ''}{''.join(ranges)}]"

    def _member(self) -> str:
        char = self._take()
        if char in "-]":
            raise PatternError
        return self._take() if char == "\\" else char
