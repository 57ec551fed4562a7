"""Gorouters and the load balancer."""

from pathlib import Path

from cfroute.foundation.plan import PUBLIC_ADDRESS, VM
from cfroute.foundation.rendering.basis import Basis, Document
from cfroute.home import file_name

_CIPHERS = "ECDHE-RSA-AES128-GCM-SHA256:TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384:ECDHE-ECDSA-AES128-GCM-SHA256"
_HOP_BY_HOP = (
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "B3",
    "X-B3",
    "X-B3-SpanID",
    "X-B3-TraceID",
    "X-Request-Start",
    "X-Forwarded-Client-Cert",
)
# What the BOSH job of Gorouter renders where an operator decides nothing, as far as it is not the binary's own default.
_GOROUTER_BOSH: Document = {
    "balancing_algorithm": "round-robin",
    "disable_keep_alives": False,
    "max_idle_conns": 100,
    "max_idle_conns_per_host": 100,
    "prune_stale_droplets_interval": "30s",
    "droplet_stale_threshold": "120s",
    "start_response_delay_interval": "20s",
    "route_latency_metric_muzzle_duration": "30s",
    "suspend_pruning_if_nats_unavailable": True,
    "empty_pool_response_code_503": True,
    "endpoint_timeout": "900s",
    "endpoint_dial_timeout": "5s",
    "tls_handshake_timeout": "5s",
    "drain_timeout": "900s",
    "forwarded_client_cert": "always_forward",
    "hop_by_hop_headers_to_filter": list(_HOP_BY_HOP),
    "trace_key": "22",
}


def load_balancer(basis: Basis) -> Document:
    return {
        "address": PUBLIC_ADDRESS,
        "http_port": basis.plan.http.port,
        "https_port": basis.plan.https.port,
        "status_port": basis.plan.load_balancer_status.port,
        **basis.identity("load_balancer"),
        "health_check_interval": "1s",
        "gorouters": [
            {"address": vm.address, "port": vm.ports["http"], "status_port": vm.ports["status"]}
            for _, vm in basis.plan.named("router")
        ],
        **_tcp(basis),
    }


def _tcp(basis: Basis) -> Document:
    """TCP connections are spread over the TCP routers, but where the only one listens on the public address itself."""
    if basis.plan.tcp_ports is None or basis.plan.single_address:
        return {}
    return {
        "tcp": {
            "address": PUBLIC_ADDRESS,
            "ports": basis.reservable_ports,
            "routers": [
                {"address": vm.address, "health": f"http://{vm.listener('health')}/health"}
                for _, vm in basis.plan.named("tcp_router")
            ],
        }
    }


def gorouter(basis: Basis, index: int, vm: VM) -> Document:
    user, password = basis.nats_login()
    return {
        "index": index,
        "zone": "z1",
        "port": vm.ports["http"],
        "status": {
            "port": vm.ports["status"],
            "user": basis.secrets.gorouter_status_user,
            "pass": basis.secrets.gorouter_status_password,
            "routes": {"port": vm.ports["routes"]},
        },
        "nats": {
            "hosts": [{"hostname": host, "port": port} for host, port in basis.nats_hosts()],
            "user": user,
            "pass": password,
        },
        "logging": {
            "level": "info",
            "syslog": "vcap.gorouter",
            "format": {"timestamp": "rfc3339"},
            "loggregator_enabled": True,
            "metron_address": str(basis.listener("cloud_controller/0", "metron")),
        },
        # Nobody listens to these: of what metron gets, the log cache takes the lines for the apps.
        "send_http_start_stop_client_event": False,
        "enable_envelope_v1_metrics": False,
        "access_log": {"file": str(basis.home.logs / f"{file_name(f'gorouter/{index}')}-access.log")},
        **_tls(basis, vm),
        **_routing_api(basis),
        **_route_services(basis, vm),
        "backends": {**basis.pem_pair("gorouter_backends"), "max_attempts": 3, "max_conns": 500},
        **_GOROUTER_BOSH,
        # Long enough for the load balancer to notice; alone, a router only keeps its clients waiting.
        "drain_wait": "2s" if basis.options.gorouters > 1 else "0s",
        "cfroute": {
            "address": vm.address,
            "start_delay": "0s",
            "start_when_quiet_for": "300ms",
            "start_without_routing_api": basis.has_routing_api,
            "routes_on_status_port": True,
            "public_http_port": basis.plan.http.port,
            "public_https_port": basis.plan.https.port,
            "resolver": basis.resolver(),
        },
    }


def _tls(basis: Basis, vm: VM) -> Document:
    return {
        "enable_ssl": True,
        "ssl_port": vm.ports["https"],
        "tls_pem": [basis.pem_pair("gorouter")],
        "cipher_suites": _CIPHERS,
        "min_tls_version": "TLSv1.2",
        "max_tls_version": "TLSv1.3",
        "client_cert_validation": "request",
        "ca_certs": [basis.home.ca.read_text(), basis.home.instance_identity_ca.read_text()],
    }


def _route_services(basis: Basis, vm: VM) -> Document:
    return {
        "route_services_secret": basis.secrets.route_services_secret,
        "route_services_timeout": "60s",
        "route_services_recommend_https": True,
        "route_services_internal_server_port": vm.ports["route_services"],
        "route_services": {"max_attempts": 3},
    }


def _routing_api(basis: Basis) -> Document:
    """The second source of routes: those that were registered at the Routing API."""
    if not basis.has_routing_api:
        return {}
    uri, port = basis.routing_api_place
    home = basis.home
    ours = home.routing_api_ca, home.certificate("routing_api_client"), home.key("routing_api_client")
    theirs = Path(basis.options.external_ca), *basis.external_pair
    # A real Gorouter does not start without them, even if it is to use plain HTTP.
    authority, certificate, key = theirs if basis.routing_api_wants_mtls else ours
    return {
        "routing_api": {
            "uri": uri,
            "port": port,
            "auth_disabled": False,
            "ca_certs": authority.read_text(),
            "cert_chain": certificate.read_text(),
            "private_key": key.read_text(),
        },
        "oauth": {**basis.uaa_place, "client_name": "gorouter", "client_secret": basis.client_secret("gorouter")},
        "token_fetcher_retry_interval": "1s",
    }
