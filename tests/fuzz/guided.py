"""Fuzzing that follows what has not been run yet, with atheris: `python -m tests.fuzz.guided TARGET [-max_total_time=60]`."""

import sys
from typing import Any

import atheris


def main() -> None:
    """Run one target until the time is over, or until it breaks."""
    with atheris.instrument_imports(include=["cfroute"]):
        from .targets import TARGETS
    name = sys.argv.pop(1)
    target, seeds = TARGETS[name]

    def mutate(data: bytes, max_size: int, seed: int) -> Any:
        """Now and then, begin again with a seed: the library has no other way to be told of them."""
        begin = seeds[seed % len(seeds)] if seed % 50 == 0 else data
        return atheris.Mutate(begin[:max_size], max_size)

    atheris.Setup(sys.argv, target, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
