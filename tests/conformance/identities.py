"""Certificates for tests of TLS: authorities, and whoever they sign; and clients that show them."""

import re
import socket
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID, ObjectIdentifier

from .conftest import DEADLINE

PEM = serialization.Encoding.PEM
ATTRIBUTES = {
    "country": NameOID.COUNTRY_NAME,
    "organization": NameOID.ORGANIZATION_NAME,
    "organizational_unit": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "common_name": NameOID.COMMON_NAME,
}


class Identity:
    """A certificate and its key."""

    def __init__(self, certificate: x509.Certificate, key: Any) -> None:
        self.certificate = certificate
        self.pem = certificate.public_bytes(PEM).decode()
        self.key = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
        self.pair = {"cert_chain": self.pem, "private_key": self.key}

    def load(self, context: ssl.SSLContext) -> ssl.SSLContext:
        with TemporaryDirectory() as folder:
            Path(folder, "both.pem").write_text(self.pem + self.key)
            context.load_cert_chain(Path(folder, "both.pem"))
        return context


def subject(**attributes: str | list[str]) -> x509.Name:
    """A name; an attribute may have several values."""
    parts = []
    for name, values in attributes.items():
        parts += [x509.NameAttribute(ATTRIBUTES[name], value) for value in ([values] if isinstance(values, str) else values)]
    return x509.Name(parts)


class Authority:
    """Signs certificates."""

    def __init__(self, common_name: str = "an authority", **attributes: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.name = subject(**attributes, common_name=common_name)
        certificate = self._builder(self.name, self._key, 30).add_extension(x509.BasicConstraints(True, None), critical=True)
        self.pem = certificate.sign(self._key, hashes.SHA256()).public_bytes(PEM).decode()

    def _builder(self, name: x509.Name, key: Any, days: float) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=60))
            .not_valid_after(now + timedelta(days=days))
        )

    def issue(
        self,
        *names: str,
        days: float = 1,
        name: x509.Name | None = None,
        usages: Sequence[ObjectIdentifier] = (),
        with_rsa: bool = False,
    ) -> Identity:
        """A certificate for these names and addresses (none: without alternative names)."""
        key = rsa.generate_private_key(65537, 2048) if with_rsa else ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(name or subject(common_name=names[0] if names else "nobody"), key, days)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([_general(one) for one in names]), critical=False)
        if usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        return Identity(builder.sign(self._key, hashes.SHA256()), key)


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def client_context(identity: Identity | None = None, **settings: Any) -> ssl.SSLContext:
    """A client that believes everybody, and shows `identity` when it is asked."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    for name, value in settings.items():
        if name == "ciphers":
            context.set_ciphers(value)
        elif name == "alpn":
            context.set_alpn_protocols(value)
        else:
            setattr(context, name, value)
    return identity.load(context) if identity else context


def connect(port: int, context: ssl.SSLContext, server_name: str | None = None, first: bytes = b"") -> ssl.SSLSocket:
    """A TLS connection to the router; `first` is sent before the handshake."""
    connection = socket.create_connection(("127.0.0.1", port), DEADLINE)
    try:
        if first:
            connection.sendall(first)
        return context.wrap_socket(connection, server_hostname=server_name)
    except OSError:
        connection.close()
        raise


def exchange(client: socket.socket, host: str, *headers: str, keep: bool = False) -> bytes:
    """The response to a GET, up to the end of the connection (or, to keep it, as far as it comes at once)."""
    lines = ["GET / HTTP/1.1", f"Host: {host}", *headers, *([] if keep else ["Connection: close"])]
    client.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
    received = b""
    while piece := client.recv(1 << 16):
        received += piece
        if keep:
            break
    return received


def refusal(port: int, context: ssl.SSLContext, server_name: str | None = None) -> str:
    """What OpenSSL calls the alert by which a handshake fails; with TLS 1.3 it may come after it."""
    try:
        with connect(port, context, server_name) as client:
            client.sendall(b"GET / HTTP/1.1\r\n\r\n")
            return f"no refusal, but {client.recv(1000)!r}"
    except ssl.SSLError as error:
        return error.reason or re.sub(r"\[SSL\] | \(.*", "", str(error)).upper().replace(" ", "_")
    except OSError as error:
        return str(error)
