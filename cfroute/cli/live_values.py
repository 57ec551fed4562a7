"""What arguments are completed with: live values from the foundation, in a bounded time, and silence on failure."""

import contextlib
import functools
import re
import threading
from collections.abc import Callable, Iterable
from typing import Any

import click
from click.shell_completion import CompletionItem

from cfroute.cli.catalog import ALIASES, DAEMONS, ENTRIES
from cfroute.cli.foundation.component_names import FIRST
from cfroute.cli.session import Session

WITHIN = 1.0  # seconds: a round trip or four to an API far away; who waits longer types it himself


def items(kind: str, context: click.Context, incomplete: str) -> list[CompletionItem]:
    """Completions for one word of a command line; `kind` is a key of LOOKS, or several with `-or-` between."""
    session = context.find_object(Session) or Session()
    session.quiet = True
    found: list[str] = []
    for one in kind.split("-or-"):
        found += _quietly(functools.partial(LOOKS[one], session, context))
    return [CompletionItem(value) for value in sorted(set(found)) if value.startswith(incomplete)]


def _quietly(look: Callable[[], Iterable[str]]) -> list[str]:
    """What `look` finds within WITHIN seconds.

    Whatever goes wrong must not be seen: the user is in the middle of a line, and a message would tear it apart. It looks in
    a thread that is left behind: an exception in its midst, from an alarm, would be an event loop's to report or to lose.
    """
    found: list[str] = []

    def run() -> None:
        with contextlib.suppress(Exception):
            found.extend(look())

    thread = threading.Thread(target=run, name="completion", daemon=True)
    thread.start()
    thread.join(WITHIN)
    return list(found)


Look = Callable[[Session, click.Context], Iterable[str]]


def _known(look: Look) -> Look:
    """Look only where there is an API: pressing TAB is no reason to begin a state folder."""

    @functools.wraps(look)
    def looked(session: Session, context: click.Context) -> Iterable[str]:
        if not (session.home.foundation.exists() or session.settings.api):
            return []
        session.warn = lambda text: None  # type: ignore[method-assign]
        return look(session, context)

    return looked


def _named(path: str, *, of_space: bool = False, key: str = "name", **by: str) -> Look:
    """Names of the resources of a list; `by` has its filters, and the arguments or options that they come from, if typed."""

    @_known
    def look(session: Session, context: click.Context) -> list[str]:
        query: dict[str, Any] = {name: [value] for name, each in by.items() if (value := typed(each, context))}
        if of_space:
            query["space_guids"] = [session.target.space["guid"]]
        return [str(resource[key]) for resource in session.api.list(path, **query)]

    return look


@_known
def _spaces(session: Session, context: click.Context) -> list[str]:
    """Spaces of the org that was typed, or of the targeted one."""
    from cfroute.cli import lookup

    name = typed("org", context)
    org = lookup.org(session.api, name) if name else session.target.org
    return [space["name"] for space in session.api.list("/v3/spaces", organization_guids=[org["guid"]])]


def _app(session: Session, context: click.Context) -> dict[str, Any]:
    """The app that was typed. Raises NotFound."""
    from cfroute.cli import lookup

    return lookup.app(session.api, session.target.space, typed("app_name", context) or "")


def _of_app(path: str, key: str) -> Look:
    """What belongs to the app that was typed."""

    @_known
    def look(session: Session, context: click.Context) -> list[str]:
        app = _app(session, context)
        return [str(each[key]) for each in session.api.list(f"/v3/apps/{app['guid']}/{path}")]

    return look


@_known
def _instances(session: Session, context: click.Context) -> list[str]:
    """Indexes of the instances of an app."""
    app = _app(session, context)
    process = typed("process", context) or "web"
    return [str(each["index"]) for each in session.api.get(f"/v3/apps/{app['guid']}/processes/{process}/stats")["resources"]]


def _of_routes(key: str) -> Look:
    """Hosts or ports of the routes of the space in the domain that was typed, or in all."""

    @_known
    def look(session: Session, context: click.Context) -> list[str]:
        routes = session.api.page("/v3/routes", space_guids=[session.target.space["guid"]], include="domain")
        domains = {domain["guid"]: domain["name"] for domain in routes.included["domains"]}
        wanted = typed("domain", context)
        names = [(route, domains[route["relationships"]["domain"]["data"]["guid"]]) for route in routes.resources]
        return [str(route[key]) for route, name in names if route[key] and wanted in (None, name)]

    return look


def typed(parameter: str, context: click.Context) -> str | None:
    """An argument or option, if it is there already. click leaves all arguments over where an option waits for its value."""
    names = [each.name for each in context.command.params if isinstance(each, click.Argument)]
    return context.params.get(parameter) or dict(zip(names, context.args, strict=False)).get(parameter)


@_known
def _router_groups(session: Session, context: click.Context) -> list[str]:
    return [group["name"] for group in session.api.get("/routing/v1/router_groups")]


@_known
def _keys(session: Session, context: click.Context) -> list[str]:
    """Keys of the service instance that was typed."""
    instances = [typed("service_instance", context)]
    found = session.api.list("/v3/service_credential_bindings", type="key", service_instance_names=instances)
    return [key["name"] for key in found]


def _components(session: Session, context: click.Context) -> Iterable[str]:
    return session.foundation.components() if session.home.foundation.exists() else FIRST


def _samples(session: Session, context: click.Context) -> list[str]:
    from cfroute.cli.apps.samples import names

    return names()


@_known
def _routes(session: Session, context: click.Context) -> list[str]:
    return [re.sub(r":\d+$", "", route["url"]) for route in session.api.list("/v3/routes")]


LOOKS: dict[str, Look] = {
    "app": _named("/v3/apps", of_space=True),
    "broker": _named("/v3/service_brokers"),
    "buildpack": _named("/v3/buildpacks"),
    "domain": _named("/v3/domains"),
    "droplet": _of_app("droplets", "guid"),
    "feature-flag": _named("/v3/feature_flags"),
    "instance": _instances,
    "offering": _named("/v3/service_offerings"),
    "org": _named("/v3/organizations"),
    "org-quota": _named("/v3/organization_quotas"),
    "package": _of_app("packages", "guid"),
    "plan": _named("/v3/service_plans", service_offering_names="service_offering"),
    "process": _of_app("processes", "type"),
    "revision": _of_app("revisions", "version"),
    "service": _named("/v3/service_instances", of_space=True),
    "service-key": _keys,
    "space": _spaces,
    "space-quota": _named("/v3/space_quotas"),
    "stack": _named("/v3/stacks"),
    "user": _named("/v3/users", key="username"),
    "host": _of_routes("host"),
    "port": _of_routes("port"),
    "route": _routes,
    "router-group": _router_groups,
    "component": _components,
    "sample": _samples,
    "command": lambda session, context: [*(name for name in ENTRIES if " " not in name), *ALIASES, *DAEMONS],
}
"""How the values of a kind are found."""
