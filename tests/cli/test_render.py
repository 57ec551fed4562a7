"""cf's tables and blocks."""

import io
import re

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from cfroute.cli import render

CELL = st.text(st.characters(codec="ascii", exclude_categories=("Cc",)), max_size=12)


def plain(text: str) -> str:
    return click.unstyle(text)


def test_a_table_pads_every_column_but_the_last() -> None:
    drawn = plain(render.table(("space", "host", "service instance"), [("dev", "shop", ""), ("dev", "", "limiter")]))
    assert drawn.split("\n") == [
        "space   host   service instance",
        "dev     shop   ",
        "dev            limiter",
    ]


def test_columns_of_wide_and_combining_characters_stand_under_each_other() -> None:
    drawn = plain(render.table(("name", "state"), [("日本", "a"), ("cafe\u0301", "b"), ("café", "c")]))
    assert drawn.split("\n") == ["name   state", "日本   a", "cafe\u0301   b", "café   c"]


@given(st.lists(st.tuples(CELL, CELL, CELL), max_size=6))
def test_columns_of_any_cells_stand_under_each_other(rows: list[tuple[str, str, str]]) -> None:
    lines = plain(render.table(("a", "b", "c"), rows)).split("\n")
    widths = [max(len(cell) for cell in column) for column in zip(("a", "b", "c"), *rows, strict=True)]
    second, third = widths[0] + 3, widths[0] + widths[1] + 6
    for line, row in zip(lines[1:], rows, strict=True):
        assert line[:second].rstrip() == row[0].rstrip()
        assert line[second:third].rstrip() == row[1].rstrip()
        assert line[third:] == row[2]


def test_a_block_puts_the_values_in_one_column() -> None:
    assert render.block([("name", "web"), ("requested state", "started"), ("routes", "")]) == (
        "name:              web\nrequested state:   started\nroutes:            "
    )


@pytest.mark.parametrize(
    ("octets", "text"),
    [(0, "0"), (512, "512B"), (1024, "1K"), (64 << 20, "64M"), (1 << 30, "1G"), (3 << 29, "1.5G"), (1 << 40, "1T")],
)
def test_sizes(octets: int, text: str) -> None:
    assert render.size(octets) == text


def drawn_on_screen(height: int, count: int) -> list[str]:
    """What stands on a screen of that height for a title and `count` rows."""
    terminal = io.StringIO()
    console = Console(file=terminal, width=60, height=height, force_terminal=True, color_system=None, legacy_windows=False)
    with render.Screen(console) as screen:
        terminal.truncate(0)
        title = [("bold", "a title that is too long for this terminal, and is cut off")]
        screen.draw(title, ["n"], [("", [str(number)]) for number in range(count)])
        drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())
    lines = [line.strip() for line in drawn.strip("\0\r\n ").split("\n")]
    assert len(lines) <= height
    return lines


@pytest.mark.parametrize(
    ("rows", "shown"),
    [
        (0, ["n"]),
        (3, ["n", "0", "1", "2"]),
        (4, ["n", "0", "1", "… and 2 more"]),
        (100, ["n", "0", "1", "… and 98 more"]),
    ],
)
def test_rows_that_do_not_fit_on_the_screen_are_counted(rows: int, shown: list[str]) -> None:
    title, empty, *lines = drawn_on_screen(6, rows)
    assert title.startswith("a title that")
    assert empty == ""
    assert lines == shown


def test_a_screen_may_be_too_low_for_anything() -> None:
    assert len(drawn_on_screen(2, 5)) <= 2


def test_a_narrow_screen_leaves_out_what_can_be_spared_before_it_cuts() -> None:
    terminal = io.StringIO()
    rows = [("", ["", "a" * 20, "", "1s", "b" * 8])]
    for width, expected in (
        (50, [["route", "service", "age", "app"], ["a" * 20, "1s", "b" * 8]]),
        (40, [["route", "age", "app"], ["a" * 20, "1s", "b" * 8]]),
        (35, [["route", "app"], ["a" * 20, "b" * 8]]),
        (20, [["route", "app"], ["a" * 5 + "…", "b" * 8]]),
    ):
        console = Console(file=terminal, width=width, height=9, force_terminal=True, color_system=None)
        with render.Screen(console) as screen:
            terminal.seek(terminal.truncate(0))
            screen.draw([], ["", "route", "service", "age", "app"], rows, ["age"])
            drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())
        assert [line.split() for line in drawn.splitlines() if line.strip()] == expected
