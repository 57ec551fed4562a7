"""One worker as its router's parent sees it: a process, and the socket by which the two talk.

starting ──Ready──▶ ready ──▶ following ──▶ (the table is complete) ──Serve, Serving──▶ serving ──▶ ended
"""

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import Callable
from typing import Final

from cfroute.clock import Clock
from cfroute.gorouter.routing_table.registry import Registry
from cfroute.gorouter.workers.channel import Channel
from cfroute.gorouter.workers.handover import Handover
from cfroute.gorouter.workers.messages import (
    Ask,
    Drained,
    Hello,
    Message,
    Ready,
    Report,
    Serve,
    Serving,
    Stopped,
    ToParent,
    for_parent,
    packed,
)

_COMMAND: Final = (sys.executable, "-P", "-m", "cfroute.gorouter.workers.main")
_LAST_WORDS: Final = 3.0  # seconds that a worker gets to end by itself


class Member:
    """A worker from its start to its end.

    `following` tells that it has to hear of all changes, `serving` that it serves clients; `reports` counts its reports,
    `unanswered` the requests for one since it last said anything, and `answer` is what it said to the latest question.
    """

    def __init__(self, number: int, clock: Clock, heard: Callable[["Member", ToParent], object]) -> None:
        """`heard` gets all that it tells."""
        self.number = number
        self.following = False
        self.serving = False
        self.reports = 0
        self.answer: Message | None = None
        self.unanswered = 0
        self._handover: Handover | None = None
        self._clock = clock
        self._heard_of = heard
        self._channel: Channel[ToParent] = Channel(for_parent, self._heard, self._hung_up)
        self._process: asyncio.subprocess.Process | None = None
        self._ready = asyncio.Event()
        self._got_ready = False
        self._over = asyncio.Event()

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid if self._process is not None else 0

    @property
    def was_ready(self) -> bool:
        """Whether it got so far as to want a table."""
        return self._got_ready

    @property
    def ended(self) -> bool:
        """Whether it hears no more."""
        return self._over.is_set()

    async def start(self, hello: Hello, descriptors: list[int]) -> None:
        """Start the process, with these descriptors, and tell it who it is. Raises OSError."""
        ours, theirs = socket.socketpair()
        with contextlib.ExitStack() as failing, theirs:
            failing.callback(ours.close)
            keeps = (theirs.fileno(), *descriptors)
            arguments = (*_COMMAND, str(theirs.fileno()))
            self._process = await asyncio.create_subprocess_exec(
                *arguments, stdin=asyncio.subprocess.DEVNULL, pass_fds=keeps, env=_environment()
            )
            failing.pop_all()
        await self._channel.open(ours)
        self._channel.send(hello)

    async def follow(self, registry: Registry) -> None:
        """Give it the whole table once it is ready for it; `change` tells it of what comes in between."""
        await self._ready.wait()
        self._handover = Handover(registry)
        self.following = not self.ended
        for part in self._handover.parts():
            if self.ended:
                return
            self._channel.write(b"".join(map(packed, part)))
            await self._channel.drained()
            await self._clock.sleep(0)
        self._handover = None

    def change(self, change: Message, data: bytes) -> None:
        """Tell it of a change in the table, which is packed already."""
        if self._handover is None or not self._handover.covers(change):
            self._channel.write(data)

    def serve(self, doors: list[tuple[str, int]], *, healthy: bool) -> None:
        """Have it serve who comes in by these doors."""
        self._channel.send(Serve(doors, healthy))

    def send(self, message: Message) -> None:
        """Tell it something."""
        self._channel.send(message)

    def ask(self) -> None:
        """Have it report."""
        self.unanswered += 1
        self._channel.send(Ask())

    def _heard(self, message: ToParent) -> None:
        self.unanswered = 0
        if isinstance(message, Ready):
            self._got_ready = True
            self._ready.set()
        elif isinstance(message, Serving):
            self.serving = True
        elif isinstance(message, Report):
            self.reports += 1
        elif isinstance(message, Stopped | Drained):
            self.answer = message
        self._heard_of(self, message)

    # The end

    def close(self) -> None:
        """Have it end by itself."""
        self._channel.close()

    def abandon(self) -> None:
        """Care no more for it."""
        self._channel.abort()

    def _hung_up(self) -> None:
        self.following = self.serving = False
        self._over.set()
        self._ready.set()

    async def end(self) -> int:
        """Wait until it hears no more, and see to it that its process ends; returns the status, below 0 for a signal."""
        assert self._process is not None, "only what was started ends"
        await self._over.wait()
        try:
            async with asyncio.timeout(_LAST_WORDS):
                return await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            return await self._process.wait()


def _environment() -> dict[str, str]:
    """Ours, and our way to modules: a worker runs the same program as its parent, wherever that was started from."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
