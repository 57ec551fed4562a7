"""Where the router listens, and how it says that it cannot: in Go's words."""

import errno
import os
from collections.abc import Awaitable, Callable

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  (upstream's listeners are on all addresses)
_NO_SUCH_ADDRESS = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)


class CannotListen(OSError):
    """A port that cannot be had; the text is Go's: `listen tcp :8081: bind: address already in use`."""


def cannot_listen(host: str, port: int, error: OSError) -> CannotListen:
    """`error`, which came of listening at `port` of `host` (everywhere, if that is empty), in Go's words."""
    where = f"[{host}]" if ":" in host else host
    reason = os.strerror(error.errno).lower() if error.errno is not None and error.errno > 0 else str(error)
    return CannotListen(f"listen tcp {where}:{port}: bind: {reason}")


async def listen(host: str, port: int, bind: Callable[[str, int], Awaitable[int]]) -> int:
    """Have `bind` listen at the host, or at all addresses of both families; returns the port. Raises CannotListen.

    A machine without IPv6 is reached by IPv4 only.
    """
    for address in (host,) if host else EVERYWHERE:
        try:
            port = await bind(address, port)
        except OSError as error:
            if host or address == EVERYWHERE[0] or error.errno not in _NO_SUCH_ADDRESS:
                raise cannot_listen(host, port, error) from error
    return port
