"""An HAProxy that is started, reloaded and ended here, for those who have no scripts for it.

A reload starts another process. It takes over the listening sockets from the one before through its stats socket (`-x`), so
that no connection is refused meanwhile, and tells it to end when its last connection has (`-sf`).
"""

import asyncio
import contextlib
import ctypes
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Final

from cfroute.clock import Clock
from cfroute.daemon import spawn
from cfroute.lager import Lager
from cfroute.tcp_router.config import Extensions
from cfroute.tcp_router.engines import EngineError

_BASE: Final = """\
global
  maxconn {most}
  stats socket {socket} mode 600 level operator expose-fd listeners
  ssl-default-bind-options ssl-min-ver TLSv1.2
  ssl-default-server-options ssl-min-ver TLSv1.2

defaults
  timeout connect {connect_ms}ms
  timeout client {idle_ms}ms
  timeout server {idle_ms}ms
  option redispatch 1
  default-server init-addr last,libc,none
"""
_MOST: Final = 64000  # connections, as in a deployed HAProxy
_SPARE: Final = 1000  # descriptors that are not for connections, which take two each

_READY_WITHIN: Final = 10.0  # seconds
_LONGEST_COMPLAINT: Final = 4096  # bytes
_LOOK_EVERY: Final = 0.005
_PR_SET_PDEATHSIG: Final = 1


def base(socket: str, config: Extensions) -> str:
    """What the configuration begins with.

    A backend whose name is not known yet does not keep HAProxy from starting. A connection that a backend refuses goes to
    another at once; else HAProxy tries the same one for three seconds, and then gives up.
    """
    _, descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST if descriptors == resource.RLIM_INFINITY else min(_MOST, max(descriptors - _SPARE, 0) // 2 or 1)
    connect_ms, idle_ms = round(config.connect_timeout * 1000), round(config.idle_timeout * 1000)
    return _BASE.format(most=most, socket=socket, connect_ms=connect_ms, idle_ms=idle_ms)


class OwnHAProxy:
    """Our HAProxy: its newest process, and older ones that still have connections."""

    def __init__(self, program: str, config: Path, pid_file: Path, socket: str, clock: Clock, log: Lager) -> None:
        self._program = program
        self._config = config
        self._pid_file = pid_file
        self._socket = socket
        self._clock = clock
        self._log = log
        self._processes: dict[int, asyncio.subprocess.Process] = {}
        self._newest: asyncio.subprocess.Process | None = None

    @property
    def goes_on(self) -> bool:
        return self._newest is not None and self._newest.returncode is None

    async def start(self) -> None:
        """Start the first process. Raises EngineError."""
        await self.reload(draining=False)

    async def reload(self, *, draining: bool) -> None:
        """Start a process that takes over. Raises EngineError; then the one before goes on."""
        process = await self._started(draining=draining)
        self._processes[process.pid] = process
        complaints = bytearray()
        attending = spawn(self._attend(process, complaints), name=f"HAProxy {process.pid}")
        if not await self._ready(process):
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await attending
            raise EngineError(bytes(complaints).decode("utf-8", "replace").strip() or "HAProxy does not get ready")
        self._newest = process
        self._pid_file.write_text(f"{process.pid}\n", encoding="utf-8")
        self._log.info("haproxy-reloaded", pid=process.pid)

    async def _started(self, *, draining: bool) -> asyncio.subprocess.Process:
        command = [self._program, "-db", "-f", str(self._config)]
        if self.goes_on:
            command += ["-x", self._socket, "-sf", *map(str, self._processes)]
        try:
            return await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                env={**os.environ, **({"IS_DRAINING": "true"} if draining else {})},
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )
        except OSError as error:
            raise EngineError(f"{self._program}: {error.strerror or error}") from error

    async def _attend(self, process: asyncio.subprocess.Process, complaints: bytearray) -> None:
        """Log what it complains of, and see it end."""
        assert process.stderr is not None
        async for line in process.stderr:
            complaints += line
            del complaints[:-_LONGEST_COMPLAINT]
            self._log.debug("haproxy", pid=process.pid, output=line.decode("utf-8", "replace").rstrip())
        await process.wait()
        del self._processes[process.pid]

    async def _ready(self, process: asyncio.subprocess.Process) -> bool:
        """Whether it has taken over: then it is the one that answers on the stats socket."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_READY_WITHIN):
                while process.returncode is None:
                    if await self._answering() == process.pid:
                        return True
                    await self._clock.sleep(_LOOK_EVERY)
        return False

    async def _answering(self) -> int:
        """The process that has the socket; 0 if there is none yet."""
        try:
            reader, writer = await asyncio.open_unix_connection(self._socket)
            try:
                writer.write(b"show info\n")
                answer = await reader.read(-1)
            finally:
                writer.close()
        except OSError:
            return 0
        told = next((line for line in answer.splitlines() if line.startswith(b"Pid: ")), b"Pid: 0")
        return int(told.removeprefix(b"Pid: "))

    async def aclose(self) -> None:
        """End all processes, and what they carry."""
        ending = list(self._processes.values())
        for process in ending:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        for process in ending:
            await process.wait()


_libc: Final = ctypes.CDLL(None)  # loaded before there is a fork: what comes after it should do little


def _end_with_parent() -> None:
    """What carries connections must not outlive who knows of it."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
