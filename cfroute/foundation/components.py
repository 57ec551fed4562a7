"""The components of a foundation as the supervisor sees them: how each is started, probed and stopped."""

import signal
from collections.abc import Iterator
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from cfroute.foundation.options import Options
from cfroute.foundation.plan import VM, Listener, Plan
from cfroute.home import Home
from cfroute.nats import server


class Probe(msgspec.Struct, frozen=True):
    """How to find out whether a component works: a connection (tcp), the greeting of a NATS server on one, or a GET that has to
    be answered with 200. With `lives`, a connection there has to be possible as well.
    """

    kind: Literal["tcp", "nats", "http", "https"]
    listener: Listener
    path: str = "/"
    lives: Listener | None = None


class Component(msgspec.Struct, frozen=True, kw_only=True):
    """One process to keep alive: a daemon of ours (`module`, whose main gets `arguments`) or a binary (`command`).

    after names components that it cannot start without: it is first started when they work. phase orders the stop: lower ones
    go first, and are waited for. stop_signal is sent for a restart; the foundation's own end is
    always SIGTERM, when nothing sends requests any more. stop_seconds is how long it may take to end before it is killed.
    """

    name: str
    module: str = ""
    command: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    probe: Probe
    serves: Listener | None = None
    after: tuple[str, ...] = ()
    phase: int = 3
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 5.0

    @property
    def address(self) -> str:
        """Where it does its work, for people: seldom the port that is probed."""
        return str(self.serves or self.probe.listener)


def of(plan: Plan, home: Home, options: Options) -> tuple[Component, ...]:
    """The components that this foundation runs, in the order in which they are started.

    They start together and wait for each other on their own, but for those that cannot start without the UAA. What takes longest
    to be ready comes first: a Gorouter waits until its table is filled, the Cloud Controller has the most to import.
    """
    return tuple(component for component in _all(plan, home, options) if kind(component.name) not in options.not_ours)


def external(plan: Plan, home: Home, options: Options) -> list[tuple[str, str]]:
    """Name and address of everything that somebody else runs."""
    elsewhere = {"routing_api": options.routing_api, "uaa": options.uaa, "locket": options.locket}
    found = [("nats", urlsplit(url).netloc) for url in options.nats]
    found += [(name, urlsplit(place).netloc or place) for name, place in elsewhere.items() if place]
    for component in _all(plan, home, options):
        if kind(component.name) in options.without and not elsewhere.get(kind(component.name)):
            found.append((component.name, component.address))
    return found


def kind(name: str) -> str:
    """What `--without` calls a component: `gorouter` for `gorouter/0`."""
    return name.partition("/")[0]


def _all(plan: Plan, home: Home, options: Options) -> Iterator[Component]:
    for part in (_nats, _uaa, _gorouters, _cloud_controller, _diego, _route_registrar):
        yield from part(plan, home)
    if plan.tcp_ports is not None:
        yield from _tcp(plan, home, options)
    yield from _load_balancer(plan, home)


def _config(home: Home, name: str) -> tuple[str, str]:
    return "-c", str(home.config / name)


def _nats(plan: Plan, home: Home) -> Iterator[Component]:
    for _, vm in plan.named("nats"):
        yield Component(
            name="nats",
            command=(str(server.find_binary()), *_config(home, "nats.conf")),
            probe=Probe("nats", vm.listener("nats")),
            phase=4,
        )


def _load_balancer(plan: Plan, home: Home) -> Iterator[Component]:
    yield Component(
        name="load_balancer",
        module="cfroute.load_balancer.main",
        arguments=_config(home, "load_balancer.yml"),
        probe=Probe("http", plan.load_balancer_status, "/healthz"),
        serves=plan.http,
        phase=0,
    )


def _gorouters(plan: Plan, home: Home) -> Iterator[Component]:
    for index, vm in plan.named("router"):
        yield Component(
            name=f"gorouter/{index}",
            module="cfroute.gorouter.main",
            arguments=_config(home, f"gorouter-{index}.yml"),
            probe=Probe("http", vm.listener("status"), "/health"),
            serves=vm.listener("http"),
            phase=1,
            stop_signal=signal.SIGUSR1,
            stop_seconds=10.0,
        )


def _diego(plan: Plan, home: Home) -> Iterator[Component]:
    database = plan.vms["diego_database/0"]
    yield Component(
        name="bbs",
        module="cfroute.diego.bbs.main",
        arguments=_config(home, "bbs.yml"),
        probe=Probe("http", database.listener("health"), "/ping"),
        serves=database.listener("bbs"),
    )
    for index, vm in plan.named("diego_cell"):
        yield Component(
            name=f"cell/{index}",
            module="cfroute.diego.cell.main",
            arguments=_config(home, f"rep-{index}.yml"),
            probe=Probe("http", vm.listener("rep"), "/ping"),
            phase=2,
            stop_seconds=15.0,
        )
    for index, vm in plan.named("diego_cell"):
        yield Component(
            name=f"route_emitter/{index}",
            module="cfroute.diego.route_emitter.main",
            arguments=("-config", str(home.config / f"route_emitter-{index}.json")),
            probe=Probe("tcp", vm.listener("route_emitter")),
            after=("uaa",) if plan.tcp_ports is not None else (),
            phase=2,
        )


def _tcp(plan: Plan, home: Home, options: Options) -> Iterator[Component]:
    yield Component(
        name="locket",
        module="cfroute.locket.main",
        arguments=("-config", str(home.config / "locket.json")),
        probe=Probe("tcp", plan.vms["diego_database/0"].listener("locket")),
        phase=4,  # whoever holds a lock can still give it back
    )
    for index, vm in plan.named("routing_api"):
        yield _routing_api(plan, home, index, vm)
    for index, vm in plan.named("tcp_router"):
        yield _tcp_router(home, options, index, vm)
    yield Component(
        name="tcp_emitter",
        module="cfroute.diego.route_emitter.main",
        arguments=("-config", str(home.config / "tcp_emitter.json")),
        probe=Probe("tcp", plan.vms["diego_brain/0"].listener("tcp_emitter")),
        after=("uaa", "routing_api/0"),  # what it cannot tell at its start, it tells 20 s later
        phase=2,
    )


def _routing_api(plan: Plan, home: Home, index: int, vm: VM) -> Component:
    """Each is well while the one of them that has the lock answers, and it lives itself."""
    place = plan.vms["routing_api/0"]
    return Component(
        name=f"routing_api/{index}",
        module="cfroute.routing_api.main",
        arguments=("-config", str(home.config / f"routing_api-{index}.yml"), "-ip", place.address),
        probe=Probe("tcp", place.listener("http"), lives=vm.listener("debug")),
        after=("uaa", "locket"),
    )


def _tcp_router(home: Home, options: Options, index: int, vm: VM) -> Component:
    file = ("-config", str(home.config / f"tcp_router-{index}.yml"))
    pace = ("-syncInterval", "30s", "-subscriptionRetryInterval", "1", "-tokenFetchRetryInterval", "1s")
    return Component(
        name=f"tcp_router/{index}",
        module="cfroute.tcp_router.main",
        arguments=(*file, *pace, "-engine", options.tcp_engine),
        probe=Probe("http", vm.listener("health"), "/health"),
        after=("uaa", "routing_api/0"),
        phase=1,
        stop_signal=signal.SIGUSR2,
        stop_seconds=10.0,
    )


def _cloud_controller(plan: Plan, home: Home) -> Iterator[Component]:
    yield Component(
        name="cloud_controller",
        module="cfroute.cloud_controller.main",
        arguments=_config(home, "cloud_controller_ng.yml"),
        probe=Probe("http", plan.api, "/healthz"),
    )


def _route_registrar(plan: Plan, home: Home) -> Iterator[Component]:
    yield Component(
        name="route_registrar",
        module="cfroute.route_registrar.main",
        arguments=("-configPath", str(home.config / "registrar_settings.json")),
        probe=Probe("http", plan.vms["cloud_controller/0"].listener("route_registrar")),
        after=("nats",),
        phase=2,
    )


def _uaa(plan: Plan, home: Home) -> Iterator[Component]:
    yield Component(
        name="uaa",
        module="cfroute.uaa.main",
        arguments=_config(home, "uaa.yml"),
        probe=Probe("https", plan.vms["uaa/0"].listener("tls"), "/healthz"),
    )
