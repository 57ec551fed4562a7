"""Any bytes at all, and messages with a few faults, for every reader and every connection.

`FUZZ_EXAMPLES=10000 make test ARGS=tests/fuzz` looks longer; `python -m tests.fuzz.guided TARGET` lets atheris, where it is
installed, look for paths that have not been taken.
"""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from . import corpus
from .targets import TARGETS

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "40"))


def mutated(seeds: list[bytes]) -> st.SearchStrategy[bytes]:
    """Some of the seeds, one after the other, with a few places changed."""
    fault = st.tuples(st.integers(0, 400), st.integers(0, 12), st.one_of(st.sampled_from(corpus.PIECES), st.binary(max_size=4)))
    some = st.lists(st.sampled_from(seeds), min_size=1, max_size=3)
    return st.builds(_mutate, some, st.lists(fault, max_size=4), st.integers(0, 255))


def _mutate(seeds: list[bytes], faults: list[tuple[int, int, bytes]], first: int) -> bytes:
    data = b"".join(seeds)
    for at, instead, piece in faults:
        at %= len(data) + 1
        data = data[:at] + piece + data[at + instead :]
    return bytes((first,)) + data


@pytest.mark.parametrize("name", TARGETS)
def test_a_few_faults(name: str) -> None:
    target, seeds = TARGETS[name]
    skips = 0 if target.__module__.endswith("connections") else 1  # readers have no use for the first byte

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), database=None)
    @given(mutated(seeds))
    def run(data: bytes) -> None:
        target(data[skips:])

    run()


@pytest.mark.parametrize("name", TARGETS)
def test_any_bytes(name: str) -> None:
    target, _ = TARGETS[name]

    @settings(max_examples=EXAMPLES // 2, suppress_health_check=list(HealthCheck), database=None)
    @given(st.binary(max_size=200))
    def run(data: bytes) -> None:
        target(data)

    run()
