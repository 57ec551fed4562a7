"""What arguments are completed with: live values from the foundation, in a bounded time, and silence on failure."""

import functools
import re
import signal
from collections.abc import Callable, Iterable
from types import FrameType

import click
from click.shell_completion import CompletionItem

from cfroute.cli.catalog import ALIASES, DAEMONS, ENTRIES
from cfroute.cli.session import Session
from cfroute.errors import TimedOut

WITHIN = 0.4  # seconds: more would be felt at the prompt

# Of a foundation that has never been started: the names that the first one will have.
COMPONENTS = ("load_balancer", "gorouter/0", "nats", "route_emitter/0", "cell/0", "bbs", "cloud_controller", "uaa")


def items(kind: str, context: click.Context, incomplete: str) -> list[CompletionItem]:
    """Completions for one word of a command line; `kind` is a key of KINDS, or several with `-or-` between."""
    session = context.find_object(Session) or Session()
    found: list[str] = []
    for one in kind.split("-or-"):
        found += _quietly(functools.partial(KINDS[one], session, context))
    return [CompletionItem(value) for value in sorted(set(found)) if value.startswith(incomplete)]


def _quietly(look: Callable[[], Iterable[str]]) -> list[str]:
    """What `look` finds within WITHIN seconds.

    Whatever goes wrong must not be seen: the user is in the middle of a line, and a message would tear it apart.
    """
    previous = signal.signal(signal.SIGALRM, _too_late)
    signal.setitimer(signal.ITIMER_REAL, WITHIN)
    try:
        return list(look())
    except Exception:
        return []
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _too_late(number: int, frame: FrameType | None) -> None:
    raise TimedOut("no completion in time")


def _named(path: str, *, of_space: bool = False) -> Callable[[Session, click.Context], list[str]]:
    def look(session: Session, context: click.Context) -> list[str]:
        if not session.home.foundation.exists():
            return []  # nothing has been made here yet, and pressing TAB is no reason to begin
        session.warn = lambda text: None  # type: ignore[method-assign]
        where = {"space_guids": [session.target.space["guid"]]} if of_space else {}
        return [resource["name"] for resource in session.api.list(path, **where)]

    return look


def _hosts(session: Session, context: click.Context) -> list[str]:
    """Hosts of the routes in the domain that was typed, or of all."""
    if not session.home.foundation.exists():
        return []
    routes = session.api.list("/v3/routes", space_guids=[session.target.space["guid"]])
    domain = _typed("domain", context)
    return [route["host"] for route in routes if route["host"] and (not domain or f".{domain}" in route["url"])]


def _typed(argument: str, context: click.Context) -> str | None:
    """The argument, if it is there already. click leaves all of them over where an option still waits for its value."""
    names = [parameter.name for parameter in context.command.params if isinstance(parameter, click.Argument)]
    return context.params.get(argument) or dict(zip(names, context.args, strict=False)).get(argument)


def _ports(session: Session, context: click.Context) -> list[str]:
    """Ports of the routes in the domain that was typed, or of all."""
    if not session.home.foundation.exists():
        return []
    routes = session.api.list("/v3/routes", space_guids=[session.target.space["guid"]])
    domain = _typed("domain", context)
    return [str(route["port"]) for route in routes if route["port"] and domain in (None, route["url"].rpartition(":")[0])]


def _router_groups(session: Session, context: click.Context) -> list[str]:
    if not session.home.foundation.exists():
        return []
    return [group["name"] for group in session.api.get("/routing/v1/router_groups")]


def _components(session: Session, context: click.Context) -> Iterable[str]:
    return session.foundation.components() if session.home.foundation.exists() else COMPONENTS


def _samples(session: Session, context: click.Context) -> list[str]:
    from cfroute.cli.samples import names

    return names()


def _topics(session: Session, context: click.Context) -> Iterable[str]:
    from cfroute.cli.docs import topics

    return topics()


def _routes(session: Session, context: click.Context) -> list[str]:
    if not session.home.foundation.exists():
        return []
    return [re.sub(r":\d+$", "", route["url"]) for route in session.api.list("/v3/routes")]


KINDS: dict[str, Callable[[Session, click.Context], Iterable[str]]] = {
    "app": _named("/v3/apps", of_space=True),
    "domain": _named("/v3/domains"),
    "service": _named("/v3/service_instances", of_space=True),
    "org": _named("/v3/organizations"),
    "space": _named("/v3/spaces"),
    "host": _hosts,
    "port": _ports,
    "route": _routes,
    "router-group": _router_groups,
    "component": _components,
    "sample": _samples,
    "topic": _topics,
    "command": lambda session, context: [*ENTRIES, *ALIASES, *DAEMONS],
}
