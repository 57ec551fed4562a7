"""What the routers have in their tables, asked over the network, with the names that the Cloud Controller knows."""

import contextlib
from collections.abc import Callable
from typing import Any, NamedTuple

import httpx

from cfroute.cli.access.api import Resource
from cfroute.cli.routes import tcp_table
from cfroute.cli.routes.routing_table import Row, matching, rows
from cfroute.cli.routes.tcp_table import Known, Owner
from cfroute.cli.session import Session
from cfroute.errors import CfrouteError

TIMEOUT = 1.0  # seconds for one router's answer
NAMES_EVERY = 5.0  # seconds between two questions for names that are not known


class Look(NamedTuple):
    """One look at all routers; `silent` names those that did not answer."""

    rows: list[Row]
    silent: list[str]


class Routers:
    """Asks Gorouters and TCP routers for their tables, and the Cloud Controller for the names of apps."""

    def __init__(self, session: Session, *, http: bool = True, tcp: bool = True) -> None:
        from cfroute.foundation import secrets

        kept = secrets.load_or_create(session.home)
        self._session = session
        self._http, self._tcp = http, tcp
        self._login = (kept.gorouter_status_user, kept.gorouter_status_password)
        self._client = httpx.Client(timeout=TIMEOUT, trust_env=False)
        self._names: dict[str, str] = {}
        self._known = Known()
        self._asked = {"http": float("-inf"), "tcp": float("-inf")}
        self._last: dict[str, list[Row]] = {}

    def look(self, pattern: str | None) -> Look:
        """The rows that match. Of a router that does not answer, those of the last time it did."""
        # Asked for each time: a foundation that was started anew may have other addresses.
        info = self._session.foundation.info()
        silent = self._look_http(info) if self._http else []
        silent += self._look_tcp(info) if self._tcp else []
        return Look(matching((row for each in self._last.values() for row in each), pattern), silent)

    def _look_http(self, info: Resource) -> list[str]:
        tables, silent = self._tables("gorouter", info["gorouter_routes"], self._login)
        for name, table in tables.items():
            self._learn_apps(table)
            self._last[name] = rows(table, self._names)
        return silent

    def _look_tcp(self, info: Resource) -> list[str]:
        tables, silent = self._tables("tcp_router", info.get("tcp_router_status") or [], None)
        if ports := self._known.unknown_ports(tables.values()):
            self._when_due("tcp", lambda: self._learn_tcp(ports))
        for name, table in tables.items():
            self._last[name] = tcp_table.rows({**table, "name": name}, self._known, info["tcp_domain"])
        return silent

    def _tables(self, kind: str, bases: list[str], login: tuple[str, str] | None) -> tuple[dict[str, Any], list[str]]:
        """The answers by the routers' names, and who does not answer."""
        tables, silent = {}, []
        for number, base in enumerate(bases):
            name = f"{kind}/{number}"
            try:
                answer = self._client.get(f"{base}/cfroute/table", auth=login or httpx.USE_CLIENT_DEFAULT)
                tables[name] = answer.raise_for_status().json()
            except httpx.HTTPError:
                silent.append(name)
        return tables, silent

    def _learn_apps(self, table: dict[str, Any]) -> None:
        guids = {endpoint["app"] for route in table["routes"] for endpoint in route["endpoints"]}
        unknown = sorted(guid for guid in guids - self._names.keys() if guid)
        if unknown:
            self._when_due("http", lambda: self._names.update(self._app_names(unknown)))

    def _when_due(self, kind: str, learn: Callable[[], None]) -> None:
        now = self._session.clock.monotonic()
        if now - self._asked[kind] < NAMES_EVERY:
            return
        self._asked[kind] = now
        # The table is most wanted while something is broken: without names it still shows everything.
        with contextlib.suppress(CfrouteError):
            learn()

    def _learn_tcp(self, ports: set[int]) -> None:
        routes = self._resources("/v3/routes", ports=[str(port) for port in sorted(ports)])
        self._known.urls |= {route["port"]: route["url"] for route in routes}
        processes = {(d["app"]["guid"], d["app"]["process"]["type"]) for route in routes for d in route["destinations"]}
        names = self._app_names(sorted({app for app, _ in processes})) if processes else {}
        for app, process in sorted(processes):
            for instance in self._resources(f"/v3/apps/{app}/processes/{process}/stats"):
                self._learn_instance(instance, Owner(app, names.get(app, ""), str(instance["index"])))

    def _learn_instance(self, instance: Resource, owner: Owner) -> None:
        if "instance_guid" in instance:  # else it does not run
            ports = (port["external"] for port in instance["instance_ports"])
            keys = [instance["instance_guid"], *(f"{instance['host']}:{port}" for port in ports)]
            self._known.owners |= dict.fromkeys(keys, owner)

    def _app_names(self, guids: list[str]) -> dict[str, str]:
        return {app["guid"]: app["name"] for app in self._resources("/v3/apps", guids=guids)}

    def _resources(self, path: str, **query: list[str]) -> list[Resource]:
        asked = {**query, "per_page": 5000} if query else {}
        found: list[Resource] = self._session.api.call("GET", path, query=asked, timeout=TIMEOUT).json()["resources"]
        return found
