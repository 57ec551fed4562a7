"""The rows of the live table, and how they change."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.cli.routes import routing_table
from cfroute.cli.routes.routing_table import GONE_FOR, Line, Row, cells, changes, first_view, headers, matching, next_view

TABLE = {
    "router": "gorouter/0",
    "time": 1_700_000_000.0,
    "routes": [
        {
            "uri": "web.cf.localhost/api",
            "route_service_url": "https://logger.cf.localhost",
            "requests": 7,
            "rate": 1.5,
            "endpoints": [
                {
                    "address": "127.1.2.3:61001",
                    "app": "0f6d6f55-5a5c-4b5e-8a4e-d9c9d2f4a9a1",
                    "index": "0",
                    "instance_id": "i-1",
                    "protocol": "http1",
                    "tls": False,
                    "age": 12.3,
                    "refreshed": 3.2,
                    "ttl": 120,
                    "expires_in": 116.8,
                    "availability_zone": "z1",
                    "isolation_segment": "",
                    "failed_for": None,
                    "connections": 0,
                    "requests": 7,
                    "rate": 1.5,
                    "tags": {},
                }
            ],
        }
    ],
}


def row(route: str = "a.test", address: str = "127.0.0.1:1", **changed: object) -> Row:
    [made] = routing_table.rows(TABLE, {})
    return msgspec.structs.replace(made, route=route, address=address, **changed)


ROWS = st.lists(
    st.builds(
        row,
        route=st.sampled_from(["a.test", "b.test", "b.test/p"]),
        address=st.sampled_from(["127.0.0.1:1", "127.0.0.1:2"]),
        instance_id=st.sampled_from(["x", "y"]),
        age=st.floats(0, 500),
    ),
    max_size=6,
    unique_by=lambda each: each.key,
)


def test_an_answer_of_a_router_becomes_rows_with_the_names_of_apps() -> None:
    [found] = routing_table.rows(TABLE, {"0f6d6f55-5a5c-4b5e-8a4e-d9c9d2f4a9a1": "web"})
    assert cells(found, with_router=False) == (
        "web.cf.localhost/api", "127.1.2.3:61001", "web/0", "http1", "12s", "1m56s", "https://logger.cf.localhost", "1.5",
    )  # fmt: skip


def test_who_calls_itself_something_is_called_that() -> None:
    assert cells(row(app="routing_api", index=""), with_router=False)[2] == "routing_api"
    assert cells(row(app="", index=""), with_router=False)[2] == "-"


def test_a_route_of_the_systems_own_has_its_component_in_place_of_an_app() -> None:
    [route] = TABLE["routes"]
    [endpoint] = route["endpoints"]
    own = endpoint | {"app": "", "index": "", "tags": {"component": "CloudController"}}
    for tags, shown in ((own["tags"], "CloudController"), (None, "-")):
        [made] = routing_table.rows(TABLE | {"routes": [route | {"endpoints": [own | {"tags": tags}]}]}, {})
        assert cells(made, with_router=False)[2] == shown
    [of_app] = routing_table.rows(TABLE | {"routes": [route | {"endpoints": [endpoint | {"tags": own["tags"]}]}]}, {})
    assert of_app.component == ""


def test_an_app_without_a_name_and_a_failed_tls_endpoint() -> None:
    shown = cells(row(tls=True, prune_in=None, failed_for=4.0, rate=0.0), with_router=True)
    assert shown == (
        "a.test", "127.0.0.1:1 (failed 4s ago)", "0f6d6f55/0", "http1 tls", "12s", "-", "https://logger.cf.localhost", "0",
        "gorouter/0",
    )  # fmt: skip


def test_the_router_is_told_when_there_are_several() -> None:
    assert "router" not in headers([row()])
    assert headers([row(), row(router="gorouter/1")])[-1] == "router"


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        (None, ["a.test", "shop.test/cart", "www.test"]),
        ("shop", ["shop.test/cart"]),
        ("SHOP", ["shop.test/cart"]),
        ("*.test", ["a.test", "www.test"]),
        ("*.test*", ["a.test", "shop.test/cart", "www.test"]),
        ("?.test", ["a.test"]),
        ("nothing", []),
    ],
)
def test_a_pattern_is_a_glob_or_a_part_of_the_route(pattern: str | None, found: list[str]) -> None:
    rows = [row("www.test"), row("a.test"), row("shop.test/cart")]
    assert [each.route for each in matching(rows, pattern)] == found


@given(ROWS, ROWS)
def test_changes_lead_from_one_look_to_the_next(before: list[Row], after: list[Row]) -> None:
    found = changes(before, after)
    keys = {each.key for each in before} - {each.key for each in found.gone} | {each.key for each in found.appeared}
    assert keys == {each.key for each in after}
    assert all(each in after for each in found.changed)


@given(ROWS)
def test_ages_alone_are_no_change(rows: list[Row]) -> None:
    older = [msgspec.structs.replace(each, age=each.age + 1, rate=9.0, requests=99) for each in rows]
    assert changes(rows, older) == ([], [], [])


@given(st.lists(ROWS, min_size=1, max_size=5))
def test_every_view_shows_what_is_there_once_and_what_went_for_a_while(looks: list[list[Row]]) -> None:
    looks = [matching(look, None) for look in looks]
    view = first_view(looks[0])
    assert all(line.mark == "" for line in view)
    for number, look in enumerate(looks[1:], start=1):
        view = next_view(view, look, now=float(number))
        assert [line.row for line in view if line.mark != "-"] == look
        keys = [line.row.key for line in view]
        assert len(keys) == len(set(keys))
    ended = next_view(view, looks[-1], now=len(looks) + GONE_FOR)
    assert ended == [Line(each) for each in looks[-1]]


def test_marks_stay_for_three_seconds() -> None:
    first, second = row("a.test"), row("b.test")
    view = next_view(first_view([first]), [first, second], now=10.0)
    assert [line.mark for line in view] == ["", "+"]
    view = next_view(view, [msgspec.structs.replace(first, instance_id="other"), second], now=12.0)
    assert [line.mark for line in view] == ["~", "+"]
    view = next_view(view, [second], now=13.5)
    assert [(line.row.route, line.mark) for line in view] == [("a.test", "-"), ("b.test", "")]
    view = next_view(view, [first, second], now=14.0)
    assert [(line.row.route, line.mark) for line in view] == [("a.test", "+"), ("b.test", "")]


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "-"), (-1, "0s"), (0.9, "0s"), (59.9, "59s"), (185, "3m05s"), (3725, "1h02m")]
)
def test_durations(seconds: float | None, text: str) -> None:
    assert routing_table.duration(seconds) == text
