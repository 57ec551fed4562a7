"""Looking whether a component works: one connection, one request, one status line."""

import asyncio
import os
import ssl
from functools import cache
from pathlib import Path

from cfroute.foundation.components import Probe

TIMEOUT = 2.0


async def look(probe: Probe, ca: Path) -> str:
    """What is wrong with the component, in words; empty when it is well. TLS is verified against `ca`."""
    try:
        async with asyncio.timeout(TIMEOUT):
            return await _ask(probe, ca)
    except TimeoutError:
        return f"no answer from {probe.listener} within {TIMEOUT:.0f} s"
    except OSError as error:
        return f"{probe.listener}: {_reason(error)}"


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError) or not error.errno:
        return str(error)
    return os.strerror(error.errno).lower()  # asyncio's own text repeats the address


async def _ask(probe: Probe, ca: Path) -> str:
    if probe.lives is not None:
        _, alive = await asyncio.open_connection(probe.lives.address, probe.lives.port)
        alive.transport.abort()
    context = _context(ca) if probe.kind == "https" else None
    reader, writer = await asyncio.open_connection(probe.listener.address, probe.listener.port, ssl=context)
    try:
        if probe.kind == "tcp":
            return ""
        if probe.kind == "nats":
            greeting = await reader.readline()
            return "" if greeting.startswith(b"INFO ") else "the connection begins without the greeting of a NATS server"
        writer.write(f"GET {probe.path} HTTP/1.1\r\nHost: {probe.listener}\r\nConnection: close\r\n\r\n".encode())
        words = (await reader.readline()).split(None, 2)
        return "" if words[1:2] == [b"200"] else f"{probe.path} answered {_shown(words)}"
    finally:
        writer.transport.abort()


def _shown(words: list[bytes]) -> str:
    return b" ".join(words[1:]).decode("latin-1").strip() or "nothing"


@cache
def _context(ca: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(ca))
