"""Whether what somebody has sent is fit to be looked at: not too deep, not endless, and without NUL."""

from collections.abc import Iterable

DEEPEST = 100  # levels, as upstream's parser has it


def is_sound(document: object, most: int | None = None) -> bool:
    """Whether no text in it has a NUL, which no environment and no command can hold, and it ends after `DEEPEST` levels.

    most: and has no more values than these; the aliases of YAML can make many of a few, and circles.
    """
    level, seen = [document], 0
    for _ in range(DEEPEST):
        seen += len(level)
        if (most is not None and seen > most) or any(isinstance(value, str) and "\0" in value for value in level):
            return False
        level = [inner for value in level for inner in _inside(value)]
        if not level:
            return True
    return False


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return (*value, *value.values())
    return value if isinstance(value, list) else ()
