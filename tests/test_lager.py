"""Lines as lager writes them."""

import io
import json
import re
from typing import Any

import pytest

from cfroute.lager import DEBUG, ERROR, INFO, Lager, Sink, redactor
from cfroute.testing import ManualClock


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


def lager(out: io.StringIO, level: int = INFO, **options: Any) -> Lager:
    return Lager("routing-api", Sink(level, stream=out, clock=ManualClock(1795287585.5), **options))


def test_a_line(out: io.StringIO) -> None:
    lager(out).info("started", port=3000, address="<a&b>")
    assert out.getvalue() == (
        '{"timestamp":"1795287585.500000000","source":"routing-api","message":"routing-api.started","log_level":1,'
        '"data":{"address":"\\u003ca\\u0026b\\u003e","port":3000}}\n'
    )


def test_rfc3339(out: io.StringIO) -> None:
    lager(out, rfc3339=True).error("failed", error="no")
    assert out.getvalue() == (
        '{"timestamp":"2026-11-21T18:59:45.500000000Z","level":"error","source":"routing-api",'
        '"message":"routing-api.failed","data":{"error":"no"}}\n'
    )


def test_sessions_have_numbers_and_data(out: io.StringIO) -> None:
    log = lager(out)
    log.session("first")
    second = log.session("second", kept=1)
    second.session("inner").info("told", more=2)
    line = json.loads(out.getvalue())
    assert (line["message"], line["source"]) == ("routing-api.second.inner.told", "routing-api")
    assert line["data"] == {"session": "2.1", "kept": 1, "more": 2}


def test_levels_are_the_processes(out: io.StringIO) -> None:
    log = lager(out, ERROR)
    session = log.session("part")
    session.info("unheard")
    log.set_level(DEBUG)
    session.debug("heard")
    log.fatal("loud")
    assert [json.loads(line)["log_level"] for line in out.getvalue().splitlines()] == [0, 3]


def test_secrets_are_blackened(out: io.StringIO) -> None:
    data = {"password": "x", "deep": [{"dbPwd": "y", "n": 1}], "text": "AKIA" + "A" * 16, "plain": "z"}
    lager(out, redact=redactor([])).info("told", **data)
    told = json.loads(out.getvalue())["data"]
    assert told == {"password": "*REDACTED*", "deep": [{"dbPwd": "*REDACTED*", "n": 1}], "text": "*REDACTED*", "plain": "z"}


def test_secrets_of_ones_own(out: io.StringIO) -> None:
    lager(out, redact=redactor(["^z"])).info("told", plain="z", other="AKIA" + "A" * 16)
    assert json.loads(out.getvalue())["data"] == {"plain": "*REDACTED*", "other": "AKIA" + "A" * 16}
    with pytest.raises(re.error):
        redactor(["("])


def test_a_full_disk_stops_nothing() -> None:
    class Full:
        def write(self, text: str, /) -> object:
            raise OSError("no space left on device")

        def flush(self) -> object:
            return None

    Lager("x", Sink(stream=Full())).info("lost")
