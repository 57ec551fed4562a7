"""What the configuration files have in common: identities, and where everybody is."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cfroute.foundation.options import Options
from cfroute.foundation.plan import Listener, Plan
from cfroute.foundation.secrets import Secrets
from cfroute.home import Home

ORGANIZATION, SPACE, ADMIN = "local", "dev", "admin"
ROUTER_GROUP = "default-tcp"

Document = dict[str, Any]


class Basis:
    """One foundation, as its files are made from it."""

    def __init__(self, home: Home, options: Options, plan: Plan, secrets: Secrets) -> None:
        self.home = home
        self.options = options
        self.plan = plan
        self.secrets = secrets

    # Identities

    def identity(self, name: str) -> Document:
        return {"certificate": str(self.home.certificate(name)), "key": str(self.home.key(name))}

    def client_identity(self, name: str) -> Document:
        return {f"client_{key}": path for key, path in self.identity(name).items()}

    def pem_pair(self, name: str) -> Document:
        return {"cert_chain": self.home.certificate(name).read_text(), "private_key": self.home.key(name).read_text()}

    def client_secret(self, name: str) -> str:
        """That of a client of the UAA."""
        return self.secrets.uaa_clients[name]

    @property
    def external_pair(self) -> tuple[Path, Path]:
        """What is shown to components that run elsewhere, over mutual TLS: certificate and key."""
        return Path(self.options.external_cert), Path(self.options.external_key)

    # Where everybody is

    def listener(self, vm: str, job: str) -> Listener:
        return self.plan.vms[vm].listener(job)

    @property
    def issuer(self) -> str:
        return f"https://uaa.{self.options.domain}/oauth/token"

    @property
    def uaa_url(self) -> str:
        return self.options.uaa or f"https://{self.listener('uaa/0', 'tls')}"

    @property
    def uaa_ca(self) -> str:
        """The file with the authority of the UAA's certificate."""
        return self.options.external_ca if self.options.uaa and self.options.external_ca else str(self.home.ca)

    @property
    def uaa_place(self) -> Document:
        """The UAA as upstream's `oauth` sections name it: a host, and the port of TLS."""
        url = urlsplit(self.uaa_url)
        return {"token_endpoint": url.hostname, "port": url.port, "ca_certs": self.uaa_ca}

    @property
    def bbs_url(self) -> str:
        return f"https://{self.listener('diego_database/0', 'bbs')}"

    @property
    def locket_address(self) -> str:
        return self.options.locket or str(self.listener("diego_database/0", "locket"))

    @property
    def locket_ca(self) -> str:
        return self.options.external_ca if self.options.locket else str(self.home.components_ca)

    def locket_client(self, name: str) -> tuple[str, str]:
        """Certificate and key that this client of Locket shows."""
        ours = self.home.certificate(name), self.home.key(name)
        certificate, key = self.external_pair if self.options.locket else ours
        return str(certificate), str(key)

    @property
    def has_routing_api(self) -> bool:
        """Whether there is one: here, or elsewhere."""
        return self.plan.tcp_ports is not None

    @property
    def reservable_ports(self) -> str:
        """The ports of TCP routes, as a router group has them."""
        first, last = self.plan.tcp_ports or (0, 0)
        return str(first) if first == last else f"{first}-{last}"

    @property
    def routing_api_url(self) -> str:
        """SCHEME://HOST:PORT. Of several Routing APIs, the one that has the lock listens at the place of the first."""
        return self.options.routing_api or f"http://{self.listener('routing_api/0', 'http')}"

    @property
    def routing_api_place(self) -> tuple[str, int]:
        """The URL without its port, and the port."""
        uri, _, port = self.routing_api_url.rpartition(":")
        return uri, int(port)

    @property
    def routing_api_wants_mtls(self) -> bool:
        return self.routing_api_url.startswith("https:")

    def routing_api_files(self, authority: str, certificate: str, key: str) -> dict[str, str]:
        """What mutual TLS with the Routing API takes, by these keys; nothing where it is plain HTTP."""
        if not self.routing_api_wants_mtls:
            return {}
        shown, shown_key = self.external_pair
        return {authority: self.options.external_ca, certificate: str(shown), key: str(shown_key)}

    def nats_hosts(self) -> list[tuple[str, int]]:
        external = [urlsplit(url) for url in self.options.nats]
        ours = [(vm.address, vm.ports["nats"]) for _, vm in self.plan.named("nats")]
        return [(url.hostname or "", url.port or 0) for url in external] or ours

    def nats_login(self) -> tuple[str, str]:
        if self.options.nats:
            return self.secrets.external_nats.user, self.secrets.external_nats.password
        return self.secrets.nats_user, self.secrets.nats_password

    def resolver(self) -> list[Document]:
        """Where names of our domains really are: with the port that a URL leaves out, and with the public one in it."""
        moved = [(80, self.plan.http), (443, self.plan.https)]
        moved += [(listener.port, listener) for _, listener in moved if listener.port not in {80, 443}]
        return [
            {"name": name, "port": port, "address": listener.address, "to_port": listener.port}
            for name in (f"*.{self.options.domain}", self.options.domain)
            for port, listener in moved
        ]
