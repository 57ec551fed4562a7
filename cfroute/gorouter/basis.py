"""What every part of a router is made from."""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from cfroute.clock import Clock
from cfroute.gorouter.config import Config
from cfroute.logs import Logger


class Basis(NamedTuple):
    """What a router is to do, where it says what it does, and where its time and chance come from.

    rng chooses endpoints and ids, nothing secret; random_bytes makes so many bytes that nobody can guess, for the seals.
    """

    config: Config
    log: Logger
    clock: Clock
    rng: Random
    random_bytes: Callable[[int], bytes]
