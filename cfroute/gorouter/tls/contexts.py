"""The router's TLS contexts: towards backends, route services and itself, and what its listeners have in common."""

import ssl
import tempfile
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final

from cfroute.gorouter.config import Config
from cfroute.gorouter.tls import ciphers

_VERSIONS: Final = {
    "": ssl.TLSVersion.TLSv1_2,
    "TLSv1.0": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}
_OLD: Final = ("TLSv1.0", "TLSv1.1")
_NEVER_CHOSEN: Final = "PSK-AES128-GCM-SHA256"  # needs a key that both ends have been given, which ours never is


def lazily(make: Callable[[], ssl.SSLContext]) -> Callable[[], ssl.SSLContext]:
    """A context that is made when it is first needed: reading the system's roots takes milliseconds and megabytes."""
    return cache(make)


def backend_context(config: Config, *, http2: bool = False) -> ssl.SSLContext:
    """Towards TLS endpoints; those that may speak HTTP/2 are offered it, the others nothing at all."""
    context = _client_context(config, config.backends.cert_chain, config.backends.private_key)
    if http2:
        context.set_alpn_protocols(["h2", "http/1.1"])
    return context


def service_context(config: Config) -> ssl.SSLContext:
    """Towards route services."""
    return _client_context(config, config.route_services.cert_chain, config.route_services.private_key)


def _client_context(config: Config, chain: str, key: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.hostname_checks_common_name = False  # Go looks at the alternative names only
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if config.enable_ssl:  # only then does upstream read the keys for versions and suites
        agree(context, config)
    if config.skip_ssl_validation:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        trust(context, [pem for pem in config.ca_certs if pem], ssl.Purpose.SERVER_AUTH)
    if chain and key:  # half a pair is ignored, as upstream does
        load_pair(context, chain, key)
    return context


def trust(context: ssl.SSLContext, authorities: Iterable[str], purpose: ssl.Purpose | None) -> None:
    """Believe certificates under these authorities (PEM) and, with a purpose, under those of the system.

    As in Go, each of them is trusted as it stands, whether it is signed by itself or not.
    """
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if purpose is not None:
        context.load_default_certs(purpose)
    for pem in authorities:
        context.load_verify_locations(cadata=pem)


def status_context(config: Config) -> ssl.SSLContext:
    """For the TLS health listener: versions and ciphers are those of the front."""
    context = server_context(config)
    load_pair(context, config.status.tls.certificate, config.status.tls.key)
    return context


def server_context(config: Config) -> ssl.SSLContext:
    """What all our listeners have in common."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 1  # in TLS 1.3, as Go
    agree(context, config)
    return context


def agree(context: ssl.SSLContext, config: Config) -> None:
    """Set versions and suites. With a lowest version above the highest no handshake succeeds, as in Go."""
    context.minimum_version = _VERSIONS[config.min_tls_version]
    context.maximum_version = _VERSIONS[config.max_tls_version]
    suites = _available(config) if config.cipher_suites else ["DEFAULT"]
    level = ["@SECLEVEL=0"] if config.min_tls_version in _OLD else []  # else OpenSSL has no signatures for these versions
    if config.cipher_suites or level:
        context.set_ciphers(":".join([*(suites or [_NEVER_CHOSEN]), *level]))


def missing_suites(config: Config) -> list[str]:
    """The suites of the configuration that Go would offer to clients and this OpenSSL does not have."""
    if not (config.enable_ssl and config.cipher_suites):
        return []
    available = _available(config)
    return [name for name in ciphers.chosen(config.cipher_suites) if name not in available]


def _available(config: Config) -> list[str]:
    return [name for name in ciphers.chosen(config.cipher_suites) if _is_known(name)]


def _is_known(suite: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).set_ciphers(f"{suite}:@SECLEVEL=0")
    except ssl.SSLError:
        return False
    return True


def load_pair(context: ssl.SSLContext, chain: str, key: str) -> None:
    """Load a certificate and its key from text; OpenSSL only reads files, so they are there for a moment."""
    with tempfile.TemporaryDirectory(prefix="cfroute-") as folder:  # 0700
        chain_file, key_file = Path(folder, "chain.pem"), Path(folder, "key.pem")
        chain_file.write_text(chain)
        key_file.touch(mode=0o600)
        key_file.write_text(key)
        context.load_cert_chain(chain_file, key_file)


Identity = tuple[str, str]
"""A certificate chain and its key, as PEM texts."""


def internal_identity(now: float) -> Identity:
    """A certificate for the router's way to itself, which nobody else has."""
    return _self_signed(datetime.fromtimestamp(now, UTC))


def internal_pair(identity: Identity) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Server and client context for the router's way to itself: mutual TLS in which both show that identity."""
    chain, key = identity
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for context in (server, client):
        load_pair(context, chain, key)
        context.load_verify_locations(cadata=chain)
        context.verify_mode = ssl.CERT_REQUIRED
    return server, client


INTERNAL_NAME = "gorouter-internal-route-service"


def _self_signed(now: datetime) -> Identity:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, INTERNAL_NAME)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(INTERNAL_NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(pem).decode(), private.decode()
