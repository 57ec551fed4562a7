"""Times as the API writes them."""

from datetime import UTC, datetime
from functools import lru_cache


def iso(seconds: float) -> str:
    """`2026-01-31T12:00:00Z`."""
    return _iso(int(seconds))


@lru_cache(1024)  # things that are listed together were often made together
def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(text: str) -> float | None:
    """The moment that `iso` would write so; None when it is written otherwise."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
