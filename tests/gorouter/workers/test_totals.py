"""The metrics of several processes as those of one router."""

from cfroute.gorouter.metrics.snapshot import Distribution, Snapshot
from cfroute.gorouter.metrics.varz_counts import RequestCounts, VarzCounts
from cfroute.gorouter.workers.messages import Report
from cfroute.gorouter.workers.totals import Totals


def counted(requests: int, descriptors: float = 5.0) -> Snapshot:
    return Snapshot(
        counters={"total_requests": {("web",): requests}, "routes_pruned": {(): 0}},
        gauges={"file_descriptors": 0.0, "total_routes": 0.0},
        histograms={"gorouter_time": {(): Distribution([requests, 0], requests * 0.5)}},
        bounds={"gorouter_time": [1.0]},
        process={"process_cpu_seconds_total": float(requests), "process_open_fds": descriptors},
    )


def parent() -> Snapshot:
    return Snapshot(
        counters={"routes_pruned": {(): 7}},
        gauges={"file_descriptors": 30.0, "total_routes": 4.0},
        histograms={"gorouter_time": {(): Distribution([0, 0])}},
        bounds={"gorouter_time": [1.0]},
        process={"process_cpu_seconds_total": 1.0, "process_open_fds": 20.0},
    )


def test_sums() -> None:
    totals = Totals()
    totals.note(0, Report(counted(1), 1000))
    totals.note(1, Report(counted(9), 1000))
    totals.note(1, Report(counted(10), 2000))
    whole = totals.snapshot(parent())
    assert whole.counters["total_requests"] == {("web",): 11}
    assert whole.counters["routes_pruned"] == {(): 7}
    assert whole.gauges == {"file_descriptors": 30.0, "total_routes": 4.0}
    assert whole.histograms["gorouter_time"] == {(): Distribution([11, 0], 5.5)}
    assert whole.process["process_open_fds"] == 30.0
    assert (totals.descriptors, totals.cpu_seconds, totals.memory) == (10, 11.0, 3000)


def test_what_was_counted_stays_counted() -> None:
    totals = Totals()
    for requests in (3, 4):
        totals.note(0, Report(counted(requests), 1000))
        totals.ended(0)
    totals.ended(0)
    whole = totals.snapshot(parent())
    assert whole.counters["total_requests"] == {("web",): 7}
    assert whole.histograms["gorouter_time"] == {(): Distribution([7, 0], 3.5)}
    assert whole.process == {"process_cpu_seconds_total": 8.0, "process_open_fds": 20.0}
    assert (totals.descriptors, totals.cpu_seconds, totals.memory) == (0, 7.0, 0)


def varz(count: int, latency: float) -> VarzCounts:
    requests = RequestCounts(count, [1.0, 2.0, 3.0], {"2xx": count}, [latency] * count)
    return VarzCounts(requests, {"web": requests}, {"app": count}, 1, 2)


def nothing() -> VarzCounts:
    return VarzCounts(RequestCounts(0, [0.0] * 3, {"2xx": 0}, []), {}, {}, 0, 0)


def test_the_deprecated_page() -> None:
    totals = Totals()
    totals.note(0, Report(Snapshot(), 1, varz(2, 0.25)))
    totals.note(1, Report(Snapshot(), 1, varz(3, 0.25)))
    shown = totals.varz(nothing()).shown()
    assert (shown["requests"], shown["responses_2xx"], shown["requests_per_sec"]) == (5, 5, 2.0)
    assert shown["latency"]["99"] == 0.25
    assert shown["tags"]["component"]["web"]["requests"] == 5
    assert shown["top10_app_requests"] == [{"application_id": "app", "rpm": 5, "rps": 0}]
    assert (shown["bad_requests"], shown["bad_gateways"]) == (2, 4)
    totals.ended(0)
    totals.ended(1)
    shown = totals.varz(nothing()).shown()
    assert (shown["requests"], shown["bad_requests"], shown["requests_per_sec"]) == (5, 2, 0.0)
    assert shown["top10_app_requests"] == []
