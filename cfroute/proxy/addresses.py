"""What is dialled for a host: the addresses that a name has."""

import asyncio
import socket


def is_address(host: str) -> bool:
    """Whether this is an IP address already, and no name."""
    return ":" in host or host.replace(".", "").isdigit()


async def look_up(host: str, port: int) -> list[str]:
    """The addresses of a name, in the order in which the system would try them. Raises OSError or UnicodeError."""
    found = await asyncio.get_running_loop().getaddrinfo(host or ".", port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[0]) for *_, place in found))
