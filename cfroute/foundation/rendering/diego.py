"""BBS, Locket, cells, and the emitters of their routes."""

from cfroute.foundation.plan import VM, Listener
from cfroute.foundation.rendering.basis import Basis, Document


def bbs(basis: Basis) -> Document:
    vm = basis.plan.vms["diego_database/0"]
    return {
        "address": vm.address,
        "port": vm.ports["bbs"],
        "health_port": vm.ports["health"],
        **basis.identity("bbs"),
        "ca": str(basis.home.components_ca),
        "database": str(basis.home.databases / "bbs.sqlite"),
        "cloud_controller_url": f"https://{basis.plan.vms['cloud_controller/0'].listener('internal')}",
        **basis.client_identity("bbs"),
    }


def cell(basis: Basis, index: int, vm: VM) -> Document:
    return {
        "cell_id": f"diego_cell/{index}",
        "address": vm.address,
        "health_port": vm.ports["rep"],
        "bbs_url": basis.bbs_url,
        "ca": str(basis.home.components_ca),
        **basis.client_identity("cell"),
        "directory": str(basis.home.cells / str(index)),
        "app_logs": str(basis.home.app_logs),
        "availability_zone": "z1",
        "resolver": basis.resolver(),
        "system_ca": str(basis.home.trusted),
        "port_range": list(vm.instance_ports),
        "memory_mb": 65536,  # nobody takes it away: it is what may be promised
        "instance_identity_ca_path": str(basis.home.instance_identity_ca),
        "instance_identity_private_key_path": str(basis.home.key(basis.home.instance_identity_ca.stem)),
        "instance_identity_validity_period": 86_400,
        "enable_container_proxy": basis.options.route_integrity,
        "container_proxy_require_and_verify_client_certificates": True,
        "container_proxy_trusted_ca_certs": [str(basis.home.ca)],
    }


def locket(basis: Basis) -> Document:
    return {
        "listen_address": str(basis.listener("diego_database/0", "locket")),
        "ca_file": str(basis.home.components_ca),
        "cert_file": str(basis.home.certificate("locket")),
        "key_file": str(basis.home.key("locket")),
        "database_driver": "sqlite",
        "database_connection_string": str(basis.home.databases / "locket.sqlite"),
        "log_level": "info",
    }


def route_emitter(basis: Basis, index: int, vm: VM) -> Document:
    """The emitter of one cell: HTTP routes to NATS, TCP routes to the Routing API."""
    user, password = basis.nats_login()
    return {
        **_emitter(basis, f"diego_cell/{index}", vm.listener("route_emitter")),
        "cell_id": f"diego_cell/{index}",
        "jitter_factor": 0.005,
        "nats_addresses": ",".join(f"{host}:{port}" for host, port in basis.nats_hosts()),
        "nats_password": password,
        "nats_username": user,
        "register_direct_instance_routes": False,
        "route_emitting_workers": 20,
        "unregistration_interval": "30s",
        "unregistration_send_count": 20,
    }


def tcp_emitter(basis: Basis) -> Document:
    """The global emitter, of TCP routes alone; it works while it holds the lock."""
    certificate, key = basis.locket_client("route_emitter")
    return {
        **_emitter(basis, "diego_brain/0", basis.listener("diego_brain/0", "tcp_emitter")),
        "locket_enabled": True,
        "locket_address": basis.locket_address,
        "locket_ca_cert_file": basis.locket_ca,
        "locket_client_cert_file": certificate,
        "locket_client_key_file": key,
        "cfroute": {"tcp_only": True},
    }


def _emitter(basis: Basis, uuid: str, health: Listener) -> Document:
    """What both kinds have."""
    identity = basis.client_identity("route_emitter")
    return {
        "uuid": uuid,
        "bbs_address": basis.bbs_url,
        "bbs_ca_cert_file": str(basis.home.components_ca),
        "bbs_client_cert_file": identity["client_certificate"],
        "bbs_client_key_file": identity["client_key"],
        "communication_timeout": "30s",
        "healthcheck_address": str(health),
        "locket_session_name": "route-emitter",
        "log_level": "info",
        "sync_interval": "60s",
        **_tcp(basis),
    }


def _tcp(basis: Basis) -> Document:
    if not basis.has_routing_api:
        return {}
    url, port = basis.routing_api_place
    files = basis.routing_api_files("ca_cert_file", "client_cert_file", "client_key_file")
    return {
        "enable_tcp_emitter": True,
        "tcp_enable_tls": basis.options.route_integrity,
        "tcp_route_ttl": "120s",
        "routing_api": {"url": url, "port": port, "auth_enabled": True, **files},
        "oauth": {
            "uaa_url": basis.uaa_url,
            "client_name": "tcp_emitter",
            "client_secret": basis.client_secret("tcp_emitter"),
            "ca_certs": basis.uaa_ca,
            "skip_cert_verify": False,
            "uaa_request_timeout": "10s",
        },
    }
