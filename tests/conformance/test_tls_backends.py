"""TLS towards endpoints: whom the router believes, and what it does with the others (checklist point 14)."""

import socket
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

NAME = "instance-guid"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


class Authority:
    """Signs certificates."""

    def __init__(self, name):
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        ca = x509.BasicConstraints(ca=True, path_length=None)
        signed = self._certificate(self._name, self._key, 20).add_extension(ca, critical=True).sign(self._key, hashes.SHA256())
        self.pem = signed.public_bytes(serialization.Encoding.PEM).decode()

    def _certificate(self, subject, key, days):
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=30))
            .not_valid_after(now + timedelta(days=days))
        )

    def issue(self, folder, names, days=1):
        """Files with a certificate for these names, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
        builder = self._certificate(subject, key, days)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        pem = serialization.Encoding.PEM
        folder.mkdir(exist_ok=True)
        (folder / "c.pem").write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(pem))
        (folder / "k.pem").write_bytes(
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        return folder / "c.pem", folder / "k.pem"


@pytest.fixture(scope="module")
def authority():
    return Authority("an authority")


@pytest.fixture
def router(start, authority):
    return start(ca_certs=[authority.pem], empty_pool_response_code_503=True, empty_pool_timeout="1m")


def serving(backend, files, client_ca=""):
    """A backend that speaks TLS; with `client_ca` it wants a certificate from the router."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=client_ca)

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(65536)
            secured.sendall(ANSWER)

    return backend(serve)


def plain(connection: socket.socket) -> None:
    """A backend that takes a TLS hello for HTTP."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def register(router, host, app):
    router.register(host, app, tls_port=app.port, server_cert_domain_san=NAME, private_instance_id=NAME)


def test_the_right_instance(router, backend, authority, tmp_path):
    register(router, "right.test", serving(backend, authority.issue(tmp_path / "a", [NAME])))
    assert [router.get("right.test").status for _ in range(2)] == [200, 200]
    assert router.routes()["right.test"][0]["tls"] is True


WRONG = {
    "expired": (526, "Invalid SSL Certificate", lambda make, ours, folder: serving(make, ours.issue(folder, [NAME], days=-1))),
    "untrusted": (526, "Invalid SSL Certificate", lambda make, ours, folder: serving(make, Authority("x").issue(folder, [NAME]))),
    "another instance": (503, "Service Unavailable", lambda make, ours, folder: serving(make, ours.issue(folder, ["another"]))),
    "no alternative name": (503, "Service Unavailable", lambda make, ours, folder: serving(make, ours.issue(folder, []))),
    "not TLS": (525, "SSL Handshake Failed", lambda make, ours, folder: make(plain)),
    "wants a certificate": (
        496,
        "SSL Certificate Required",
        lambda make, ours, folder: serving(make, ours.issue(folder, [NAME]), client_ca=ours.pem),
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_others_are_taken_out(router, backend, authority, tmp_path, case):
    status, reason, make = WRONG[case]
    register(router, "wrong.test", make(backend, authority, tmp_path / "b"))
    answer = router.get("wrong.test")
    assert (answer.status, answer.body.decode()) == (status, f"{status} {reason}\n")
    assert answer["X-Cf-Routererror"].startswith("endpoint_failure (")
    assert router.log("prune-failed-endpoint")
    answer = router.get("wrong.test")
    assert (answer.status, answer["X-Cf-Routererror"]) == (503, "no_endpoints")
