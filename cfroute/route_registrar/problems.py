"""Everything that is wrong with a configuration, as the tree that upstream prints."""

import contextlib
from collections.abc import Iterator
from typing import Final

_INDENT: Final = "    "


class Problems(Exception):
    """What is wrong with one thing: sentences, and the problems of its parts."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self._what = what
        self._found: list[str | Problems] = []

    def add(self, problem: "str | Problems") -> None:
        self._found.append(problem)

    def when(self, wrong: object, problem: str) -> None:
        """Add the sentence if it applies."""
        if wrong:
            self.add(problem)

    @contextlib.contextmanager
    def of_part(self) -> Iterator[None]:
        """Add the problems of a part, if the block raises them."""
        try:
            yield
        except Problems as problems:
            self.add(problems)

    def check(self) -> None:
        """Raises itself if there is any."""
        if self._found:
            raise self

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> list[str]:
        count = "was 1 error" if len(self._found) == 1 else f"were {len(self._found)} errors"
        lines = [f"there {count} with '{self._what}':"]
        for problem in self._found:
            inner = problem._lines() if isinstance(problem, Problems) else [f"* {problem}"]
            lines += [_INDENT + line for line in inner]
        return lines
