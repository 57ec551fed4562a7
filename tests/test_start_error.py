"""How a daemon that cannot start says so."""

import json

import pytest

from cfroute.lager import Lager, Sink
from cfroute.start_error import StartError


@pytest.mark.parametrize(("failure", "level"), [(StartError("no-file", "gone"), 3), (StartError("no-file", "gone", status=1), 2)])
def test_a_panic_is_fatal_anything_else_an_error(failure: StartError, level: int, capsys: pytest.CaptureFixture[str]) -> None:
    status = failure.report(Lager("router", Sink()))
    line = json.loads(capsys.readouterr().out)
    assert (line["message"], line["log_level"], line["data"]) == ("router.no-file", level, {"error": "gone"})
    assert status == {3: 2, 2: 1}[level]


def test_what_else_there_is_to_say_stands_beside_the_error(capsys: pytest.CaptureFixture[str]) -> None:
    StartError("no-database", OSError("refused"), data={"port": 3306}).report(Lager("router", Sink()))
    assert json.loads(capsys.readouterr().out)["data"] == {"error": "refused", "port": 3306}
