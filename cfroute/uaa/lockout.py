"""When an account is locked because of wrong passwords. Pure."""

from collections.abc import Sequence

import msgspec


class Lockout(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`after` so many wrong passwords `within` some time, none are looked at any more; that `lasts` from the last one.

    Times are in seconds. A right password makes the earlier ones forgotten; attempts while it is locked do not count.
    """

    after: int = 5
    within: float = 3600.0
    lasts: float = 300.0

    def locked(self, failures: Sequence[float], now: float) -> bool:
        """Whether it is, after failures at these times since the last success."""
        recent = [at for at in failures if at > now - self.within]
        return len(recent) >= self.after and max(recent) > now - self.lasts
