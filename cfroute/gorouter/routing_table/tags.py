"""The tags of an endpoint, in little room.

A registration of the platform carries a dozen tags. Kept as dictionaries they would take more memory than all the rest of
a large routing table, though the names are the same everywhere and most of the values occur often.
"""

from collections.abc import Iterator, Mapping
from sys import intern
from typing import Final

_MOST_NAMES: Final = 1024  # different sets of names that are shared; who registers routes chooses them

_shared_names: dict[tuple[str, ...], tuple[str, ...]] = {}


class Tags(Mapping[str, str]):
    """A mapping that is never changed: a tuple of names, shared by all that have the same ones, and a tuple of values."""

    __slots__ = ("_names", "_values")

    def __init__(self, tags: Mapping[str, str], known: Mapping[str, str] | None = None) -> None:
        """`known` has strings that are kept elsewhere, by themselves: a value that is equal to one need not be kept twice."""
        names = tuple(tags)
        shared = _shared_names.get(names)
        if shared is None:
            shared = tuple(map(intern, names))
            if len(_shared_names) < _MOST_NAMES:
                _shared_names[shared] = shared
        known = known or {}
        self._names = shared
        self._values = tuple([known.get(value) or intern(value) for value in tags.values()])

    def __getitem__(self, name: str) -> str:
        try:
            return self._values[self._names.index(name)]
        except ValueError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __eq__(self, other: object) -> bool:
        """Emitters repeat their tags in the same order, so the texts are mostly equal one by one."""
        if type(other) is dict:
            return (self._values == (*other.values(),) and self._names == (*other,)) or dict(self) == other
        if isinstance(other, Tags):
            return (self._values == other._values and self._names == other._names) or dict(self) == dict(other)
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]  # like every mapping

    def __repr__(self) -> str:
        return f"Tags({dict(self)})"
