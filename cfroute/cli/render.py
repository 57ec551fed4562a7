"""How data becomes text: cf's tables and blocks, JSON, and colour. Only this module and `live` draw."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from unicodedata import combining, east_asian_width

import click

from cfroute.cli import plain

if TYPE_CHECKING:
    from rich.console import Console

GAP = "   "
_SPACE = "  "  # between the columns of a screen
_NARROW = 10  # characters of a column that is not cut as long as there are wider ones


def name(text: object) -> str:
    """A name in a message, in cf's cyan."""
    return click.style(str(text), fg="cyan", bold=True)


def heading(text: str) -> str:
    return click.style(text, bold=True)


def good(text: str) -> str:
    return click.style(text, fg="green", bold=True)


def bad(text: str) -> str:
    return click.style(text, fg="red", bold=True)


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], indent: str = "") -> str:
    """Lines of columns, each as wide as its widest cell; the last one is not padded."""
    cells = [list(row) for row in rows]
    widths = [max(map(columns, column)) for column in zip(headers, *cells, strict=True)]
    lines = [_row(headers, widths, bold=True), *(_row(row, widths) for row in cells)]
    return "\n".join(indent + line for line in lines)


def _row(cells: Sequence[str], widths: Sequence[int], *, bold: bool = False) -> str:
    padded = [text + " " * (width - columns(text)) for text, width in zip(cells[:-1], widths, strict=False)] + list(cells[-1:])
    if bold:
        padded = [click.style(text, bold=True) for text in padded]
    return GAP.join(padded)


def columns(text: str) -> int:
    """How many columns of a terminal a text takes: of wide characters each takes two, and of combining ones none."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(each) else 2 if east_asian_width(each) in "WF" else 1 for each in text)


def block(pairs: Iterable[tuple[str, str]], indent: str = "") -> str:
    """Lines of `key:   value` with the values in one column."""
    listed = list(pairs)
    width = max(len(key) for key, _ in listed) + 1
    return "\n".join(f"{indent}{key + ':':<{width}}{GAP}{value}" for key, value in listed)


def lines(output: str, data: Any, text: Callable[[Any], str] | None) -> Iterable[str]:
    """Data in one of the formats of `session.FORMATS`; `text` is None where there is nothing to say to people."""
    match output:
        case "json":
            return [json_text(data)]
        case "jsonl":
            return map(json_line, data) if isinstance(data, list | tuple) else [json_line(data)]
        case "plain":
            return plain.lines(data)
        case "text" if text is not None:
            return [text(data)]
    return []


def json_text(data: Any) -> str:
    """One JSON value, for people and programs."""
    import msgspec

    return msgspec.json.format(msgspec.json.encode(data, enc_hook=str), indent=2).decode()


def document(data: Any) -> str:
    """A JSON object as cf shows it to people: its keys in order, and an empty line after it."""
    import json

    return json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def json_line(data: Any) -> str:
    """One line of a JSON stream."""
    import msgspec

    return msgspec.json.encode(data, enc_hook=str).decode()


def markdown(text: str) -> None:
    """Print markdown on a terminal."""
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(text))


def size(octets: float) -> str:
    """A number of bytes as cf writes it: `64M`, `1.5G`, `0`."""
    for unit, one in (("T", 1 << 40), ("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)):
        if octets >= one:
            return f"{octets / one:.1f}".removesuffix(".0") + unit
    return f"{octets:.0f}B" if octets else "0"


def date(timestamp: str) -> str:
    """A timestamp of the API in the zone of this machine: `Sat 21 Nov 19:28:29 UTC 2026`; nothing for none."""
    return f"{datetime.fromisoformat(timestamp).astimezone():%a %d %b %H:%M:%S %Z %Y}" if timestamp else ""


def stamp(timestamp: str) -> str:
    """The same as events have it: `2026-11-21T19:28:29.00+0000`."""
    when = datetime.fromisoformat(timestamp).astimezone()
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 10_000:02d}{when:%z}"


class Screen:
    """A full-screen table that is redrawn in place; the terminal is as before when the block ends."""

    def __init__(self, console: "Console | None" = None) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = console or Console()
        self._live = Live(console=self._console, screen=True, auto_refresh=False, vertical_overflow="crop")

    def __enter__(self) -> "Screen":
        self._live.__enter__()
        return self

    def __exit__(self, *failure: Any) -> None:
        self._live.__exit__(*failure)

    def draw(
        self,
        title: Sequence[tuple[str, str]],
        headers: Sequence[str],
        rows: Sequence[tuple[str, Sequence[str]]],
        expendable: Sequence[str] = (),
    ) -> None:
        """Show the lines of `title` (style, text) above as many rows (style, cells) as there is room for.

        Where they are too wide, columns with nothing in them and those named by `expendable` are left out, one after the other,
        before texts are cut.
        """
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        room = self._console.height - len(title) - 2  # an empty line and the headers
        shown = rows if len(rows) <= room else rows[: max(room - 1, 0)]
        columns = fitting(list(zip(headers, *(cells for _, cells in shown), strict=True)), expendable, self._console.width)
        grid = Table(box=None, header_style="bold", padding=(0, len(_SPACE), 0, 0), expand=False)
        for header, *cells in columns:
            # rich takes room from the columns that may wrap first, and most from the widest; their texts are cut all the same
            grid.add_column(Text(header, no_wrap=True), no_wrap=_width((header, *cells)) <= _NARROW, overflow="ellipsis")
        for number, (style, _) in enumerate(shown, 1):
            grid.add_row(*(Text(column[number], no_wrap=True) for column in columns), style=style)
        above = (Text(text, style=style, no_wrap=True, overflow="ellipsis") for style, text in title)
        rest = [Text(f"… and {len(rows) - len(shown)} more", style="dim")] if len(shown) < len(rows) else []
        self._live.update(Group(*above, Text(""), grid, *rest), refresh=True)


def fitting(columns: list[tuple[str, ...]], expendable: Sequence[str], width: int) -> list[tuple[str, ...]]:
    """The columns without as many of the empty and the expendable ones (by their header) as it takes to fit into `width`."""
    empty = [header for header, *cells in columns if header and not any(cells)]
    for header in (*empty, *expendable):
        if sum(_width(column) + len(_SPACE) for column in columns) <= width:
            break
        columns = [column for column in columns if column[0] != header]
    return columns


def _width(column: Sequence[str]) -> int:
    return max(map(len, column))
