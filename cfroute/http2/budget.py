"""How much of what costs its sender nothing is taken."""


class Budget:
    """A bucket of tokens: `burst` at once, and `rate` more each second."""

    __slots__ = ("_burst", "_left", "_rate", "_seen")

    def __init__(self, burst: int, rate: float) -> None:
        self._burst = burst
        self._rate = rate
        self._left = float(burst)
        self._seen = 0.0

    def spend(self, now: float) -> bool:
        """Take a token; False if there is none left. now is in monotonic seconds."""
        self._left = min(self._burst, self._left + (now - self._seen) * self._rate)
        self._seen = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
