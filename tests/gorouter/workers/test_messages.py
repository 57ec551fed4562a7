"""Messages as they travel."""

from hypothesis import given
from hypothesis import strategies as st

from cfroute.gorouter.config_file import load, parse
from cfroute.gorouter.metrics.snapshot import Distribution, Snapshot
from cfroute.gorouter.metrics.varz_counts import RequestCounts, VarzCounts
from cfroute.gorouter.workers import messages
from cfroute.gorouter.workers.messages import Unpacker, packed

from ..test_config import FULL


@given(st.lists(st.binary(max_size=40), max_size=8), st.integers(1, 50))
def test_messages_in_pieces(bodies: list[bytes], size: int) -> None:
    stream = b"".join(len(body).to_bytes(4, "big") + body for body in bodies)
    unpacker = Unpacker()
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    assert [body for piece in pieces for body in unpacker.feed(piece)] == bodies


def test_a_worker_gets_the_configuration_that_its_parent_has() -> None:
    for config in (parse(""), load(FULL)):
        hello = messages.Hello(config, 1, 2, 3, 0, ("chain", "key"))
        assert messages.for_worker(packed(hello)[4:]) == hello


def test_a_report() -> None:
    histograms = {"h": {("c",): Distribution([1, 2], 3.0)}}
    snapshot = Snapshot({"a": {("x", "y"): 1, (): 2}}, {"g": 1.5}, histograms, {"h": [1.0]}, {"p": 1.0})
    requests = RequestCounts(1, [0.1, 0.2, 0.3], {"2xx": 1}, [0.5])
    report = messages.Report(snapshot, 10, VarzCounts(requests, {"web": requests}, {"app": 1}, 2, 3))
    assert messages.for_parent(packed(report)[4:]) == report
