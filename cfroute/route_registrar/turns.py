"""What a route's turn comes to: whether it is told that it is there, or that it is gone, or nothing."""

from enum import Enum


class Verb(Enum):
    """What is told of a route."""

    REGISTER = "register"
    UNREGISTER = "unregister"


class Standing:
    """How one route stands: that it is gone is told a few times only, until it has been well again."""

    def __init__(self, limit: int) -> None:
        """`limit` is how often in a row it is told to be gone."""
        self._limit = limit
        self._unregistered = 0
        self.is_registered = False
        """Whether it was told last that it is there."""

    def __repr__(self) -> str:
        return f"<Standing: {'there' if self.is_registered else f'gone, told {self._unregistered} of {self._limit} times'}>"

    def after(self, *, healthy: bool) -> Verb | None:
        """What is to be told now."""
        if healthy:
            return Verb.REGISTER
        return Verb.UNREGISTER if self._unregistered < self._limit else None

    def told(self, verb: Verb) -> None:
        """It was told. What could not be does not count."""
        self.is_registered = verb is Verb.REGISTER
        self._unregistered = 0 if self.is_registered else self._unregistered + 1


def next_turn(last: float, interval: float, now: float) -> float:
    """When the next turn is due: an interval after the last one, or at once if that took longer."""
    return max(last + interval, now)
