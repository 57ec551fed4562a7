"""Scripts, run by a real shell."""

import asyncio
import json
import os
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from cfroute.clock import Clock, SystemClock
from cfroute.lager import Lager, Sink
from cfroute.route_registrar.config import HealthCheck
from cfroute.route_registrar.health_check import HealthChecker, ScriptError
from cfroute.testing import ManualClock

from ..waiting import eventually, until


class Checks:
    def __init__(self, clock: Clock) -> None:
        self.output = StringIO()
        self.checker = HealthChecker(clock, Lager("Route Registrar", Sink(stream=self.output)))

    async def check(self, script: str, timeout: float = 5) -> bool:
        return await self.checker.check(HealthCheck("h", script, timeout))

    def lines(self) -> list[tuple[str, dict[str, Any]]]:
        read = [json.loads(line) for line in self.output.getvalue().splitlines()]
        return [(line["message"].removeprefix("Route Registrar."), line["data"]) for line in read]


@pytest.mark.statement(
    "route registrar 5", "A check is `/bin/sh -c SCRIPT`: it is healthy if that exits with 0; the output is logged"
)
@pytest.mark.parametrize(("status", "message"), [(0, "Script exited without error"), (3, "Script exited with error")])
def test_the_exit_status_decides(status: int, message: str) -> None:
    checks = Checks(SystemClock())
    script = f"echo out; echo err >&2; exit {status}"
    assert asyncio.run(checks.check(script)) is (status == 0)
    (started, _), (ended, data) = checks.lines()
    assert (started, ended) == ("Executing script", message)
    assert (data["script"], data["stdout"], data["stderr"]) == (script, "out\n", "err\n")


@pytest.mark.statement("route registrar 5", "A script that does not end within the timeout is killed, and has no verdict")
def test_a_script_that_takes_too_long_is_killed_with_all_that_it_has_started(tmp_path: Path) -> None:
    clock = ManualClock()
    checks, pids = Checks(clock), tmp_path / "pids"

    async def scene() -> None:
        checking = asyncio.ensure_future(checks.check(f"sleep 60 & echo $$ $! > {pids}; wait", timeout=7))
        await until(lambda: clock.waiting and pids.exists() and pids.read_text().strip(), "the script")
        clock.advance(6.9)
        assert not checking.done()
        clock.advance(0.1)
        with pytest.raises(ScriptError, match=r"^no exit within 7 s$"):
            await checking

    asyncio.run(scene())
    assert checks.lines()[-1][0] == "Script failed to exit within timeout"
    eventually(lambda: not any(_lives(int(pid)) for pid in pids.read_text().split()), "their end")


def _lives(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text() if Path("/proc").exists() else os.kill(pid, 0) is None
    except OSError:
        return False


@pytest.mark.statement("route registrar 5", "A script that cannot be started has no verdict")
def test_a_script_that_cannot_be_started() -> None:
    checks = Checks(SystemClock())
    with pytest.raises(ScriptError):
        asyncio.run(checks.check("a\0b"))
    assert checks.lines()[-1][0] == "Error starting script"


def test_a_script_that_is_not_there_is_not_healthy() -> None:
    assert asyncio.run(Checks(SystemClock()).check("/no/such/script")) is False
