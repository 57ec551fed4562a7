"""The host ports of instances.

An app may listen on any address of the machine, so a port must be free on all of them; and the cells of one machine
must not pick the same one at the same moment, so cell N takes only every 16th port, from the Nth on.
"""

import errno
import itertools
import re
import socket
from collections.abc import Callable

from cfroute.errors import Conflict

STRIDE = 16


def is_free(port: int) -> bool:
    """Whether nobody listens on the port, on whatever address."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


class Ports:
    """Gives out the ports of one cell. A port that was given back is the last to be given out again."""

    def __init__(
        self,
        port_range: tuple[int, int],
        cell_id: str,
        *,
        offset: int = 0,
        free: Callable[[int], bool] = is_free,
    ) -> None:
        first, last = port_range
        mine = list(range(first + _number(cell_id) % STRIDE, last + 1, STRIDE)) or list(range(first, last + 1))
        turn = offset % len(mine)
        self._cycle = itertools.cycle(mine[turn:] + mine[:turn])
        self._count = len(mine)
        self._taken: set[int] = set()
        self._free = free

    def take(self) -> int:
        """A port of its own for an instance. Raises Conflict when there is none."""
        for port in itertools.islice(self._cycle, self._count):
            if port not in self._taken and self._free(port):
                self._taken.add(port)
                return port
        raise Conflict("no port is free for another instance", "widen port_range of the cell")

    def give_back(self, port: int) -> None:
        """The instance is gone."""
        self._taken.discard(port)


def _number(cell_id: str) -> int:
    found = re.search(r"(\d+)\Z", cell_id)
    return int(found.group()) if found else 0
