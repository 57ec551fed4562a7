"""Finding out whether an instance works.

An instance may listen on all addresses, on the cell's, or on 127.0.0.1 only; the first that answers is where it will
be reached.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Sequence

import msgspec

from cfroute.clock import Clock
from cfroute.diego.api import HealthCheck

START_TIMEOUT = 60  # s
INVOCATION_TIMEOUT = 1  # s
EARLY_INTERVAL = 0.1  # s between two checks of an instance that is not healthy yet
INTERVAL = 30.0  # s between two checks of one that is


class Unhealthy(Exception):
    """The check failed; the text says how, as Diego's would."""


def checks(health: HealthCheck, ports: Sequence[int]) -> list[tuple[HealthCheck, int]]:
    """What is to be checked: the first port as configured, the others for whether somebody listens there."""
    others = msgspec.structs.replace(health, type="port")
    return [(health if number == 0 else others, port) for number, port in enumerate(ports)]


async def check(health: HealthCheck, addresses: Iterable[str], port: int) -> str:
    """The address at which the instance answers. Raises Unhealthy."""
    failure = Unhealthy("no address to check")
    for address in addresses:
        try:
            await _check(health, address, port)
        except Unhealthy as error:
            failure = error
        else:
            return address
    raise failure


async def become_healthy(health: HealthCheck, addresses: Iterable[str], ports: Sequence[int], clock: Clock) -> list[str]:
    """Wait until the instance answers at all ports; where, for each. Raises Unhealthy when it does not within its timeout."""
    chosen = list(addresses)
    if health.type == "process":
        return [chosen[0]] * len(ports)
    limit = health.timeout or START_TIMEOUT
    deadline = clock.monotonic() + limit
    found: list[str] = []
    for each, port in checks(health, ports):
        while True:
            try:
                found.append(await check(each, chosen, port))
                break
            except Unhealthy as failure:
                if clock.monotonic() >= deadline:
                    raise Unhealthy(f"Instance never healthy after {limit}s: {failure}") from failure
            await clock.sleep(EARLY_INTERVAL)
    return found


async def stay_healthy(health: HealthCheck, addresses: Sequence[str], ports: Sequence[int], clock: Clock) -> None:
    """Check from time to time, each port at its address, for ever. Raises Unhealthy."""
    while True:
        await clock.sleep(INTERVAL)
        if health.type == "process":
            continue
        for (each, port), address in zip(checks(health, ports), addresses, strict=True):
            try:
                await check(each, [address], port)
            except Unhealthy as failure:
                raise Unhealthy(f"Instance became unhealthy: {failure}") from failure


async def _check(health: HealthCheck, address: str, port: int) -> None:
    limit = health.invocation_timeout or INVOCATION_TIMEOUT
    try:
        async with asyncio.timeout(limit):
            if health.type == "http":
                await _check_http(address, port, health.endpoint or "/")
            else:
                await _check_port(address, port)
    except TimeoutError as error:
        raise Unhealthy(f"Failed to make {_kind(health)} to port {port}: timed out after {limit}s") from error
    except OSError as error:
        raise Unhealthy(f"Failed to make {_kind(health)} to port {port}: {error.strerror or error}") from error


def _kind(health: HealthCheck) -> str:
    return f"HTTP request to '{health.endpoint}'" if health.type == "http" else "TCP connection"


async def _check_port(address: str, port: int) -> None:
    _, writer = await asyncio.open_connection(address, port)
    await _close(writer)


async def _check_http(address: str, port: int, endpoint: str) -> None:
    reader, writer = await asyncio.open_connection(address, port)
    try:
        writer.write(
            f"GET {endpoint} HTTP/1.1\r\nHost: {address}:{port}\r\n"
            "User-Agent: diego-healthcheck\r\nConnection: close\r\n\r\n".encode()
        )
        status = (await reader.readline()).split(b" ", 2)
    except ValueError as error:
        raise Unhealthy("the answer to the health check is no HTTP") from error
    finally:
        await _close(writer)
    if len(status) < 2 or not status[0].startswith(b"HTTP/"):
        raise Unhealthy(f"Failed to make HTTP request to '{endpoint}' on port {port}: no HTTP response")
    if status[1] != b"200":
        raise Unhealthy(
            f"Failed to make HTTP request to '{endpoint}' on port {port}: received status code {status[1].decode('latin-1')}"
        )


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
