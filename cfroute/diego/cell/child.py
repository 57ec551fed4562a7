"""A child process of the cell.

It is started with `subprocess` and not through the event loop: uvloop lets descriptors leak into the child, and an app
that holds the guard's pipe open would keep the guard from doing its work. A thread waits for its end.
"""

import asyncio
import contextlib
import subprocess
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import IO


class Child:
    """A process that leads a session of its own."""

    def __init__(self, process: subprocess.Popen[bytes], loop: asyncio.AbstractEventLoop) -> None:
        self.pid = process.pid
        self._process = process
        self._loop = loop
        self._ended: asyncio.Future[int] = loop.create_future()
        threading.Thread(target=self._wait, name=f"wait for {self.pid}", daemon=True).start()

    @classmethod
    def start(
        cls, command: Sequence[str], *, cwd: str | Path, environment: Mapping[str, str], stdin: int, pipes: bool
    ) -> "Child":
        """Start it, with `stdin` (a descriptor) as its input. Raises OSError.

        With `pipes` its output is read through `outputs`, otherwise it goes where ours goes.
        """
        output = subprocess.PIPE if pipes else None
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment,
            stdin=stdin,
            stdout=output,
            stderr=output,
            bufsize=0,
            start_new_session=True,
        )
        return cls(process, asyncio.get_running_loop())

    @property
    def returncode(self) -> int | None:
        """The exit status, -N for signal N; None while it lives."""
        return self._ended.result() if self._ended.done() else None

    async def wait(self) -> int:
        """Return when it has ended; how."""
        return await asyncio.shield(self._ended)

    @contextlib.asynccontextmanager
    async def outputs(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamReader]]:
        """Its standard output and error, which can be read while the block runs. May be called once."""
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        async with self._reader(self._process.stdout) as output, self._reader(self._process.stderr) as errors:
            yield output, errors

    @contextlib.asynccontextmanager
    async def _reader(self, pipe: IO[bytes]) -> AsyncIterator[asyncio.StreamReader]:
        reader = asyncio.StreamReader(loop=self._loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=self._loop)
        transport, _ = await self._loop.connect_read_pipe(lambda: protocol, pipe)
        try:
            yield reader
        finally:
            transport.close()  # uvloop keeps a pipe open after its end

    def _wait(self) -> None:
        returncode = self._process.wait()
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ended.set_result, returncode)
