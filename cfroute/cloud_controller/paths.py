"""Which line of the API a request means. Pure.

A tree of path segments: what a look-up costs does not grow with the number of lines, as it does with regular expressions that
are tried one after the other.
"""

from collections.abc import Iterable
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")
_REST = ":path}"


class Line(NamedTuple, Generic[T]):
    """What is at the end of a way through the tree, and how the segments that are parameters are called."""

    target: T
    parameters: tuple[str, ...]


class _Node(Generic[T]):
    """Where one gets by some segments. parameter: by any other segment; rest: by any others, however many."""

    __slots__ = ("lines", "literals", "parameter", "rest")

    def __init__(self) -> None:
        self.literals: dict[str, _Node[T]] = {}
        self.parameter: _Node[T] | None = None
        self.rest: _Node[T] | None = None
        self.lines: dict[str, Line[T]] = {}


class Paths(Generic[T]):
    """Lines by method and path. A path has segments like `{guid}`, and its last one may be `{rest:path}`."""

    def __init__(self, lines: Iterable[tuple[str, str, T]]) -> None:
        self._root: _Node[T] = _Node()
        for method, path, target in lines:
            self._add(method, path, target)

    def _add(self, method: str, path: str, target: T) -> None:
        node, parameters = self._root, []
        for segment in path.split("/")[1:]:
            if not segment.startswith("{"):
                node = node.literals.setdefault(segment, _Node())
                continue
            parameters.append(segment[1:-1].removesuffix(":path"))
            if segment.endswith(_REST):
                node.rest = node.rest or _Node()
                node = node.rest
            else:
                node.parameter = node.parameter or _Node()
                node = node.parameter
        node.lines.setdefault(method, Line(target, tuple(parameters)))

    def find(self, method: str, path: str) -> tuple[T, dict[str, str]] | None:
        """What the request means, and its parameters; None when it is none of ours. HEAD means what GET does."""
        values: list[str] = []
        line = _find(self._root, "GET" if method == "HEAD" else method, path.split("/")[1:], 0, values)
        return (line.target, dict(zip(line.parameters, values, strict=True))) if line else None


def _find(node: _Node[T], method: str, segments: list[str], depth: int, values: list[str]) -> Line[T] | None:
    """The line below the node; the parameters on the way to it are appended to `values`."""
    if depth == len(segments):
        return node.lines.get(method)
    segment, known = segments[depth], len(values)
    literal = node.literals.get(segment)
    if literal and (line := _find(literal, method, segments, depth + 1, values)):
        return line
    if node.parameter and segment:
        values.append(segment)
        if line := _find(node.parameter, method, segments, depth + 1, values):
            return line
        del values[known:]
    if node.rest and (line := node.rest.lines.get(method)):
        values.append("/".join(segments[depth:]))
        return line
    return None
