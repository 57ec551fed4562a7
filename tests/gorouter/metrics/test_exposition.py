"""The page that Prometheus reads."""

from hypothesis import given
from hypothesis import strategies as st

from cfroute.gorouter.metrics import exposition
from cfroute.gorouter.metrics.families import FAMILIES
from cfroute.gorouter.metrics.snapshot import Distribution, Snapshot

from ...prometheus_text import parse


def page(**values) -> str:
    return b"".join(exposition.pieces(Snapshot(**values))).decode()


def test_a_histogram() -> None:
    shown = page(histograms={"latency": {("web",): Distribution([1, 0, 2], 7.25)}}, bounds={"latency": [0.5, 2.0]})
    heading = next(line for line in shown.splitlines() if line.startswith("# HELP latency "))
    block = shown[shown.index(heading) :].splitlines()[1:7]
    assert block == [
        "# TYPE latency histogram",
        'latency_bucket{component="web",le="0.5"} 1',
        'latency_bucket{component="web",le="2"} 1',
        'latency_bucket{component="web",le="+Inf"} 3',
        'latency_sum{component="web"} 7.25',
        'latency_count{component="web"} 3',
    ]


def test_labels_stand_in_their_order() -> None:
    assert 'registry_message{action="added",component="web"} 2\n' in page(counters={"registry_message": {("added", "web"): 2}})


def test_what_was_not_used_has_no_heading() -> None:
    shown = parse(page())
    assert "responses" not in shown.kinds
    assert shown.kinds["total_routes"] == "gauge"


def test_families_are_sorted_as_go_shows_them() -> None:
    assert [family.name for family in FAMILIES] == sorted(family.name for family in FAMILIES)
    kinds = list(parse(page(process={"process_open_fds": 4.0}, counters={"websocket_failures": {(): 0}})).kinds)
    assert kinds == sorted(kinds)


@given(st.dictionaries(st.tuples(st.text()), st.integers(0)), st.floats(0, allow_infinity=False))
def test_any_label_can_be_read_back(counts: dict[tuple[str], int], total: float) -> None:
    counts = {labels: count for labels, count in counts.items() if len(labels[0].splitlines()) < 2 and labels[0].isprintable()}
    shown = parse(page(counters={"total_requests": counts}, gauges={"total_routes": total}))
    assert {(labels["component"],) for labels in shown.series("total_requests")} == set(counts)
    assert all(shown.value("total_requests", component=name) == float(count) for (name,), count in counts.items())
    assert shown.value("total_routes") == total


def test_line_breaks_quotes_and_backslashes_in_labels() -> None:
    shown = page(counters={"total_requests": {('a\n"b"\\',): 1}})
    assert 'total_requests{component="a\\n\\"b\\"\\\\"} 1\n' in shown


def test_many_histograms_are_shown_in_pieces() -> None:
    seen = {(f"app-{number}",): Distribution([1, 0], 0.5) for number in range(3000)}
    pieces = list(exposition.pieces(Snapshot(histograms={"http_latency_seconds": seen}, bounds={"http_latency_seconds": [1.0]})))
    assert max(piece.count(b"\n") for piece in pieces) < 2100
    shown = parse(b"".join(pieces).decode())
    assert len(shown.series("http_latency_seconds_count")) == 3000
