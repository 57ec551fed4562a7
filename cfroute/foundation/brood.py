"""The supervisor's side of the nursery: starting and signalling children, and hearing of their end."""

import asyncio
from pathlib import Path
from typing import Any, Protocol

import msgspec

from cfroute.foundation.components import Component
from cfroute.foundation.hatchery import Hatched


class Parent(Protocol):
    """Whoever is told what became of the children."""

    def child_started(self, name: str, pid: int) -> None: ...

    def child_failed(self, name: str, error: str) -> None:
        """There is no process: it could not be made."""

    def child_exited(self, pid: int, status: int) -> None:
        """`status` is negative for a signal."""


class Brood:
    """The children of one nursery."""

    def __init__(self, hatched: Hatched, parent: Parent) -> None:
        self._hatched = hatched
        self._parent = parent
        self._writer: asyncio.StreamWriter | None = None

    @property
    def pid(self) -> int:
        return self._hatched.process.pid

    async def connect(self) -> asyncio.StreamReader:
        reader, self._writer = await asyncio.open_connection(sock=self._hatched.commands)
        return reader

    async def listen(self, reader: asyncio.StreamReader) -> None:
        """Pass on the nursery's reports, until it is gone."""
        try:
            while line := await reader.readline():
                self._heard(msgspec.json.decode(line))
        except ConnectionResetError:
            return  # killed while it was talking: gone all the same

    def start(self, component: Component, log: Path) -> None:
        """Ask for a process for the component, with its output appended to `log`."""
        self._send(
            {
                "start": component.name,
                "module": component.module,
                "command": component.command,
                "arguments": component.arguments,
                "log": str(log),
            }
        )

    def signal(self, pid: int, number: int) -> None:
        """Send a signal to a child; nothing happens when it has ended already."""
        self._send({"signal": number, "pid": pid})

    def close(self) -> None:
        """Let go of the nursery, which then ends, with its children if there are any left."""
        if self._writer is not None:
            self._writer.transport.abort()
        self._hatched.close()

    def _send(self, command: dict[str, Any]) -> None:
        assert self._writer is not None, "connect() comes first"
        self._writer.write(msgspec.json.encode(command) + b"\n")

    def _heard(self, report: dict[str, Any]) -> None:
        if "exited" in report:
            self._parent.child_exited(report["exited"], report["status"])
        elif "failed" in report:
            self._parent.child_failed(report["failed"], report["error"])
        else:
            self._parent.child_started(report["started"], report["pid"])
