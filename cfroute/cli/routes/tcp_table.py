"""The tables of the TCP routers as rows of `table`. Plain data in, data out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cfroute.cli.routes.routing_table import Row


@dataclass(frozen=True)
class Owner:
    """The app instance behind a backend: guid and name of the app, index of the instance."""

    app: str = ""
    app_name: str = ""
    index: str = ""


NOBODY = Owner()


@dataclass
class Known:
    """What TCP routers do not know themselves: URLs of routes by their port; instances by their guid, and by `host:port`."""

    urls: dict[int, str] = field(default_factory=dict)
    owners: dict[str, Owner] = field(default_factory=dict)

    def unknown_ports(self, tables: Iterable[Mapping[str, Any]]) -> set[int]:
        """The ports of routes of which something is not known."""
        return {
            route["port"]
            for table in tables
            for route in table["routes"]
            if route["port"] not in self.urls or any(self.owner(each) is NOBODY for each in route["backends"])
        }

    def owner(self, backend: Mapping[str, Any]) -> Owner:
        """Whose backend it is; an instance's guid is surer than its address, which another one may have had before."""
        guid = backend["instance_id"]
        return self.owners.get(guid or address(backend), NOBODY)


def address(backend: Mapping[str, Any]) -> str:
    return f"{backend['host']}:{backend['port']}"


def rows(table: Mapping[str, Any], known: Known, domain: str) -> list[Row]:
    """The rows of one TCP router's answer; a port that the Cloud Controller has no route for is shown in `domain`."""
    return [_row(table, route, backend, known, domain) for route in table["routes"] for backend in route["backends"]]


def _row(table: Mapping[str, Any], route: Mapping[str, Any], backend: Mapping[str, Any], known: Known, domain: str) -> Row:
    url = known.urls.get(route["port"], f"{domain}:{route['port']}")
    owner = known.owner(backend)
    return Row(
        router=table["name"],
        route=f"{url} (SNI {route['sni']})" if route["sni"] else url,
        address=address(backend),
        app=owner.app,
        app_name=owner.app_name,
        index=owner.index,
        instance_id=backend["instance_id"],
        protocol="tcp",
        tls=backend["tls_port"] > 0,
        age=backend["age"],
        refreshed=backend["age"],
        prune_in=backend["expires_in"],
        route_service_url="",
        availability_zone="",
        isolation_segment="",
        failed_for=None,
        connections=backend["connections"],
        requests=backend["total"],
        rate=0.0,
        errors=backend["errors"],
        bytes_in=backend["bytes_in"],
        bytes_out=backend["bytes_out"],
    )
