import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from cfroute.log_cache import Envelope, LogWriter, follow, read
from cfroute.log_cache.reader import _lines_backwards
from cfroute.testing.clock import ManualClock


def _fill(folder: Path, count: int, step: float = 1.0) -> ManualClock:
    clock = ManualClock()
    writer = LogWriter(folder, clock=clock, rotate_at=2000)
    for number in range(count):
        writer.write("guid", "APP/PROC/WEB", "0", f"line {number}")
        clock.advance(step)
    return clock


def test_an_app_without_lines_has_none(tmp_path: Path) -> None:
    assert read(tmp_path, "guid", -6795364578871345152, 1000, True) == []


def test_ascending_gives_the_first_lines_after_start(tmp_path: Path) -> None:
    clock = _fill(tmp_path, 10)
    start = clock.now_ns() - 5_000_000_000

    assert [each.payload for each in read(tmp_path, "guid", start, 2)] == ["line 5", "line 6"]


def test_descending_gives_the_newest_first_over_a_rotation(tmp_path: Path) -> None:
    _fill(tmp_path, 25)

    assert [each.payload for each in read(tmp_path, "guid", 0, 15, True)] == [f"line {number}" for number in range(24, 9, -1)]


def test_lines_written_out_of_order_are_sorted(tmp_path: Path) -> None:
    late, early = ManualClock(), ManualClock()
    late.advance(0.4)
    LogWriter(tmp_path, clock=late).write("guid", "APP", "0", "second")
    LogWriter(tmp_path, clock=early).write("guid", "APP", "0", "first")

    assert [each.payload for each in read(tmp_path, "guid")] == ["first", "second"]
    assert [each.payload for each in read(tmp_path, "guid", limit=1, descending=True)] == ["second"]


def test_broken_lines_are_left_out(tmp_path: Path) -> None:
    _fill(tmp_path, 2)
    with (tmp_path / "guid.log").open("a") as file:
        file.write('{"timestamp":1,\nnull\n\n')

    assert len(read(tmp_path, "guid")) == 2


@given(st.lists(st.binary(max_size=200_000 // 50).map(lambda b: b.replace(b"\n", b"")), max_size=40))
def test_reading_backwards_gives_each_line_once(lines: list[bytes]) -> None:
    import io

    backwards = list(_lines_backwards(io.BytesIO(b"".join(line + b"\n" for line in lines))))

    assert [line for line in reversed(backwards) if line] == [line for line in lines if line]


class Between(ManualClock):
    """A clock that does the next thing whenever somebody sleeps."""

    def __init__(self, *steps: Callable[[], object]) -> None:
        super().__init__()
        self._steps = iter(steps)

    async def sleep(self, seconds: float) -> None:
        next(self._steps)()


async def _first(count: int, lines: AsyncIterator[Envelope]) -> list[str]:
    return [(await anext(lines)).payload for _ in range(count)]


def test_follow_gives_what_comes_and_goes_on_over_rotations(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path, rotate_at=600)
    writer.write("guid", "APP", "0", "before")
    steps = [partial(writer.write, "guid", "APP", "0", str(number)) for number in range(12)]

    got = asyncio.run(_first(12, follow(tmp_path, "guid", clock=Between(*steps))))

    assert got == [str(number) for number in range(12)]
    assert (tmp_path / "guid.log.1").exists()


def test_follow_waits_for_the_file(tmp_path: Path) -> None:
    write = partial(LogWriter(tmp_path).write, "guid", "APP", "0", "first")

    assert asyncio.run(_first(1, follow(tmp_path, "guid", clock=Between(lambda: None, write)))) == ["first"]


def test_follow_waits_for_the_rest_of_a_line(tmp_path: Path) -> None:
    LogWriter(tmp_path).write("guid", "APP", "0", "whole")
    file = tmp_path / "guid.log"
    line = file.read_bytes()
    file.write_bytes(b"")
    steps = [partial(_append, file, line[:10]), partial(_append, file, line[10:])]

    assert asyncio.run(_first(1, follow(tmp_path, "guid", clock=Between(*steps)))) == ["whole"]


def _append(file: Path, data: bytes) -> None:
    with file.open("ab") as opened:
        opened.write(data)
