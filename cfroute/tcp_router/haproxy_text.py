"""The configuration file of HAProxy: its beginning is given, the frontends and backends follow, byte for byte as upstream's."""

from collections.abc import Iterable, Iterator

from cfroute.tcp_router.config import BackendTls
from cfroute.tcp_router.frontends import Frontend, Server


def render(base: bytes, frontends: Iterable[Frontend], tls: BackendTls, address: str = "") -> bytes:
    """The whole file. `address` is where ports are opened; empty means everywhere."""
    parts = []
    for frontend in sorted(frontends):
        parts.append(_stanza(_frontend(frontend, address)))
        parts += [_stanza(_backend(frontend.port, name, servers, tls)) for name, servers in frontend.pools]
    return base + "".join(parts).encode()


def backend_name(port: int, name: str) -> str:
    """What HAProxy calls the servers of a port and server name."""
    return f"backend_{port}_{name}" if name else f"backend_{port}"


def server_name(server: Server) -> str:
    """What HAProxy calls a server."""
    return f"server_{server.host}_{server.port}"


def _stanza(lines: Iterable[str]) -> str:
    return "\n" + "\n".join(lines) + "\n"


def _frontend(frontend: Frontend, address: str) -> Iterator[str]:
    yield f"frontend frontend_{frontend.port}"
    yield "  mode tcp"
    yield f"  bind {address}:{frontend.port}"
    if frontend.has_names:
        yield "  tcp-request inspect-delay 5s"
        yield "  tcp-request content accept if { req.ssl_hello_type gt 0 }"
    for name, _ in frontend.pools:
        backend = backend_name(frontend.port, name)
        yield f"  use_backend {backend} if {{ req.ssl_sni {name} }}" if name else f"  default_backend {backend}"


def _backend(port: int, name: str, servers: Iterable[Server], tls: BackendTls) -> Iterator[str]:
    yield f"backend {backend_name(port, name)}"
    yield "  mode tcp"
    for server in servers:
        line = f"  server {server_name(server)} {server.host}:{server.port}"
        if server.tls:
            line += f" ssl verify required verifyhost {server.instance_id} ca-file {tls.ca_cert_path}"
            line += f" crt {tls.client_cert_and_key_path}" if tls.client_cert_and_key_path else ""
        yield line
