"""What this machine allows: addresses and ports that can be bound, and who holds those that cannot."""

import errno
import os
import secrets
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path

from cfroute.errors import CfrouteError, Conflict
from cfroute.foundation.plan import Listener

_PICK_FROM, _PICK_AMONG = 10_000, 10_000  # below all ephemeral ports, and below the blocks of the single-address plan
_LISTEN = "0A"  # a listening socket's state in /proc/net/tcp


class LocalMachine:
    """The `plan.Machine` of the computer we run on."""

    def has_address(self, address: str) -> bool:
        return _bind_error(address, 0) is None

    def allows_port(self, address: str, port: int) -> bool:
        return _bind_error(address, port) not in {errno.EACCES, errno.EPERM}

    def is_free(self, address: str, port: int) -> bool:
        return _bind_error(address, port) is None

    def pick(self, address: str) -> int:
        """Not one that the kernel would pick: it may give it to an outgoing connection before the component listens."""
        while not self.is_free(address, port := _PICK_FROM + secrets.randbelow(_PICK_AMONG)):
            continue
        return port


def _bind_error(address: str, port: int) -> int | None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            return error.errno
    return None


def check(listeners: Iterable[tuple[str, Listener]]) -> None:
    """Raise Conflict (or CfrouteError where the port is forbidden) for the first listener that cannot be bound."""
    for name, listener in listeners:
        error = _bind_error(listener.address, listener.port)
        if error == errno.EADDRINUSE:
            raise Conflict(_in_use(name, listener), _way_out(listener))
        if error is not None:
            raise CfrouteError(
                f"{listener} for {name} cannot be used: {os.strerror(error)}",
                f"choose a port of 1024 or more with {listener.option}" if listener.option else _way_out(listener),
            )


def check_some(listeners: Iterable[Listener]) -> list[str]:
    """What to tell about those of the listeners for TCP routes that are taken. Raises Conflict when all are."""
    every = list(listeners)
    busy = [one for one in every if _bind_error(one.address, one.port) is not None]
    if not busy:
        return []
    holder = holder_of(busy[0])
    by = f" (the first by {holder})" if holder else ""
    if len(busy) == len(every):
        hint = "end that process, or choose others with --tcp-ports FIRST-LAST (0 picks 100 that are free)"
        raise Conflict(f"every port for TCP routes, {_ports(every)}, is in use{by}", hint)
    ports = f"port {_ports(busy)} is" if len(busy) == 1 else f"ports {_ports(busy)} are"
    return [f"{ports} in use{by}: TCP routes with {'it' if len(busy) == 1 else 'them'} cannot be reached; see --tcp-ports"]


def _ports(listeners: Iterable[Listener]) -> str:
    """The ports, those in a row as a range."""
    runs: list[list[int]] = []
    for port in sorted(listener.port for listener in listeners):
        if runs and port == runs[-1][-1] + 1:
            runs[-1].append(port)
        else:
            runs.append([port])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _in_use(name: str, listener: Listener) -> str:
    holder = holder_of(listener)
    by = f" by {holder}" if holder else ""
    return f"port {listener.port} on {listener.address}, which {name} needs, is in use{by}"


def _way_out(listener: Listener) -> str:
    if listener.option:
        return f"end that process, or choose another port with {listener.option} PORT (0 picks a free one)"
    return "end that process, or let cfroute use free ports of 127.0.0.1 only, with --single-address"


def holder_of(listener: Listener) -> str:
    """`COMMAND (pid N)` of the process that listens there, or "" where that cannot be known."""
    inode = _listening_inode(listener)
    if inode:
        for pid in _processes():
            if _holds(pid, f"socket:[{inode}]"):
                return f"{_command(pid)} (pid {pid})"
    return ""


def _listening_inode(listener: Listener) -> str:
    port = f"{listener.port:04X}"
    wanted = {f"{_hexadecimal(listener.address)}:{port}", f"00000000:{port}", f"{'0' * 32}:{port}"}
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in _lines(table):
            fields = line.split()
            if len(fields) > 9 and fields[1] in wanted and fields[3] == _LISTEN:
                return fields[9]
    return ""


def _hexadecimal(address: str) -> str:
    # The kernel prints the address as one number in the machine's own order: little-endian where this runs.
    return socket.inet_aton(address)[::-1].hex().upper()


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:  # no /proc here
        return []


def _processes() -> Iterator[int]:
    if os.path.isdir("/proc/self"):
        yield from (int(name) for name in os.listdir("/proc") if name.isdigit())


def _holds(pid: int, link: str) -> bool:
    try:
        descriptors = os.listdir(f"/proc/{pid}/fd")
        return any(os.readlink(f"/proc/{pid}/fd/{number}") == link for number in descriptors)
    except OSError:  # it has ended, or belongs to somebody else
        return False


def _command(pid: int) -> str:
    """What a person calls the process: the name it has given itself, or the beginning of its command line."""
    name = "".join(_lines(Path(f"/proc/{pid}/comm")))
    program, *arguments = "".join(_lines(Path(f"/proc/{pid}/cmdline"))).split("\0")
    program = os.path.basename(program)
    if not program.startswith(name):
        return name
    return " ".join([program, *arguments[:3]]).strip()
