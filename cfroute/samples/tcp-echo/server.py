"""Sends back what it gets, byte for byte: an app for TCP routes.

A client that has said all (`printf hello | nc HOST PORT`) gets all of it back before the connection ends. The log says who came,
and what went through. Connections that say nothing and end at once are not told: health checks look like that.

On SIGTERM it takes no new connections, sends back what it has got, and exits with 0.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time

PIECE = 1 << 16  # bytes that are read at a time
AT_ONCE = 0.2  # s within which a health check is gone


def say(text: str) -> None:
    """Write one line of log, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Echo:
    """The connections of one server."""

    def __init__(self) -> None:
        self.open: set[asyncio.StreamWriter] = set()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = writer.get_extra_info("peername")[:2]
        who, began = f"{host}:{port}", time.monotonic()
        self.open.add(writer)
        try:
            count = await self.serve(who, reader, writer)
            if count is not None:
                say(f"{who} has gone: {count} bytes in {time.monotonic() - began:.1f} s")
        except OSError as error:
            say(f"{who} broke off: {error.strerror or error}")
        finally:
            self.open.discard(writer)
            writer.close()

    async def serve(self, who: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int | None:
        """Send everything back; how many bytes it was, or None for somebody who only looked in."""
        first = asyncio.ensure_future(reader.read(PIECE))
        await asyncio.wait({first}, timeout=AT_ONCE)
        if first.done() and not first.result():
            return None
        say(f"{who} is there, on instance {os.environ.get('CF_INSTANCE_INDEX', '0')}")
        count, piece = 0, await first
        while piece:
            writer.write(piece)
            await writer.drain()  # who does not read is not read from
            count += len(piece)
            piece = await reader.read(PIECE)
        return count

    def end(self) -> None:
        """Take what has come as all there is."""
        for writer in self.open:
            with contextlib.suppress(OSError):  # the client was faster
                writer.get_extra_info("socket").shutdown(socket.SHUT_RD)


async def main() -> None:
    echo, asked = Echo(), asyncio.Event()
    host, port = os.environ.get("CF_INSTANCE_INTERNAL_IP", "127.0.0.1"), int(os.environ.get("PORT", "8080"))
    server = await asyncio.start_server(echo, host, port, backlog=512)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    say(f"listening on port {port}")
    await asked.wait()
    server.close()
    echo.end()
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others)
    say("ended")


if __name__ == "__main__":
    asyncio.run(main())
