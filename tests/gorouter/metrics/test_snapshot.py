"""The counts of several workers are those of one router."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.gorouter.metrics.snapshot import Distribution, Snapshot, merge


def snapshot(**values) -> Snapshot:
    return Snapshot(**values)


def test_what_happens_to_requests_is_added_up() -> None:
    whole = merge(
        [
            snapshot(counters={"bad_gateways": {(): 1}, "responses": {("2xx",): 3}}, gauges={"file_descriptors": 10.0}),
            snapshot(
                counters={"bad_gateways": {(): 2}, "responses": {("2xx",): 4, ("5xx",): 1}}, gauges={"file_descriptors": 7.0}
            ),
        ]
    )
    assert whole.counters == {"bad_gateways": {(): 3}, "responses": {("2xx",): 7, ("5xx",): 1}}
    assert whole.gauges == {"file_descriptors": 17.0}


def test_what_every_worker_counts_alike_is_counted_once() -> None:
    one = snapshot(
        counters={"registry_message": {("added", "web"): 5}, "routes_pruned": {(): 2}},
        gauges={"total_routes": 5.0},
        histograms={"route_registration_latency": {(): Distribution([1, 1], 2.0)}},
    )
    assert merge([one, one]) == one


def test_histograms_are_added_bucket_by_bucket() -> None:
    whole = merge(
        [
            snapshot(histograms={"latency": {("a",): Distribution([1, 0], 0.5)}}, bounds={"latency": [1.0]}),
            snapshot(histograms={"latency": {("a",): Distribution([1, 2], 9.0), ("b",): Distribution([0, 1], 4.0)}}),
        ]
    )
    assert whole.histograms == {"latency": {("a",): Distribution([2, 2], 9.5), ("b",): Distribution([0, 1], 4.0)}}
    assert whole.bounds == {"latency": [1.0]}


def test_the_router_is_as_old_as_its_first_process() -> None:
    processes = [
        {"process_start_time_seconds": start, "process_cpu_seconds_total": cpu} for start, cpu in ((9.0, 1.0), (7.0, 2.5))
    ]
    whole = merge([snapshot(process=figures) for figures in processes])
    assert whole.process == {"process_start_time_seconds": 7.0, "process_cpu_seconds_total": 3.5}


def test_nobody_has_counted_anything() -> None:
    assert merge([]) == Snapshot()


COUNTS = st.dictionaries(
    st.sampled_from(["responses", "total_requests"]), st.dictionaries(st.tuples(st.text(max_size=3)), st.integers(1, 9))
)


@given(st.lists(COUNTS, max_size=4))
def test_nothing_is_lost_on_the_way_between_processes(parts: list[dict[str, dict[tuple[str], int]]]) -> None:
    sent = [msgspec.msgpack.encode(Snapshot(counters=part)) for part in parts]
    whole = merge([msgspec.msgpack.decode(data, type=Snapshot) for data in sent])
    total = sum(count for part in parts for counts in part.values() for count in counts.values())
    assert sum(count for counts in whole.counters.values() for count in counts.values()) == total


@pytest.mark.parametrize("count", [1, 3])
def test_merging_does_not_change_what_is_merged(count: int) -> None:
    part = snapshot(counters={"responses": {("2xx",): 1}}, histograms={"latency": {("",): Distribution([1], 1.0)}})
    before = msgspec.msgpack.encode(part)
    merge([part] * count)
    assert msgspec.msgpack.encode(part) == before
