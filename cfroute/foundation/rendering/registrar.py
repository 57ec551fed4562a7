"""The route registrar, which tells the routers where the system's own parts are."""

from typing import Final

from cfroute.foundation.rendering.basis import Basis, Document

_ROUTES: Final = {
    "api": ("CloudController", ("api",)),
    "uaa": ("uaa", ("uaa", "login")),
    "log-cache": ("log-cache", ("log-cache",)),
}
"""By name: the component that the metrics are tagged with, and the hosts. One address answers for all of them."""

SYSTEM_HOSTS: Final = tuple(host for _, hosts in _ROUTES.values() for host in hosts)
"""Hosts of the system's domain that no app may have."""


def route_registrar(basis: Basis) -> Document:
    user, password = basis.nats_login()
    login = {"user": user, "password": password}
    return {
        "message_bus_servers": [{"host": f"{host}:{port}", **login} for host, port in basis.nats_hosts()],
        "host": basis.plan.api.address,
        "routes": [
            {
                "name": name,
                "port": basis.plan.api.port,
                "uris": [f"{host}.{basis.options.domain}" for host in hosts],
                "tags": {"component": component},
                "registration_interval": "20s",
            }
            for name, (component, hosts) in _ROUTES.items()
        ],
        "cfroute": {
            "health_address": str(basis.listener("cloud_controller/0", "route_registrar")),
            "answer_router_start": True,
        },
    }
