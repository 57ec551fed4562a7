"""The address plan: which VM has which address, and which port each of its jobs listens on.

Every VM of a real foundation becomes a loopback address of its own, so that all ports stay the documented ones:

    127.A.B.N    A.B follows from the path of the state folder (127.64.0 … 127.127.255), so that foundations do not meet;
                 N tells the VM: nats 10, router/0 20, router/1 21, …, diego_cell/0 60, …
    127.0.0.1    what people connect to: the load balancer, the ports of TCP routes and the API

Ports under 1024 move to 8000 + port where they may not be bound, and to the next port that the VM does not use itself.
Where 127.0.0.1 is the only address (macOS, `--single-address`), each VM gets a block of free ports on it instead.
This module only decides; what the machine allows is asked through `Machine`.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple, Protocol

import msgspec

from cfroute.errors import UsageError
from cfroute.foundation.options import Options

PUBLIC_ADDRESS = "127.0.0.1"
TCP_PORTS_PICKED = 100  # how many there are with `--tcp-ports 0`: as many as the usual 1024-1123
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
    """A kind of VM: the number of the first one, its ports, and which component listens there (on `others`, another one)."""

    number: int
    component: str
    ports: Mapping[str, int]
    others: Mapping[str, str] = {}


# Job names and numbers of the plan; the ports are those of Cloud Foundry's documentation and BOSH releases.
_VMS: Mapping[str, _Kind] = {
    "nats": _Kind(10, "nats", {"nats": 4222}),
    "router": _Kind(20, "gorouter", {"http": 80, "https": 443, "status": 8080, "routes": 8082, "route_services": 7070}),
    "tcp_router": _Kind(40, "tcp_router", {"health": 80}),
    "cloud_controller": _Kind(
        50,
        "cloud_controller",
        {"internal": 9023, "metron": 3457, "route_registrar": 17012},
        {"route_registrar": "route_registrar"},
    ),
    "uaa": _Kind(51, "uaa", {"tls": 8443}),
    "diego_database": _Kind(52, "bbs", {"bbs": 8889, "health": 8890, "locket": 8891}, {"locket": "locket"}),
    "diego_brain": _Kind(53, "tcp_emitter", {"tcp_emitter": 17011}),
    "routing_api": _Kind(54, "routing_api", {"http": 3000, "mtls": 3001, "admin": 15897, "debug": 17002}),
    "diego_cell": _Kind(60, "cell", {"rep": 1800, "route_emitter": 17011}, {"route_emitter": "route_emitter"}),
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
    """Where everything of one foundation listens. `vms` is keyed by name and index: `router/0`.

    tcp_ports are the first and the last port that TCP routes may have on 127.0.0.1; None where there is no TCP routing. Then
    tcp_ports_before are those that there were, for the day when there is again: routes are not to move.
    """

    single_address: bool
    http: Listener
    https: Listener
    api: Listener
    load_balancer_status: Listener
    vms: dict[str, VM]
    tcp_ports: tuple[int, int] | None = None
    tcp_ports_before: tuple[int, int] | None = None

    def named(self, kind: str) -> Iterator[tuple[int, VM]]:
        """The VMs of one kind, with their indexes, in order."""
        for name, vm in self.vms.items():
            vm_kind, _, index = name.partition("/")
            if vm_kind == kind:
                yield int(index), vm

    def listeners(self, without: Collection[str] = ()) -> Iterator[tuple[str, Listener]]:
        """Everything that has to be free before the foundation can start, with the name of who will listen there.

        What components `without` would listen on is left out: somebody else may be there already.
        """
        for name, component, listener in self._all_listeners():
            if component not in without:
                yield name, listener

    def tcp_listeners(self) -> Iterator[Listener]:
        """Where TCP routes are reached. The foundation can do without some of them."""
        if self.tcp_ports is not None:
            first, last = self.tcp_ports
            yield from (Listener(PUBLIC_ADDRESS, port, "--tcp-ports") for port in range(first, last + 1))

    def _all_listeners(self) -> Iterator[tuple[str, str, Listener]]:
        for name, listener in (("http", self.http), ("https", self.https), ("status", self.load_balancer_status)):
            yield f"load_balancer ({name})", "load_balancer", listener
        yield "cloud_controller (api)", "cloud_controller", self.api
        for vm_name, vm in self.vms.items():
            kind, _ = _kind(vm_name)
            for job in vm.ports:
                yield f"{vm_name} ({job})", kind.others.get(job, kind.component), vm.listener(job)


def prefix(state_dir: str) -> str:
    """The first three numbers of the loopback addresses of the foundation in this folder: `127.64.0` to `127.127.255`."""
    number = int.from_bytes(hashlib.sha256(state_dir.encode()).digest()[:2]) % (64 * 256)
    return f"127.{64 + number // 256}.{number % 256}"


def make(options: Options, state_dir: str, machine: Machine, last: Plan | None = None) -> Plan:
    """The plan for these options. Ports that were picked for the `last` plan are kept while they are free.

    Raises no error for ports in use: `Plan.listeners` says what has to be checked. Raises UsageError for more TCP routers than
    can listen on one address.
    """
    single = options.single_address or not machine.has_address(f"{prefix(state_dir)}.10")
    if single and options.tcp_routers > 1:
        raise UsageError("--tcp-routers: on a single address there is room for one TCP router", "with --tcp-routers 1 it works")
    taken = {port for port in (options.http_port, options.https_port, options.api_port) if port}
    tcp = options.tcp_port_range
    picker = _Picker(machine, taken | set(range(tcp[0], tcp[1] + 1) if tcp else ()))
    http = picker.public(options.http_port, "--http-port", last.http if last else None)
    https = picker.public(options.https_port, "--https-port", last.https if last else None)
    api = picker.public(options.api_port, "--api-port", last.api if last else None)
    status = picker.public(0, "", last.load_balancer_status if last else Listener(PUBLIC_ADDRESS, https.port + 1))
    before = (last.tcp_ports or last.tcp_ports_before) if last else None
    if options.has_tcp and tcp is None:
        tcp = picker.run(TCP_PORTS_PICKED, before)
    names = list(_vm_names(options))
    vms = _one_address(names, state_dir, picker) if single else _own_addresses(names, state_dir, machine, tcp)
    return Plan(single, http, https, api, status, vms, *((tcp, None) if options.has_tcp else (None, before)))


def _vm_names(options: Options) -> Iterator[str]:
    if not options.nats:
        yield "nats/0"
    yield from _several("router", options.gorouters)
    yield from ("cloud_controller/0", "uaa/0", "diego_database/0")
    if options.has_tcp:
        yield from _several("tcp_router", options.tcp_routers)
        yield from _several("routing_api", options.routing_apis)
        yield "diego_brain/0"
    yield from _several("diego_cell", options.cells)


def _several(kind: str, count: int) -> Iterator[str]:
    return (f"{kind}/{index}" for index in range(count))


def _kind(name: str) -> tuple[_Kind, int]:
    kind, _, index = name.partition("/")
    return _VMS[kind], int(index)


def _own_addresses(names: Iterable[str], state_dir: str, machine: Machine, tcp: tuple[int, int] | None) -> dict[str, VM]:
    vms = {}
    for name in names:
        kind, index = _kind(name)
        address = f"{prefix(state_dir)}.{kind.number + index}"
        routed = range(tcp[0], tcp[1] + 1) if tcp and kind.component == "tcp_router" else range(0)
        vms[name] = VM(address, dict(_bindable(kind.ports, address, machine, routed)))
    return vms


def _bindable(ports: Mapping[str, int], address: str, machine: Machine, routed: range) -> Iterator[tuple[str, int]]:
    """The ports of a VM as they may be bound. `routed` are those of TCP routes there, which nothing else can have."""
    used = {*ports.values(), *routed}
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

    def run(self, size: int, liked: tuple[int, int] | None) -> tuple[int, int]:
        """First and last of so many ports in a row that are free; those that were `liked` before, if any of them is."""
        if liked is not None and any(self._usable(port) for port in range(liked[0], liked[1] + 1)):
            found = liked
        else:
            found = self._free_run(size)
        self._taken.update(range(found[0], found[1] + 1))
        return found

    def _free_run(self, size: int) -> tuple[int, int]:
        while True:
            first = self._machine.pick(PUBLIC_ADDRESS)
            if all(self._usable(port) for port in range(first, first + size)):
                return first, first + size - 1

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
