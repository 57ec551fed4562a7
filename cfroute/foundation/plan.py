"""The address plan: which VM has which address, and which port each of its jobs listens on.

Every VM of a real foundation becomes a loopback address of its own, so that all ports stay the documented ones:

    127.A.B.N    A.B follows from the path of the state folder (127.64.0 … 127.127.255), so that foundations do not meet;
                 N tells the VM: nats 10, router/0 20, router/1 21, …, diego_cell/0 60, …
    127.0.0.1    what people connect to: the load balancer and the API

Ports under 1024 move to 8000 + port where they may not be bound, and to the next port that the VM does not use itself.
Where 127.0.0.1 is the only address (macOS, `--single-address`), each VM gets a block of free ports on it instead.
This module only decides; what the machine allows is asked through `Machine`.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, Protocol

import msgspec

from cfroute.foundation.options import Options

PUBLIC_ADDRESS = "127.0.0.1"
_BLOCK = 8  # ports a VM gets in the single-address plan
_BLOCKS_FROM, _BLOCKS_TO = 20_000, 32_000  # below the ephemeral ports of Linux (32768) and macOS (49152)
_INSTANCE_PORTS = (61_000, 65_000)


class Machine(Protocol):
    """What the plan has to know of the machine."""

    def has_address(self, address: str) -> bool:
        """Whether a socket can be bound to this loopback address."""

    def allows_port(self, address: str, port: int) -> bool:
        """Whether this user may bind the port, be it free or not."""

    def is_free(self, address: str, port: int) -> bool:
        """Whether the port can be bound now."""

    def pick(self, address: str) -> int:
        """Some port that is free now."""


class _Kind(NamedTuple):
    number: int
    ports: Mapping[str, int]


# Job names and numbers of the plan; the ports are those of Cloud Foundry's documentation and BOSH releases.
_VMS: Mapping[str, _Kind] = {
    "nats": _Kind(10, {"nats": 4222}),
    "router": _Kind(20, {"http": 80, "https": 443, "status": 8080, "routes": 8082, "route_services": 7070}),
    "tcp_router": _Kind(40, {}),
    "cloud_controller": _Kind(50, {"internal": 9023, "metron": 3457}),
    "uaa": _Kind(51, {"tls": 8443}),
    "diego_database": _Kind(52, {"bbs": 8889, "health": 8890}),
    "diego_brain": _Kind(53, {}),
    "diego_cell": _Kind(60, {"rep": 1800, "route_emitter": 17011}),
}


class Listener(msgspec.Struct, frozen=True):
    """An address and a port of the plan, and the option by which a person can change it ("" if none)."""

    address: str
    port: int
    option: str = ""

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"


class VM(msgspec.Struct, frozen=True):
    """One VM: its address and the port of each of its jobs; `instance_ports` is where a cell's instances listen."""

    address: str
    ports: dict[str, int]
    instance_ports: tuple[int, int] = _INSTANCE_PORTS

    def listener(self, job: str) -> Listener:
        return Listener(self.address, self.ports[job])


class Plan(msgspec.Struct, frozen=True):
    """Where everything of one foundation listens. `vms` is keyed by name and index: `router/0`."""

    single_address: bool
    http: Listener
    https: Listener
    api: Listener
    load_balancer_status: Listener
    vms: dict[str, VM]

    def named(self, kind: str) -> Iterator[tuple[int, VM]]:
        """The VMs of one kind, with their indexes, in order."""
        for name, vm in self.vms.items():
            vm_kind, _, index = name.partition("/")
            if vm_kind == kind:
                yield int(index), vm

    def listeners(self) -> Iterator[tuple[str, Listener]]:
        """Everything that has to be free before the foundation can start, with the name of who will listen there."""
        for name, listener in (("http", self.http), ("https", self.https), ("status", self.load_balancer_status)):
            yield f"load_balancer ({name})", listener
        yield "cloud_controller (api)", self.api
        for vm_name, vm in self.vms.items():
            for job in vm.ports:
                yield f"{vm_name} ({job})", vm.listener(job)


def prefix(state_dir: str) -> str:
    """The first three numbers of the loopback addresses of the foundation in this folder: `127.64.0` to `127.127.255`."""
    number = int.from_bytes(hashlib.sha256(state_dir.encode()).digest()[:2]) % (64 * 256)
    return f"127.{64 + number // 256}.{number % 256}"


def make(options: Options, state_dir: str, machine: Machine, last: Plan | None = None) -> Plan:
    """The plan for these options. Ports that were picked for the `last` plan are kept while they are free.

    Raises no error for ports in use: `Plan.listeners` says what has to be checked.
    """
    single = options.single_address or not machine.has_address(f"{prefix(state_dir)}.10")
    taken = {port for port in (options.http_port, options.https_port, options.api_port) if port}
    picker = _Picker(machine, taken)
    http = picker.public(options.http_port, "--http-port", last.http if last else None)
    https = picker.public(options.https_port, "--https-port", last.https if last else None)
    api = picker.public(options.api_port, "--api-port", last.api if last else None)
    status = picker.public(0, "", last.load_balancer_status if last else Listener(PUBLIC_ADDRESS, https.port + 1))
    names = list(_vm_names(options))
    vms = _one_address(names, state_dir, picker) if single else _own_addresses(names, state_dir, machine)
    return Plan(single, http, https, api, status, vms)


def _vm_names(options: Options) -> Iterator[str]:
    if not options.nats:
        yield "nats/0"
    for index in range(options.gorouters):
        yield f"router/{index}"
    yield from ("tcp_router/0", "cloud_controller/0", "uaa/0", "diego_database/0", "diego_brain/0")
    for index in range(options.cells):
        yield f"diego_cell/{index}"


def _kind(name: str) -> tuple[_Kind, int]:
    kind, _, index = name.partition("/")
    return _VMS[kind], int(index)


def _own_addresses(names: Iterable[str], state_dir: str, machine: Machine) -> dict[str, VM]:
    vms = {}
    for name in names:
        kind, index = _kind(name)
        address = f"{prefix(state_dir)}.{kind.number + index}"
        vms[name] = VM(address, dict(_bindable(kind.ports, address, machine)))
    return vms


def _bindable(ports: Mapping[str, int], address: str, machine: Machine) -> Iterator[tuple[str, int]]:
    used = set(ports.values())
    for job, port in ports.items():
        if port < 1024 and not machine.allows_port(address, port):
            port += 8000
            while port in used:
                port += 1
            used.add(port)
        yield job, port


def _one_address(names: list[str], state_dir: str, picker: "_Picker") -> dict[str, VM]:
    blocks = picker.blocks(hashlib.sha256(state_dir.encode()).digest())
    cells = sum(name.startswith("diego_cell/") for name in names)
    vms = {}
    for name in names:
        kind, index = _kind(name)
        base = next(blocks) if kind.ports else 0
        ports = {job: base + offset for offset, job in enumerate(kind.ports)}
        vms[name] = VM(PUBLIC_ADDRESS, ports, _share(index, cells) if "rep" in ports else _INSTANCE_PORTS)
    return vms


def _share(index: int, cells: int) -> tuple[int, int]:
    """The part of the instance ports that is one cell's own, where all cells have the same address."""
    first, last = _INSTANCE_PORTS
    size = (last - first) // cells
    return first + index * size, first + (index + 1) * size - 1


class _Picker:
    """Finds free ports, and none twice."""

    def __init__(self, machine: Machine, taken: set[int]) -> None:
        self._machine = machine
        self._taken = taken

    def public(self, port: int, option: str, liked: Listener | None) -> Listener:
        return Listener(PUBLIC_ADDRESS, port or self._free(liked), option)

    def _free(self, liked: Listener | None) -> int:
        if liked is not None and 1024 <= liked.port < 65536 and self._usable(liked.port):
            port = liked.port
        else:
            port = self._machine.pick(PUBLIC_ADDRESS)
            while port in self._taken:
                port = self._machine.pick(PUBLIC_ADDRESS)
        self._taken.add(port)
        return port

    def _usable(self, port: int) -> bool:
        return port not in self._taken and self._machine.is_free(PUBLIC_ADDRESS, port)

    def blocks(self, seed: bytes) -> Iterator[int]:
        """First ports of free blocks, from a place that depends on the seed, so that foundations seldom meet."""
        count = (_BLOCKS_TO - _BLOCKS_FROM) // _BLOCK
        start = int.from_bytes(seed[:4]) % count
        for step in range(count):
            base = _BLOCKS_FROM + (start + step) % count * _BLOCK
            if all(self._usable(port) for port in range(base, base + _BLOCK)):
                yield base
