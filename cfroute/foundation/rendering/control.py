"""UAA and Cloud Controller."""

from cfroute.foundation.rendering.basis import ADMIN, ORGANIZATION, ROUTER_GROUP, SPACE, Basis, Document
from cfroute.foundation.rendering.registrar import SYSTEM_HOSTS

# Scopes of the cf CLI's client, and so the groups that the admin user is in.
_CF_SCOPES = (
    "clients.read",
    "cloud_controller.admin",
    "cloud_controller.admin_read_only",
    "cloud_controller.global_auditor",
    "cloud_controller.read",
    "cloud_controller.write",
    "doppler.firehose",
    "network.admin",
    "network.write",
    "openid",
    "password.write",
    "perm.admin",
    "routing.router_groups.read",
    "routing.router_groups.write",
    "scim.read",
    "scim.write",
    "uaa.user",
)
_CLIENT_AUTHORITIES = {
    "cc_routing": ("routing.router_groups.read",),
    "cloud_controller_username_lookup": ("scim.userids",),
    "gorouter": ("routing.routes.read",),
    "routing_api_client": ("routing.routes.write", "routing.routes.read", "routing.router_groups.read"),
    "tcp_emitter": ("routing.routes.write", "routing.routes.read"),
    "tcp_router": ("routing.routes.read", "routing.router_groups.read"),
}
_BROKER_POLL = 2
"""Seconds between two questions how far a service broker has come: upstream's minute is long for somebody who waits."""
_BINDINGS = 5
"""Bindings that an app may have to one service instance, for who asks for several: new credentials beside the old ones."""
_NO_LIMITS = {"memory_limit": -1, "total_routes": -1, "total_reserved_route_ports": -1}
"""On one's own machine nobody shares: who wants to see a limit sets one."""


def uaa(basis: Basis) -> Document:
    listener = basis.plan.vms["uaa/0"].listener("tls")
    return {
        "address": listener.address,
        "port": listener.port,
        **basis.identity("uaa"),
        "issuer": basis.issuer,
        "database": str(basis.home.databases / "uaa.sqlite"),
        "signing_key": str(basis.home.signing_key),
        "clients": _clients(basis),
        "users": [
            {"name": ADMIN, "password": basis.secrets.admin_password, "generated": True, "groups": list(_CF_SCOPES)},
        ],
    }


def _clients(basis: Basis) -> Document:
    ours = {
        name: {
            "secret": basis.client_secret(name),
            "generated": True,
            "authorities": list(authorities),
            "scope": ["uaa.none"],
            "grants": ["client_credentials"],
        }
        for name, authorities in _CLIENT_AUTHORITIES.items()
    }
    cf = {
        "secret": "",
        "generated": True,
        "authorities": ["uaa.none"],
        "scope": list(_CF_SCOPES),
        "grants": ["password", "refresh_token"],
        "access_token_validity": 1200,
        "refresh_token_validity": 2_592_000,
    }
    return {"cf": cf, **ours}


def cloud_controller(basis: Basis) -> Document:
    vm = basis.plan.vms["cloud_controller/0"]
    internal, metron = vm.listener("internal"), vm.listener("metron")
    identity = basis.identity("cloud_controller")
    return {
        "external_address": basis.plan.api.address,
        "external_port": basis.plan.api.port,
        "internal_address": internal.address,
        "internal_port": internal.port,
        "metron_address": metron.address,
        "metron_port": metron.port,
        "internal_certificate": identity["certificate"],
        "internal_key": identity["key"],
        "ca": str(basis.home.components_ca),
        **basis.client_identity("cloud_controller"),
        "database": str(basis.home.databases / "ccdb.sqlite"),
        "blobs": str(basis.home.blobs),
        "app_logs": str(basis.home.app_logs),
        "domain": basis.options.domain,
        **_tcp(basis),
        "external_url": f"http://{basis.plan.api}",
        "organization": ORGANIZATION,
        "space": SPACE,
        "uaa_ca": basis.uaa_ca,
        "uaa_url": basis.uaa_url,
        "uaa_issuer": basis.issuer,
        "uaa_public_key": str(basis.home.verification_key),
        "uaa_client_name": "cloud_controller_username_lookup",
        "uaa_client_secret": basis.client_secret("cloud_controller_username_lookup"),
        "bbs_url": basis.bbs_url,
        "broker_client_default_async_poll_interval_seconds": _BROKER_POLL,
        "max_service_credential_bindings_per_app_service_instance": _BINDINGS,
        "broker_ca": str(basis.home.ca),
        "resolver": basis.resolver(),
        "admin_user": ADMIN,
        "system_hosts": list(SYSTEM_HOSTS),
        "quota_definitions": {"default": _NO_LIMITS},
    }


def _tcp(basis: Basis) -> Document:
    if not basis.has_routing_api:
        return {"tcp_domain": ""}
    return {
        **basis.routing_api_files("routing_api_ca", "routing_api_certificate", "routing_api_key"),
        "tcp_domain": basis.options.tcp_domain,
        "tcp_router_group": ROUTER_GROUP,
        "tcp_reservable_ports": basis.reservable_ports,
        "routing_api_url": basis.routing_api_url,
        "routing_api_client_name": "cc_routing",
        "routing_api_client_secret": basis.client_secret("cc_routing"),
    }
