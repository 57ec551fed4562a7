"""Making a state folder ready: folders, secrets, plan, certificates, configuration files. Starts nothing."""

import contextlib
import fcntl
from collections.abc import Iterator
from typing import Any

import msgspec

from cfroute import __version__
from cfroute.clock import Clock, SystemClock
from cfroute.errors import ConfigurationError
from cfroute.foundation import locks
from cfroute.foundation import plan as planning
from cfroute.foundation import secrets as keeping
from cfroute.foundation.events import ComponentStatus
from cfroute.foundation.option_values import database_url, nats_urls
from cfroute.foundation.options import Given, Options, merge
from cfroute.foundation.plan import Plan
from cfroute.foundation.secrets import Secrets
from cfroute.home import Home, write_secretly


class Foundation(msgspec.Struct, frozen=True):
    """A prepared foundation: what was asked for, and what follows from it. `warnings` are for the person who starts it."""

    home: Home
    options: Options
    plan: Plan
    secrets: Secrets
    warnings: tuple[str, ...] = ()

    @property
    def component_names(self) -> list[str]:
        """The names that `status`, `kill` and `logs` know, in the order of a request's way."""
        cells = [index for index, _ in self.plan.named("diego_cell")]
        emitters = [f"route_emitter/{index}" for index in cells]
        names = ["load_balancer", *self._several("gorouter", "router"), *self._tcp("tcp_router"), "nats", *emitters]
        names += [*(("tcp_emitter",) if self.plan.tcp_ports else ()), *(f"cell/{index}" for index in cells)]
        names += [*self._tcp("routing_api"), *(("locket",) if self.plan.tcp_ports else ())]
        return [*names, "route_registrar", "bbs", "cloud_controller", "uaa"]

    def _several(self, component: str, vm: str) -> list[str]:
        return [f"{component}/{index}" for index, _ in self.plan.named(vm)]

    def _tcp(self, kind: str) -> list[str]:
        return self._several(kind, kind) if self.plan.tcp_ports else []

    def info(self) -> dict[str, Any]:
        """What `cfroute info` shows: no secrets."""
        plan, routers = self.plan, [vm for _, vm in self.plan.named("router")]
        ours = [f"nats://{self.secrets.nats_user}@{vm.listener('nats')}" for _, vm in plan.named("nats")]
        return {
            "domain": self.options.domain,
            "tcp_domain": self.options.tcp_domain,
            "http": f"http://{plan.http}",
            "https": f"https://{plan.https}",
            "api": f"http://{plan.api}",
            "api_route": f"https://api.{self.options.domain}:{plan.https.port}",
            "uaa": self.options.uaa or f"https://{plan.vms['uaa/0'].listener('tls')}",
            "nats": ",".join(self.options.nats or ours),
            "gorouter_status": [f"http://{vm.listener('status')}" for vm in routers],
            "gorouter_routes": [f"http://{vm.listener('routes')}" for vm in routers],
            "load_balancer_status": f"http://{plan.load_balancer_status}",
            **self._tcp_info(),
            "admin_user": "admin",
            "ca": str(self.home.ca),
            "state_dir": str(self.home.root),
            "version": __version__,
        }

    def _tcp_info(self) -> dict[str, Any]:
        ports = self.plan.tcp_ports
        if ports is None:
            return {}
        routers = [vm.listener("health") for _, vm in self.plan.named("tcp_router")]
        ours = f"http://{self.plan.vms['routing_api/0'].listener('http')}"
        return {
            "tcp_ports": str(ports[0]) if ports[0] == ports[1] else f"{ports[0]}-{ports[1]}",
            "tcp_router_status": [f"http://{listener}" for listener in routers],
            "routing_api": self.options.routing_api or ours,
        }

    def external(self) -> list[ComponentStatus]:
        """The parts that somebody else runs."""
        from cfroute.foundation import components

        return [
            ComponentStatus(name=name, state="external", since=0.0, pid=0, address=address, restarts=0, last_error="")
            for name, address in components.external(self.plan, self.home, self.options)
        ]


class _Stored(msgspec.Struct):
    """What foundation.json has beside the information for people."""

    version: str
    options: Options
    plan: Plan


def prepare(home: Home, clock: Clock | None = None) -> Foundation:
    """The foundation of this folder as it was last planned, or planned with the default options; made complete if need be.

    Safe to call at any time, whether the foundation is up or down. Raises ConfigurationError for a folder that cannot be used.
    """
    home.create()
    with _alone(home):
        stored = _load(home)
        complete = _complete(home)
        secrets = keeping.load_or_create(home)
        if stored is None:
            foundation = _plan(home, Options(), secrets, None)
        else:
            foundation = Foundation(home, stored.options, stored.plan, secrets)
        if stored is None or stored.version != __version__ or not complete:
            _write(foundation, _now(clock))
        return foundation


def prepare_up(home: Home, given: Given, clock: Clock | None = None) -> Foundation:
    """Plan the foundation anew, from the remembered options and the given ones, for a start.

    Raises UsageError for impossible options, Conflict for a port that is in use; then nothing has been changed.
    """
    from cfroute.foundation import machine

    home.create()
    with _alone(home):
        stored = _load(home)
        options = merge(stored.options if stored else Options(), given)
        secrets = keeping.load_or_create(home)
        if given.nats is not None:
            secrets = msgspec.structs.replace(secrets, external_nats=nats_urls(given.nats)[1])
        if given.routing_database is not None:
            secrets = msgspec.structs.replace(secrets, routing_database_password=database_url(given.routing_database)[1])
        foundation = _plan(home, options, secrets, stored.plan if stored else None)
        machine.check(foundation.plan.listeners(options.not_ours))
        warnings = () if "load_balancer" in options.not_ours else machine.check_some(foundation.plan.tcp_listeners())
        if given.nats is not None or given.routing_database is not None:
            keeping.store(home, secrets)
        _write(foundation, _now(clock))
    return msgspec.structs.replace(foundation, warnings=tuple(warnings))


def remembered(home: Home) -> dict[str, Any] | None:
    """What the last `cfroute up` has written down for people; None before the first. Raises ConfigurationError."""
    if _load(home) is None:
        return None
    document: dict[str, Any] = msgspec.json.decode(home.foundation.read_bytes())
    return {key: value for key, value in document.items() if key != "plan"}


def check(home: Home, given: Given) -> None:
    """Raise UsageError when these options are impossible, together with the remembered ones."""
    stored = _load(home)
    merge(stored.options if stored else Options(), given)


def _now(clock: Clock | None) -> float:
    return (clock or SystemClock()).now()


def _plan(home: Home, options: Options, secrets: Secrets, last: Plan | None) -> Foundation:
    from cfroute.foundation.machine import LocalMachine

    plan = planning.make(options, str(home.root.resolve()), LocalMachine(), last)
    return Foundation(home, options, plan, secrets)


def _write(foundation: Foundation, now: float) -> None:
    from cfroute.foundation import configs, identities

    home, options, plan = foundation.home, foundation.options, foundation.plan
    identities.ensure(home, options, plan, now)
    configs.write(home, options, plan, foundation.secrets)
    document = {
        **foundation.info(),
        "components": foundation.component_names,
        "options": options,
        "plan": plan,
    }
    write_secretly(home.foundation, msgspec.json.format(msgspec.json.encode(document)) + b"\n")


def _complete(home: Home) -> bool:
    """Whether the files that work without a running foundation are there, and the secrets that they were made with.

    A foundation that is up keeps its files: those of its components that are started again have to agree with the others.
    """
    needed = (home.config / "cloud_controller_ng.yml", home.signing_key, home.verification_key, home.ca, home.components_ca)
    return all(path.exists() for path in needed) and (home.secrets.exists() or locks.is_held(home))


def _load(home: Home) -> _Stored | None:
    if not home.foundation.exists():
        return None
    try:
        return msgspec.json.decode(home.foundation.read_bytes(), type=_Stored)
    except (OSError, msgspec.MsgspecError) as error:
        raise ConfigurationError(
            f"{home.foundation} cannot be read: {error}", "delete it: it only remembers the options of the last `cfroute up`"
        ) from error


@contextlib.contextmanager
def _alone(home: Home) -> Iterator[None]:
    """Two commands at once must not both make the secrets."""
    with open(home.run / "prepare.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
