"""The control socket: how other commands talk to the supervisor. One JSON object a line, in both directions.

{"do": "status"}                        {"ok": [component, …]}
{"do": "restart", "name": "nats"}       {"ok": component}, when it is healthy again
{"do": "kill", "name": "nats", "signal": 9}   {"ok": component}
{"do": "down"}                          {"ok": null}, when everything has ended
{"do": "events"}                        an event a line, from the present state on (see `events`)
any of them may fail:                   {"error": {"kind": "NotFound", "message": "…", "hint": "…"}}
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

import msgspec

from cfroute.errors import CfrouteError, UsageError
from cfroute.foundation.events import ComponentStatus, Event
from cfroute.foundation.locks import control_address
from cfroute.home import Home


class Controlled(Protocol):
    """What can be asked for over the socket."""

    def status(self) -> list[ComponentStatus]: ...

    async def restart(self, name: str) -> ComponentStatus: ...

    async def kill(self, name: str, number: int) -> ComponentStatus: ...

    async def down(self) -> None: ...

    def subscribe(self, watcher: Callable[[Event], None]) -> Callable[[], None]:
        """Call `watcher` for every event; the function that is returned ends that."""


@contextlib.asynccontextmanager
async def serving(home: Home, controlled: Controlled) -> AsyncIterator[None]:
    """Answer on the control socket while the block runs."""
    path = control_address(home)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)  # of a supervisor that was killed: we hold the lock
    talk = _Talk(controlled)
    server = await asyncio.start_unix_server(talk.serve, path)
    os.chmod(path, 0o600)
    try:
        yield
    finally:
        server.close()
        await talk.finish()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


class _Talk:
    def __init__(self, controlled: Controlled) -> None:
        self._controlled = controlled
        self._talks: set[asyncio.Task[Any]] = set()

    async def finish(self) -> None:
        """Let those who wait for the end hear of it; hang up on the others."""
        _, waiting = await asyncio.wait(self._talks, timeout=0.5) if self._talks else ((), set())
        for task in waiting:
            task.cancel()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        try:
            while line := await reader.readline():
                await self._answer(line, writer)
        except (ConnectionError, asyncio.CancelledError):
            return  # they have gone, or we go
        finally:
            self._talks.discard(task)
            writer.close()

    async def _answer(self, line: bytes, writer: asyncio.StreamWriter) -> None:
        try:
            request = msgspec.json.decode(line, type=dict[str, Any])
            if request.get("do") == "events":
                await self._stream(writer)
            reply = {"ok": await self._do(request)}
        except CfrouteError as error:
            reply = {"error": {"kind": type(error).__name__, "message": error.message, "hint": error.hint}}
        except (msgspec.MsgspecError, KeyError) as error:
            reply = {"error": {"kind": "UsageError", "message": f"no such request: {error}", "hint": ""}}
        except ConnectionError:
            raise  # they have gone
        except Exception as error:
            _report(error)
            message = f"the supervisor has failed at this: {error!r}"
            reply = {"error": {"kind": "CfrouteError", "message": message, "hint": "its log is logs/supervisor.log"}}
        await _send(writer, reply)

    async def _do(self, request: dict[str, Any]) -> Any:
        match request["do"]:
            case "status":
                return self._controlled.status()
            case "restart":
                return await self._controlled.restart(request["name"])
            case "kill":
                return await self._controlled.kill(request["name"], request["signal"])
            case "down":
                return await self._controlled.down()
            case unknown:
                raise UsageError(f"the supervisor knows no request {unknown!r}")

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        events: asyncio.Queue[Event] = asyncio.Queue()
        unsubscribe = self._controlled.subscribe(events.put_nowait)
        try:
            while True:
                await _send(writer, await events.get())
        finally:
            unsubscribe()


def _report(error: Exception) -> None:
    asyncio.get_running_loop().call_exception_handler({"message": "a request on the control socket failed", "exception": error})


async def _send(writer: asyncio.StreamWriter, message: Any) -> None:
    writer.write(msgspec.json.encode(message) + b"\n")
    await writer.drain()
