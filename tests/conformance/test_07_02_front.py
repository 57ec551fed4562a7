"""The TLS listener: certificates, versions, suites, protocols, and what is said of handshakes that fail (spec 7.2, 4.3)."""

import re
import socket
import ssl

import pytest

from ..ports import free_port
from ..waiting import eventually
from .conftest import DEADLINE, Response
from .identities import Authority, client_context, connect, exchange, refusal

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
SUITES = "ECDHE-ECDSA-AES128-GCM-SHA256:TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384:ECDHE-RSA-RC4-SHA"


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture(scope="module")
def pairs(authority):
    return [
        authority.issue("first.test", "twice.test").pair,
        authority.issue("*.wild.test", "twice.test").pair,
        authority.issue("exact.wild.test").pair,
        authority.issue("rsa.test", with_rsa=True).pair,
    ]


@pytest.fixture(scope="module")
def tls_router(shared_nats, tmp_path_factory, pairs):
    """A router with what BOSH sets."""
    from .conftest import Router

    port = free_port()
    settings = {"enable_ssl": True, "ssl_port": port, "tls_pem": pairs, "client_cert_validation": "request"}
    router = Router(tmp_path_factory.mktemp("tls"), shared_nats, {**settings, "cipher_suites": SUITES})
    router.ssl_port = port
    yield router
    assert router.stop() == 0


def stderr_line(router, text):
    """A line of Go's log package that matches, with the client's port."""
    pattern = re.compile(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d " + text + "$", re.MULTILINE)
    return eventually(lambda: pattern.search(router.output.read_text()), text)


def shown(port, name, **settings):
    """The first alternative name of the certificate that a client is shown."""
    context = client_context(**settings)
    with connect(port, context, name) as client:
        der = client.getpeercert(binary_form=True)
    from cryptography import x509

    names = x509.load_der_x509_certificate(der).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return names.get_values_for_type(x509.DNSName)[0]


@pytest.mark.statement("7.2", "the certificate is chosen by SNI: an exact name before a wildcard before the first pair")
@pytest.mark.parametrize(
    ("name", "certificate"),
    [
        ("first.test", "first.test"),
        ("EXACT.wild.test", "exact.wild.test"),
        ("other.wild.test", "*.wild.test"),
        ("two.labels.wild.test", "first.test"),
        ("unknown.test", "first.test"),
        (None, "first.test"),
        ("twice.test", "*.wild.test"),
    ],
)
def test_the_certificate_is_that_of_the_name(tls_router, name, certificate):
    assert shown(tls_router.ssl_port, name) == certificate


@pytest.mark.statement("7.2", "the Host header is not compared with the name of the handshake")
def test_host_and_server_name_may_differ(tls_router, backend):
    app = backend()
    tls_router.register("host.test", app)
    with connect(tls_router.ssl_port, client_context(), "first.test") as client:
        assert exchange(client, "host.test").startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"X-Forwarded-Proto: https\r\n" in app.seen[0]


@pytest.mark.statement("7.2", "versions: by default 1.2 only")
def test_the_default_version(tls_router):
    with connect(tls_router.ssl_port, client_context()) as client:
        assert client.version() == "TLSv1.2"
    assert refusal(tls_router.ssl_port, client_context(minimum_version=V13)) == "TLSV1_ALERT_PROTOCOL_VERSION"
    text = r"tls: client offered only unsupported versions: \[304\]"
    stderr_line(tls_router, rf"http: TLS handshake error from 127\.0\.0\.1:\d+: {text}")


@pytest.mark.statement("7.2", "cipher suites by the names of Go and of OpenSSL; others are refused")
@pytest.mark.parametrize(
    ("name", "offer", "taken"),
    [
        ("first.test", "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"),
        ("rsa.test", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384"),
        ("first.test", "ECDHE-ECDSA-AES256-GCM-SHA384", None),
        ("rsa.test", "ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA", None),
    ],
)
def test_suites(tls_router, name, offer, taken):
    context = client_context(ciphers=offer)
    if taken is None:
        assert refusal(tls_router.ssl_port, context, name) == "SSLV3_ALERT_HANDSHAKE_FAILURE"
        text = "tls: no cipher suite supported by both client and server"
        stderr_line(tls_router, rf"http: TLS handshake error from 127\.0\.0\.1:\d+: {text}")
    else:
        with connect(tls_router.ssl_port, context, name) as client:
            assert client.cipher()[0] == taken


@pytest.mark.statement("7.2", "suites that only Go still has are accepted")
def test_lost_suites_are_told(tls_router):
    assert tls_router.log("cipher-suites-not-available") == [{"cipher_suites": ["ECDHE-RSA-RC4-SHA"]}]


@pytest.mark.statement("7.2", "ALPN: http/1.1 is offered; a client without it is served; one with something else only is refused")
@pytest.mark.parametrize(("offer", "taken"), [([], None), (["http/1.1"], "http/1.1"), (["spdy/3", "http/1.1"], "http/1.1")])
def test_protocols(tls_router, offer, taken):
    context = client_context(alpn=offer) if offer else client_context()
    with connect(tls_router.ssl_port, context) as client:
        assert client.selected_alpn_protocol() == taken


@pytest.mark.statement("7.2", "a client that only offers unknown protocols gets the alert no_application_protocol")
def test_unknown_protocols(tls_router):
    assert refusal(tls_router.ssl_port, client_context(alpn=["spdy/3", "x"])) == "TLSV1_ALERT_NO_APPLICATION_PROTOCOL"
    text = r'tls: client requested unsupported application protocols \(\["spdy/3" "x"\]\)'
    stderr_line(tls_router, rf"http: TLS handshake error from 127\.0\.0\.1:\d+: {text}")


@pytest.mark.statement("4.3", "plain HTTP on the TLS port is told so")
@pytest.mark.parametrize("begin", [b"GET /", b"POST /", b"HEAD /", b"PUT /", b"OPTIONS *"])
def test_plain_http(tls_router, begin):
    with tls_router.connect(tls_router.ssl_port) as client:
        client.sendall(begin + b" HTTP/1.1\r\nHost: a.test\r\n\r\n")
        received = b"".join(iter(lambda: client.recv(1000), b""))
    assert received == b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"


@pytest.mark.statement("7.2", "handshake problems are told on stderr: who did not speak TLS, who hung up, who sent an alert")
@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"SSH-2.0-x\r\n", "tls: first record does not look like a TLS handshake"),
        (b"", "EOF"),
        (b"\x16\x03\x01", "EOF"),
        (b"PROXY TCP4 1.1.1.1 2.2.2.2 3 4\r\n", "tls: first record does not look like a TLS handshake"),
    ],
)
def test_no_handshake(tls_router, sent, reason):
    with tls_router.connect(tls_router.ssl_port) as client:
        port = client.getsockname()[1]
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1000) == b""
    stderr_line(tls_router, rf"http: TLS handshake error from 127\.0\.0\.1:{port}: {reason}")


@pytest.mark.statement("7.2", "a client that does not believe our certificate is told of on stderr")
def test_a_client_that_refuses_us(tls_router):
    context = ssl.create_default_context()
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(tls_router.ssl_port, context, "first.test")
    text = "remote error: tls: (bad certificate|unknown certificate authority)"
    stderr_line(tls_router, rf"http: TLS handshake error from 127\.0\.0\.1:\d+: {text}")


@pytest.mark.statement("7.2", "renegotiation is refused, sessions can be resumed, and the connection ends with a farewell")
def test_sessions(tls_router, backend):
    tls_router.register("session.test", backend())
    context = client_context()
    with connect(tls_router.ssl_port, context) as client:
        answer = exchange(client, "session.test")  # reads to the end without an error: close_notify came
        session = client.session
    assert answer.endswith(b"ok")
    with (
        socket.create_connection(("127.0.0.1", tls_router.ssl_port), DEADLINE) as connection,
        context.wrap_socket(connection, session=session) as client,
    ):
        assert client.session_reused
        assert exchange(client, "session.test").endswith(b"ok")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.statement("7.2", "max_tls_version TLSv1.3 and min_tls_version TLSv1.0 widen what is spoken")
def test_other_versions(start, backend, pairs):
    port = free_port()
    settings = {"enable_ssl": True, "ssl_port": port, "tls_pem": pairs[-1:], "client_cert_validation": "none"}
    suites = "AES128-SHA:ECDHE-RSA-AES128-SHA"
    router = start(**settings, cipher_suites=suites, min_tls_version="TLSv1.0", max_tls_version="TLSv1.3")
    app = backend()
    router.register("versions.test", app)
    for version in ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"):
        number = getattr(ssl.TLSVersion, version.replace(".", "_"))
        context = client_context(ciphers="ALL:@SECLEVEL=0", minimum_version=ssl.TLSVersion.TLSv1, maximum_version=number)
        with connect(port, context) as client:
            assert client.version() == version
            assert Response.parse(exchange(client, "versions.test")).status == 200


@pytest.mark.statement("7.2", "without enable_http2 no protocol is negotiated, and none refused; a lost suite lets nobody in")
def test_without_http2(start, pairs):
    port = free_port()
    settings = {"enable_ssl": True, "ssl_port": port, "tls_pem": pairs, "client_cert_validation": "none", "enable_http2": False}
    router = start(**settings, cipher_suites="RC4-SHA", max_tls_version="TLSv1.3")
    with connect(port, client_context(alpn=["h2", "x"])) as client:
        assert client.selected_alpn_protocol() is None
        assert client.version() == "TLSv1.3"
    assert refusal(port, client_context(maximum_version=V12)) == "SSLV3_ALERT_HANDSHAKE_FAILURE"
    assert router.log("cipher-suites-not-available") == [{"cipher_suites": ["RC4-SHA"]}]
