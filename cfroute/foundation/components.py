"""The components of a foundation as the supervisor sees them: how each is started, probed and stopped."""

import signal
from collections.abc import Iterator
from typing import Literal

import msgspec

from cfroute.foundation.plan import Listener, Plan
from cfroute.home import Home
from cfroute.nats import server


class Probe(msgspec.Struct, frozen=True):
    """How to find out whether a component works: a connection (tcp), the greeting of a NATS server on one, or a GET that has to
    be answered with 200.
    """

    kind: Literal["tcp", "nats", "http", "https"]
    listener: Listener
    path: str = "/"


class Component(msgspec.Struct, frozen=True, kw_only=True):
    """One process to keep alive: a daemon of ours (`module`, whose main gets `arguments`) or a binary (`command`).

    phase orders the stop: lower ones go first, and are waited for. stop_signal is sent for a restart; the foundation's own end is
    always SIGTERM, when nothing sends requests any more. stop_seconds is how long it may take to end before it is killed.
    """

    name: str
    module: str = ""
    command: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    probe: Probe
    serves: Listener | None = None
    phase: int = 3
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 5.0

    @property
    def address(self) -> str:
        """Where it does its work, for people: seldom the port that is probed."""
        return str(self.serves or self.probe.listener)


def of(plan: Plan, home: Home) -> tuple[Component, ...]:
    """All components of the plan, in the order in which they are started.

    They start together and wait for each other on their own; what takes longest to be ready comes first: a Gorouter waits until
    its table is filled, the Cloud Controller has the most to import.
    """
    parts = (_nats, _gorouters, _control, _diego, _load_balancer)
    return tuple(component for part in parts for component in part(plan, home))


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
            phase=2,
        )


def _control(plan: Plan, home: Home) -> Iterator[Component]:
    yield Component(
        name="cloud_controller",
        module="cfroute.cloud_controller.main",
        arguments=_config(home, "cloud_controller_ng.yml"),
        probe=Probe("http", plan.api, "/healthz"),
    )
    yield Component(
        name="uaa",
        module="cfroute.uaa.main",
        arguments=_config(home, "uaa.yml"),
        probe=Probe("https", plan.vms["uaa/0"].listener("tls"), "/healthz"),
    )
