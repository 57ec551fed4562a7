"""The configuration file of every component, rendered from the plan and the secrets.

Each is exactly what the component reads when it is run alone; `gorouter-N.yml` and `route_emitter-N.json` have the keys of
the upstream components (gorouter.yml with the values that its BOSH job renders), so that the real ones can read them too.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from cfroute.foundation.options import Options
from cfroute.foundation.plan import PUBLIC_ADDRESS, VM, Plan
from cfroute.foundation.secrets import Secrets
from cfroute.home import Home, file_name, write_secretly
from cfroute.nats import server

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
    "cloud_controller": ("cloud_controller.admin", "routing.router_groups.read"),
    "gorouter": ("routing.routes.read",),
    "routing_api_client": ("routing.routes.write", "routing.routes.read", "routing.router_groups.read"),
    "tcp_emitter": ("routing.routes.write", "routing.routes.read"),
    "tcp_router": ("routing.routes.read", "routing.router_groups.read"),
}
ORGANIZATION, SPACE, ADMIN = "local", "dev", "admin"
_SYSTEM_HOSTS = ("api", "login", "uaa", "log-cache")

Document = dict[str, Any]


class Renderer:
    """Renders the files of one foundation."""

    def __init__(self, home: Home, options: Options, plan: Plan, secrets: Secrets) -> None:
        self._home = home
        self._options = options
        self._plan = plan
        self._secrets = secrets

    def files(self) -> Iterator[tuple[str, str]]:
        """Name and text of each file in `config/`."""
        yield "uaa.yml", _yaml(self.uaa())
        yield "cloud_controller_ng.yml", _yaml(self.cloud_controller())
        yield "bbs.yml", _yaml(self.bbs())
        yield "load_balancer.yml", _yaml(self.load_balancer())
        for index, vm in self._plan.named("nats"):
            login = (self._secrets.nats_user, self._secrets.nats_password)
            yield "nats.conf", server.render(f"nats/{index}", vm.address, vm.ports["nats"], *login)
        for index, vm in self._plan.named("router"):
            yield f"gorouter-{index}.yml", _yaml(self.gorouter(index, vm))
        for index, vm in self._plan.named("diego_cell"):
            yield f"rep-{index}.yml", _yaml(self.cell(index, vm))
            yield f"route_emitter-{index}.json", _json(self.route_emitter(index, vm))

    def uaa(self) -> Document:
        listener = self._plan.vms["uaa/0"].listener("tls")
        return {
            "address": listener.address,
            "port": listener.port,
            **self._identity("uaa"),
            "issuer": self._issuer(),
            "database": str(self._home.databases / "uaa.sqlite"),
            "signing_key": str(self._home.signing_key),
            "access_token_validity": 1200,
            "refresh_token_validity": 2_592_000,
            "clients": self._clients(),
            "users": [
                {"name": ADMIN, "password": self._secrets.admin_password, "generated": True, "groups": list(_CF_SCOPES)},
            ],
        }

    def _clients(self) -> Document:
        ours = {
            name: {
                "secret": self._secrets.uaa_clients[name],
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
        }
        return {"cf": cf, **ours}

    def cloud_controller(self) -> Document:
        vm = self._plan.vms["cloud_controller/0"]
        internal, metron = vm.listener("internal"), vm.listener("metron")
        identity = self._identity("cloud_controller")
        return {
            "external_address": self._plan.api.address,
            "external_port": self._plan.api.port,
            "internal_address": internal.address,
            "internal_port": internal.port,
            "metron_address": metron.address,
            "metron_port": metron.port,
            "internal_certificate": identity["certificate"],
            "internal_key": identity["key"],
            "ca": str(self._home.components_ca),
            **self._client_identity("cloud_controller"),
            "database": str(self._home.databases / "ccdb.sqlite"),
            "blobs": str(self._home.blobs),
            "app_logs": str(self._home.app_logs),
            "domain": self._options.domain,
            "tcp_domain": self._options.tcp_domain,
            "external_url": f"http://{self._plan.api}",
            "organization": ORGANIZATION,
            "space": SPACE,
            "uaa_ca": str(self._home.ca),
            "uaa_url": f"https://{self._plan.vms['uaa/0'].listener('tls')}",
            "uaa_issuer": self._issuer(),
            "uaa_public_key": str(self._home.verification_key),
            "bbs_url": self._bbs_url(),
            "admin_user": ADMIN,
            "system_hosts": list(_SYSTEM_HOSTS),
        }

    def bbs(self) -> Document:
        vm = self._plan.vms["diego_database/0"]
        return {
            "address": vm.address,
            "port": vm.ports["bbs"],
            "health_port": vm.ports["health"],
            **self._identity("bbs"),
            "ca": str(self._home.components_ca),
            "database": str(self._home.databases / "bbs.sqlite"),
            "cloud_controller_url": f"https://{self._plan.vms['cloud_controller/0'].listener('internal')}",
            **self._client_identity("bbs"),
        }

    def cell(self, index: int, vm: VM) -> Document:
        return {
            "cell_id": f"diego_cell/{index}",
            "address": vm.address,
            "health_port": vm.ports["rep"],
            "bbs_url": self._bbs_url(),
            "ca": str(self._home.components_ca),
            **self._client_identity("cell"),
            "directory": str(self._home.cells / str(index)),
            "app_logs": str(self._home.app_logs),
            "availability_zone": "z1",
            "resolver": self._resolver(),
            "system_ca": str(self._home.trusted),
            "port_range": list(vm.instance_ports),
            "memory_mb": 8192,
            "instance_identity_ca_path": str(self._home.instance_identity_ca),
            "instance_identity_private_key_path": str(self._home.key(self._home.instance_identity_ca.stem)),
            "instance_identity_validity_period": 86_400,
            "enable_container_proxy": self._options.route_integrity,
            "container_proxy_require_and_verify_client_certificates": True,
            "container_proxy_trusted_ca_certs": [str(self._home.ca)],
        }

    def route_emitter(self, index: int, vm: VM) -> Document:
        identity = self._client_identity("route_emitter")
        user, password = self._nats_login()
        return {
            "bbs_address": self._bbs_url(),
            "bbs_ca_cert_file": str(self._home.components_ca),
            "bbs_client_cert_file": identity["client_certificate"],
            "bbs_client_key_file": identity["client_key"],
            "cell_id": f"diego_cell/{index}",
            "communication_timeout": "30s",
            "healthcheck_address": str(vm.listener("route_emitter")),
            "jitter_factor": 0.005,
            "locket_session_name": "route-emitter",
            "log_level": "info",
            "nats_addresses": ",".join(f"{host}:{port}" for host, port in self._nats_hosts()),
            "nats_password": password,
            "nats_username": user,
            "register_direct_instance_routes": False,
            "route_emitting_workers": 20,
            "sync_interval": "60s",
            "unregistration_interval": "30s",
            "unregistration_send_count": 20,
        }

    def load_balancer(self) -> Document:
        return {
            "address": PUBLIC_ADDRESS,
            "http_port": self._plan.http.port,
            "https_port": self._plan.https.port,
            "status_port": self._plan.load_balancer_status.port,
            **self._identity("load_balancer"),
            "health_check_interval": "1s",
            "gorouters": [
                {"address": vm.address, "port": vm.ports["http"], "status_port": vm.ports["status"]}
                for _, vm in self._plan.named("router")
            ],
        }

    def gorouter(self, index: int, vm: VM) -> Document:
        user, password = self._nats_login()
        return {
            "index": index,
            "zone": "z1",
            "port": vm.ports["http"],
            "status": {
                "port": vm.ports["status"],
                "user": self._secrets.gorouter_status_user,
                "pass": self._secrets.gorouter_status_password,
                "routes": {"port": vm.ports["routes"]},
            },
            "nats": {
                "hosts": [{"hostname": host, "port": port} for host, port in self._nats_hosts()],
                "user": user,
                "pass": password,
            },
            "logging": {
                "level": "info",
                "syslog": "vcap.gorouter",
                "format": {"timestamp": "rfc3339"},
                "loggregator_enabled": True,
                "metron_address": str(self._plan.vms["cloud_controller/0"].listener("metron")),
            },
            # Nobody listens to these: of what metron gets, the log cache takes the lines for the apps.
            "send_http_start_stop_client_event": False,
            "enable_envelope_v1_metrics": False,
            "access_log": {"file": str(self._home.logs / f"{file_name(f'gorouter/{index}')}-access.log")},
            **self._gorouter_tls(vm),
            **self._gorouter_route_services(vm),
            "backends": {**self._pem_pair("gorouter_backends"), "max_attempts": 3, "max_conns": 500},
            **_GOROUTER_BOSH,
            # Long enough for the load balancer to notice; alone, a router only keeps its clients waiting.
            "drain_wait": "2s" if self._options.gorouters > 1 else "0s",
            "cfroute": {
                "address": vm.address,
                "start_delay": "0s",
                "start_when_quiet_for": "300ms",
                "routes_on_status_port": True,
                "public_http_port": self._plan.http.port,
                "public_https_port": self._plan.https.port,
                "resolver": self._resolver(),
            },
        }

    def _gorouter_tls(self, vm: VM) -> Document:
        return {
            "enable_ssl": True,
            "ssl_port": vm.ports["https"],
            "tls_pem": [self._pem_pair("gorouter")],
            "cipher_suites": _CIPHERS,
            "min_tls_version": "TLSv1.2",
            "max_tls_version": "TLSv1.3",
            "client_cert_validation": "request",
            "ca_certs": [self._home.ca.read_text(), self._home.instance_identity_ca.read_text()],
        }

    def _gorouter_route_services(self, vm: VM) -> Document:
        return {
            "route_services_secret": self._secrets.route_services_secret,
            "route_services_timeout": "60s",
            "route_services_recommend_https": True,
            "route_services_internal_server_port": vm.ports["route_services"],
            "route_services": {"max_attempts": 3},
        }

    def _identity(self, name: str) -> Document:
        return {"certificate": str(self._home.certificate(name)), "key": str(self._home.key(name))}

    def _pem_pair(self, name: str) -> Document:
        return {"cert_chain": self._home.certificate(name).read_text(), "private_key": self._home.key(name).read_text()}

    def _client_identity(self, name: str) -> Document:
        return {f"client_{key}": path for key, path in self._identity(name).items()}

    def _issuer(self) -> str:
        return f"https://uaa.{self._options.domain}/oauth/token"

    def _bbs_url(self) -> str:
        return f"https://{self._plan.vms['diego_database/0'].listener('bbs')}"

    def _nats_hosts(self) -> list[tuple[str, int]]:
        external = [urlsplit(url) for url in self._options.nats]
        ours = [(vm.address, vm.ports["nats"]) for _, vm in self._plan.named("nats")]
        return [(url.hostname or "", url.port or 0) for url in external] or ours

    def _nats_login(self) -> tuple[str, str]:
        if self._options.nats:
            return self._secrets.external_nats.user, self._secrets.external_nats.password
        return self._secrets.nats_user, self._secrets.nats_password

    def _resolver(self) -> list[Document]:
        """Where names of our domains really are: with the port that a URL leaves out, and with the public one in it."""
        moved = [(80, self._plan.http), (443, self._plan.https)]
        moved += [(listener.port, listener) for _, listener in moved if listener.port not in {80, 443}]
        return [
            {"name": name, "port": port, "address": listener.address, "to_port": listener.port}
            for name in (f"*.{self._options.domain}", self._options.domain)
            for port, listener in moved
        ]


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


def write(home: Home, options: Options, plan: Plan, secrets: Secrets) -> None:
    """Write every file that is new or different, and remove those of components that are gone."""
    rendered = dict(Renderer(home, options, plan, secrets).files())
    for name, text in rendered.items():
        path = home.config / name
        if not _holds(path, text):
            write_secretly(path, text.encode())
    for path in home.config.iterdir():
        if path.name not in rendered:
            path.unlink()


def _holds(path: Path, text: str) -> bool:
    return path.exists() and path.read_text() == text


def _yaml(document: Document) -> str:
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text = yaml.dump(document, Dumper=dumper, sort_keys=False, default_flow_style=False, allow_unicode=True, width=1000)
    return f"# Written by `cfroute up`; changes are lost.\n{text}"


def _json(document: Document) -> str:
    return msgspec.json.format(msgspec.json.encode(document)).decode() + "\n"
