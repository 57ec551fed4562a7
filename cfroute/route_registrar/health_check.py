"""Runs the scripts that say whether a backend is well."""

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from typing import Final

from cfroute import daemon
from cfroute.clock import Clock
from cfroute.lager import Lager
from cfroute.route_registrar.config import HealthCheck

_SHELL: Final = ("/bin/sh", "-c")
_REAPING: Final = 1.0  # s, for the end of a process that was killed


class ScriptError(Exception):
    """There is no verdict: the script did not start, or did not end in time."""


class HealthChecker:
    """Asks scripts. Each gets a process group of its own, so that nothing is left of one that did not end in time."""

    def __init__(self, clock: Clock, log: Lager) -> None:
        self._clock = clock
        self._log = log

    async def check(self, health_check: HealthCheck) -> bool:
        """Whether the script ends with 0. Raises ScriptError, logged."""
        script = health_check.script_path
        self._log.info("Executing script", script=script)
        try:
            process = await asyncio.create_subprocess_exec(
                *_SHELL, script, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, start_new_session=True
            )
        except (OSError, ValueError) as error:  # a zero byte is a ValueError
            self._log.error("Error starting script", script=script, error=str(error))
            raise ScriptError(str(error)) from error
        try:
            stdout, stderr = await self._outcome(process, health_check.timeout)
        except ScriptError as error:
            self._log.error("Script failed to exit within timeout", script=script, timeout=health_check.timeout, error=str(error))
            raise
        finally:
            await _end(process)
        said = {"script": script, "stdout": stdout.decode("utf-8", "replace"), "stderr": stderr.decode("utf-8", "replace")}
        if process.returncode == 0:
            self._log.info("Script exited without error", **said)
            return True
        self._log.info("Script exited with error", error=f"exit status {process.returncode}", **said)
        return False

    async def _outcome(self, process: Process, timeout: float) -> tuple[bytes, bytes]:
        """What it has written when it has ended. Raises ScriptError when that takes longer."""
        ending = daemon.spawn(process.communicate(), name="health check")
        expiring = daemon.spawn(self._clock.sleep(timeout), name="health check's timeout")
        try:
            await asyncio.wait({ending, expiring}, return_when=asyncio.FIRST_COMPLETED)
            if not ending.done():
                raise ScriptError(f"no exit within {timeout:g} s")
            output: tuple[bytes, bytes] = ending.result()
            return output
        finally:
            ending.cancel()
            expiring.cancel()


async def _end(process: Process) -> None:
    """End the script and what it has started, if it has not ended by itself."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(TimeoutError):  # something that has left the group may hold the pipes
        async with asyncio.timeout(_REAPING):
            await process.wait()
