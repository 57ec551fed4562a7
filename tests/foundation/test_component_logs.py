"""Logs that are emptied while somebody writes them."""

import asyncio
import io
import os
from pathlib import Path

from cfroute.daemon import spawn
from cfroute.foundation import component_logs
from cfroute.foundation.component_logs import LastWords, set_aside_large
from cfroute.home import Home
from cfroute.logs import Logger
from cfroute.testing import ManualClock


def test_a_large_log_is_set_aside_and_its_writer_goes_on_at_the_beginning(tmp_path: Path) -> None:
    log = tmp_path / "gorouter-0-access.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"old line\n" * 20)
        set_aside_large(tmp_path, Logger("test"), largest=100)
        writer.write(b"new line\n")
    older = tmp_path / "gorouter-0-access.log.1"
    assert older.read_bytes() == b"old line\n" * 20
    assert older.stat().st_mode & 0o777 == 0o600
    assert log.read_bytes() == b"new line\n"


def test_a_small_log_stays(tmp_path: Path) -> None:
    (tmp_path / "bbs.log").write_bytes(b"x" * 100)
    set_aside_large(tmp_path, Logger("test"), largest=100)
    assert os.listdir(tmp_path) == ["bbs.log"]


def test_what_cannot_be_set_aside_is_told_and_the_others_are_still_looked_at(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.log").write_bytes(b"xyz")
    (tmp_path / "a.log.1").mkdir()
    told = io.StringIO()
    set_aside_large(tmp_path, Logger("test", stream=told), largest=2)
    assert (tmp_path / "a.log").read_bytes() == b"xyz"
    assert (tmp_path / "b.log").read_bytes() == b""
    assert "Is a directory" in told.getvalue()


def test_it_is_looked_for_every_ten_seconds(tmp_path: Path) -> None:
    log, clock = tmp_path / "a.log", ManualClock()

    async def turn() -> None:
        while not clock.waiting:
            await asyncio.sleep(0)

    async def run() -> None:
        keeping = spawn(component_logs.keep_small(tmp_path, clock, Logger("test")), name="keep")
        for _ in range(2):
            with log.open("wb") as file:
                file.truncate(component_logs.LARGEST + 1)
            await turn()
            clock.advance(10)
            await turn()
        keeping.cancel()

    asyncio.run(run())
    assert log.stat().st_size == 0


def test_last_words_are_those_since_the_beginning(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.create()
    home.log("a").write_text("old\n")
    words = LastWords(home, ["a", "b"])
    assert words.of("a") == []
    assert words.of("b") == []
    with home.log("a").open("a") as log:
        log.write("".join(f"new {number}\n" for number in range(20)))
    assert words.of("a") == [f"new {number}" for number in range(12, 20)]
    home.log("a").write_text("x\n")
    assert words.of("a") == ["x"]
