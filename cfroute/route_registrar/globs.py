"""Finding files by a pattern, as Go's `filepath.Glob` does: what cannot be read is as if it were not there."""

import os
from typing import Final

from cfroute.go.patterns import translate

_MAGIC: Final = frozenset("*?[\\")


def find(pattern: str) -> list[str]:
    """The files and folders that the pattern names, in order of their names. Raises PatternError."""
    steps = [(part, translate(part)) for part in pattern.split("/") if part]
    found = ["/" if pattern.startswith("/") else ""]
    for part, matcher in steps:
        if _MAGIC.isdisjoint(part):  # a folder need not be readable for that, and no folder lists `..`
            found = [os.path.join(folder, part) for folder in found]
        else:
            found = [os.path.join(folder, name) for folder in found for name in _names(folder) if matcher.fullmatch(name)]
    return [name for name in found if os.path.lexists(name)]


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder or "."))
    except OSError:
        return []
