"""The logs of deleted apps do not stay."""

import asyncio
import os
from pathlib import Path

from cfroute.cloud_controller import log_sweep
from cfroute.daemon import spawn
from cfroute.log_cache import LogWriter

from .conftest import CloudController


def test_logs_go_with_their_app_and_those_of_others_stay(cc: CloudController) -> None:
    folder, gone, stays = cc.platform.config.app_logs, cc.app("gone"), cc.app("stays")
    Path(folder, f"{gone}.log.1").write_text("older\n")
    Path(folder, "notes.txt").write_text("of somebody\n")
    cc.ok("DELETE", f"/v3/apps/{gone}")
    LogWriter(folder).write(gone, "CELL", "0", "last words of an instance")
    log_sweep.sweep(folder, cc.platform.database)
    assert sorted(os.listdir(folder)) == sorted([f"{stays}.log", "notes.txt"])


def test_it_goes_on_after_a_failure(cc: CloudController) -> None:
    folder = Path(cc.platform.config.app_logs)
    obstacle = folder / "nobody.log"
    obstacle.mkdir()

    async def wait() -> None:
        while not cc.clock.waiting:
            await asyncio.sleep(0.001)

    async def run() -> None:
        sweeping = spawn(log_sweep.run(str(folder), cc.platform.database, cc.clock, cc.platform.log), name="sweep")
        await wait()
        obstacle.rmdir()
        obstacle.touch()
        cc.clock.advance(log_sweep.INTERVAL)
        await wait()
        sweeping.cancel()

    asyncio.run(run())
    assert "app-logs-not-swept" in cc.log.text
    assert not obstacle.exists()
