"""The script that reloads an HAProxy which somebody else has started."""

import asyncio
from typing import Final

from cfroute.go.syscall import reason
from cfroute.lager import Lager
from cfroute.tcp_router.engines import EngineError

_DRAINING: Final = {"IS_DRAINING": "true"}


class Script:
    """Runs it without arguments and in our environment, while draining in one that says only that."""

    goes_on = False

    def __init__(self, command: str, log: Lager) -> None:
        self._command = command
        self._log = log

    async def start(self) -> None:
        """HAProxy has been started by somebody else."""

    async def reload(self, *, draining: bool) -> None:
        """Raises EngineError when it cannot be run, or fails."""
        output, problem = "", ""
        try:
            process = await asyncio.create_subprocess_exec(
                self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env=_DRAINING if draining else None,
            )
            told, _ = await process.communicate()
            output = told.decode("utf-8", "replace")
            problem = f"exit status {process.returncode}" if process.returncode else ""
        except OSError as error:
            problem = f"fork/exec {self._command}: {reason(error)}"
        self._log.info("running-script", command=self._command, output=output, error=problem or None)
        if problem:
            raise EngineError(problem)

    async def aclose(self) -> None:
        """HAProxy goes on: it is not ours."""
