"""The debug listener."""

import pytest

from cfroute.gorouter.debug import DebugListener
from cfroute.gorouter.pages import Request
from cfroute.logs import Logger
from cfroute.testing import ManualClock


def ask(listener: DebugListener, path: str, body: bytes = b"") -> int:
    return listener.answer(Request("PUT", path, "", "HTTP/1.1", {}, body)).status


@pytest.mark.parametrize(
    ("words", "level"),
    [(b"debug DEBUG d 0", 0), (b"info INFO i 1", 1), (b"error ERROR e 2", 3), (b"fatal FATAL f 3", 3)],
)
def test_the_level_of_the_log(logger: Logger, clock: ManualClock, words: bytes, level: int) -> None:
    session = logger.session("a").session("b")
    listener = DebugListener("127.0.0.1:0", logger.set_level, clock)
    for word in words.split():
        logger.set_level(2)
        assert ask(listener, "/log-level", word) == 200
        assert (logger.level, session.level) == (level, level)


def test_a_word_that_is_no_level_changes_nothing(logger: Logger, clock: ManualClock) -> None:
    listener = DebugListener("127.0.0.1:0", logger.set_level, clock)
    before = logger.level
    assert ask(listener, "/log-level", b"loud") == 200
    assert logger.level == before


@pytest.mark.parametrize("path", ["/debug/pprof/", "/block-profile-rate", "/"])
def test_gos_profiles_are_not_there(logger: Logger, clock: ManualClock, path: str) -> None:
    assert ask(DebugListener("127.0.0.1:0", logger.set_level, clock), path) == 404
