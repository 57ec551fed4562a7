"""What the operating system knows of this process."""

import os
import time

from cfroute.gorouter.metrics import process


def test_figures() -> None:
    figures = process.figures()
    assert figures["process_cpu_seconds_total"] > 0
    assert 0 < figures["process_open_fds"] < figures["process_max_fds"]
    assert figures["process_virtual_memory_max_bytes"] > 0
    if os.path.exists("/proc/self"):
        assert 1e6 < figures["process_resident_memory_bytes"] < figures["process_virtual_memory_bytes"]
        assert 0 <= time.time() - figures["process_start_time_seconds"] < 3600


def test_an_open_file_is_counted() -> None:
    before = process.descriptors()
    with open(os.devnull):
        assert process.descriptors() == before + 1


def test_memory_is_in_kib() -> None:
    assert 5_000 < process.most_memory() < 50_000_000
