"""The router's TLS contexts: in front, towards backends, towards route services, and towards itself."""

import ssl
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cfroute.gorouter.ciphers import openssl_string
from cfroute.gorouter.config import Config

_VERSIONS = {
    "": ssl.TLSVersion.TLSv1_2,
    "TLSv1.0": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}


def lazily(make: Callable[[], ssl.SSLContext]) -> Callable[[], ssl.SSLContext]:
    """A context that is made when it is first needed: reading the system's roots takes milliseconds and megabytes."""
    return cache(make)


def backend_context(config: Config) -> ssl.SSLContext:
    """Towards TLS endpoints."""
    return _client_context(config, config.backends.cert_chain, config.backends.private_key)


def service_context(config: Config) -> ssl.SSLContext:
    """Towards route services."""
    return _client_context(config, config.route_services.cert_chain, config.route_services.private_key)


def _client_context(config: Config, chain: str, key: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.hostname_checks_common_name = False  # Go looks at the alternative names only
    context.minimum_version = _VERSIONS[config.min_tls_version]
    for pem in config.ca_certs:
        if pem:
            context.load_verify_locations(cadata=pem)
    if config.skip_ssl_validation:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if chain and key:  # half a pair is ignored, as upstream does
        load_pair(context, chain, key)
    return context


def front_context(config: Config) -> ssl.SSLContext:
    """For the TLS listener: the first certificate, and the others by the name that the client asks for."""
    contexts = [_front(config, pair.cert_chain, pair.private_key) for pair in config.tls_pem]
    names = [_names(pair.cert_chain) for pair in config.tls_pem]

    def choose(connection: ssl.SSLObject, name: str | None, first: ssl.SSLContext) -> None:
        if name:
            connection.context = contexts[best_match(name.lower(), names)]

    contexts[0].sni_callback = choose
    return contexts[0]


def _front(config: Config, chain: str, key: str) -> ssl.SSLContext:
    context = _server(config)
    context.set_alpn_protocols(["http/1.1"])
    load_pair(context, chain, key)
    if config.client_cert_validation in ("request", "require"):
        required = config.client_cert_validation == "require"
        context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
        if not config.only_trust_client_ca_certs:
            context.load_default_certs(ssl.Purpose.CLIENT_AUTH)
        if config.client_ca_certs:
            context.load_verify_locations(cadata=config.client_ca_certs)
    return context


def status_context(config: Config) -> ssl.SSLContext:
    """For the TLS health listener: versions and ciphers are those of the front."""
    context = _server(config)
    load_pair(context, config.status.tls.certificate, config.status.tls.key)
    return context


def _server(config: Config) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[config.min_tls_version]
    context.maximum_version = _VERSIONS[config.max_tls_version]
    if config.cipher_suites:
        context.set_ciphers(openssl_string(config.cipher_suites))
    return context


def best_match(name: str, certificates: list[list[str]]) -> int:
    """Which certificate serves `name`: an exact name wins over a wildcard of one label, that over the first certificate."""
    wildcard = "*." + name.partition(".")[2]
    for wanted in (name, wildcard):
        for position, names in enumerate(certificates):
            if wanted in names:
                return position
    return 0


def _names(chain: str) -> list[str]:
    from cryptography import x509

    certificate = x509.load_pem_x509_certificate(chain.encode())
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return [name.lower() for name in extension.value.get_values_for_type(x509.DNSName)]


def load_pair(context: ssl.SSLContext, chain: str, key: str) -> None:
    """Load a certificate and its key from text; OpenSSL only reads files, so they are there for a moment."""
    with tempfile.TemporaryDirectory(prefix="cfroute-") as folder:  # 0700
        chain_file, key_file = Path(folder, "chain.pem"), Path(folder, "key.pem")
        chain_file.write_text(chain)
        key_file.touch(mode=0o600)
        key_file.write_text(key)
        context.load_cert_chain(chain_file, key_file)


def internal_pair(now: float) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Server and client context for the router's way to itself: mutual TLS with a certificate that nobody else has."""
    chain, key = _self_signed(datetime.fromtimestamp(now, UTC))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for context in (server, client):
        load_pair(context, chain, key)
        context.load_verify_locations(cadata=chain)
        context.verify_mode = ssl.CERT_REQUIRED
    return server, client


INTERNAL_NAME = "gorouter-internal-route-service"


def _self_signed(now: datetime) -> tuple[str, str]:
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
