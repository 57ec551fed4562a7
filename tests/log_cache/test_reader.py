import asyncio
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from cfroute.log_cache import LogWriter, follow, read
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

    assert [each.payload for each in read(tmp_path, "guid", 0, 15, True)] == [
        f"line {number}" for number in range(24, 9, -1)
    ]


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


def test_follow_goes_on_over_rotations(tmp_path: Path) -> None:
    async def scenario() -> list[str]:
        writer = LogWriter(tmp_path, rotate_at=600)
        writer.write("guid", "APP", "0", "before")
        lines = follow(tmp_path, "guid")
        waiting = asyncio.ensure_future(anext(lines))
        await asyncio.sleep(0)  # lets it open the file
        got = []
        for number in range(12):
            writer.write("guid", "APP", "0", str(number))
            got.append((await asyncio.wait_for(waiting, 5)).payload)
            waiting = asyncio.ensure_future(anext(lines))
            await asyncio.sleep(0)
        waiting.cancel()
        return got

    assert asyncio.run(scenario()) == [str(number) for number in range(12)]


def test_follow_waits_for_the_file(tmp_path: Path) -> None:
    async def scenario() -> str:
        lines = follow(tmp_path, "guid")
        waiting = asyncio.ensure_future(anext(lines))
        await asyncio.sleep(0)
        LogWriter(tmp_path).write("guid", "APP", "0", "first")
        return (await asyncio.wait_for(waiting, 5)).payload

    assert asyncio.run(scenario()) == "first"
