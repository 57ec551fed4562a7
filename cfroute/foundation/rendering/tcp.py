"""Routing APIs and TCP routers."""

from urllib.parse import unquote, urlsplit

from cfroute.foundation.plan import VM
from cfroute.foundation.rendering.basis import ROUTER_GROUP, Basis, Document

_DATABASE_KINDS = {"mysql": "mysql", "postgres": "postgres", "postgresql": "postgres"}
_DATABASE_PORTS = {"mysql": 3306, "postgres": 5432}


def routing_api(basis: Basis, index: int, vm: VM) -> Document:
    """Several of them listen at the same place, one at a time: who holds the lock."""
    place = basis.plan.vms["routing_api/0"]
    certificate, key = basis.locket_client("routing_api_locket")
    return {
        "api": {
            "http_enabled": True,
            "listen_port": place.ports["http"],
            "mtls_listen_port": place.ports["mtls"],
            "mtls_client_ca_file": str(basis.home.routing_api_ca),
            "mtls_server_cert_file": str(basis.home.certificate("routing_api")),
            "mtls_server_key_file": str(basis.home.key("routing_api")),
        },
        "admin_port": vm.ports["admin"],
        "debug_address": str(vm.listener("debug")),
        "log_guid": "routing_api",
        "max_ttl": "120s",
        "metrics_reporting_interval": "30s",
        "statsd_client_flush_interval": "10s",
        "oauth": basis.uaa_place,
        "router_groups": [{"name": ROUTER_GROUP, "type": "tcp", "reservable_ports": basis.reservable_ports}],
        "sqldb": _database(basis),
        "system_domain": basis.options.domain,
        "uuid": f"routing_api/{index}",
        "retry_interval": "1s",
        "locket": {
            "locket_address": basis.locket_address,
            "locket_ca_cert_file": basis.locket_ca,
            "locket_client_cert_file": certificate,
            "locket_client_key_file": key,
        },
        "cfroute": {
            "address": place.address,
            "admin_address": vm.address,
            "update_router_groups": True,
            "leave_at_once": True,
        },
    }


def _database(basis: Basis) -> Document:
    url = urlsplit(basis.options.routing_database)
    if url.scheme in {"", "sqlite"}:
        return {"type": "sqlite", "schema": url.path.removeprefix("/") or str(basis.home.databases / "routing_api.sqlite")}
    kind = _DATABASE_KINDS[url.scheme]
    return {
        "type": kind,
        "schema": url.path.removeprefix("/"),
        "host": url.hostname,
        "port": url.port or _DATABASE_PORTS[kind],
        "username": unquote(url.username or ""),
        "password": basis.secrets.routing_database_password,
    }


def tcp_router(basis: Basis, index: int, vm: VM) -> Document:
    uri, port = basis.routing_api_place
    files = basis.routing_api_files("ca_cert_path", "client_cert_path", "client_private_key_path")
    return {
        "oauth": {**basis.uaa_place, "client_name": "tcp_router", "client_secret": basis.client_secret("tcp_router")},
        "routing_api": {"uri": uri, "port": port, "auth_disabled": False, **files},
        # Long enough for the load balancer to notice; alone, a router only keeps its clients waiting.
        "drain_wait": "2s" if basis.options.tcp_routers > 1 else "0s",
        "backend_tls": {
            "enabled": basis.options.route_integrity,
            "ca_cert_path": str(basis.home.instance_identity_ca),
            "client_cert_and_key_path": str(basis.home.pair("tcp_router_backends")),
        },
        "cfroute": {
            "name": f"tcp_router/{index}",
            "address": vm.address,
            "health_address": vm.address,
            "health_port": vm.ports["health"],
            "exact_sync": True,
        },
    }
