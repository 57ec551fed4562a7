"""At which numbers of instances a canary pauses. Pure."""

from collections.abc import Sequence
from typing import NamedTuple


class Pause(NamedTuple):
    """How many new instances there are when a canary pauses, and how many old ones beside them."""

    new: int
    old: int


def plan(instances: int, weights: Sequence[int] | None) -> list[Pause]:
    """The pauses of a canary that replaces so many instances; weights are percentages, None for a single new instance.

    As upstream has it, one more instance than before runs at each pause but that of 100 %.
    """
    if weights is None:
        return [Pause(1, instances)]
    return [_pause(instances, weight) for weight in weights]


def _pause(instances: int, weight: int) -> Pause:
    new = max(1, (instances * weight + 50) // 100)
    return Pause(new, 0 if weight == 100 else instances - new + 1)
