"""How long to wait before another worker takes the place of one that has ended."""

from typing import Final

_FIRST: Final = 0.1  # seconds
_MOST: Final = 5.0
_LONG_ENOUGH: Final = 10.0
"""Seconds; a worker that has lived for so long was not wrong from the start."""


class Pauses:
    """The pauses of one place: none, then ever longer ones while its workers end soon after they have begun."""

    def __init__(self) -> None:
        self._next = 0.0

    def after(self, lived: float) -> float:
        """The pause after a worker that has lived for so many seconds."""
        if lived >= _LONG_ENOUGH:
            self._next = 0.0
        pause, self._next = self._next, min(max(self._next * 2, _FIRST), _MOST)
        return pause
