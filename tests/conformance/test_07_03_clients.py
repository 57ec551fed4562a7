"""Client certificates in front, the rules for them, and what of them reaches the app (spec 7.3, 7.4, 4.6 item 1)."""

import base64
import re
import ssl

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from ..ports import free_port
from ..waiting import eventually
from .conftest import Router
from .identities import Authority, client_context, connect, exchange, refusal, subject

V12 = ssl.TLSVersion.TLSv1_2
XFCC = re.compile(rb"X-Forwarded-Client-Cert: (.*)\r\n")
HEADER = "X-Forwarded-Client-Cert: sent by the client"


@pytest.fixture(scope="module")
def authority():
    return Authority("clients", organization="acme", country="DE")


@pytest.fixture(scope="module")
def stranger():
    return Authority("strangers")


@pytest.fixture(scope="module")
def make(shared_nats, tmp_path_factory, authority):
    """Makes routers for the tests of this module; the same settings give the same one."""
    made = {}

    def router(**settings):
        key = repr(settings)
        if key not in made:
            port = free_port()
            own = {
                "enable_ssl": True,
                "ssl_port": port,
                "tls_pem": [authority.issue("front.test").pair],
                "cipher_suites": "ECDHE-ECDSA-AES128-GCM-SHA256",
                "max_tls_version": "TLSv1.3",
                "client_cert_validation": "request",
                "client_ca_certs": authority.pem,
                "only_trust_client_ca_certs": True,
                **settings,
            }
            made[key] = Router(tmp_path_factory.mktemp("clients"), shared_nats, own)
            made[key].ssl_port = port
        return made[key]

    yield router
    assert {one.stop() for one in made.values()} == {0}


VERSIONS = pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])


def at_most(version, identity=None):
    return client_context(identity, maximum_version=getattr(ssl.TLSVersion, version))


def served(router, context, backend, host, *headers):
    """What the app saw of a request."""
    app = backend()
    router.register(host, app)
    with connect(router.ssl_port, context) as client:
        assert exchange(client, host, *headers).startswith(b"HTTP/1.1 200 OK")
    router.unregister(host, app)
    eventually(lambda: host not in router.routes(), "the end of the route")
    return app.seen[0]


# Validation


@VERSIONS
@pytest.mark.statement("7.3", "request: a client without a certificate is let in, and so is one with a good one")
def test_request_lets_in(make, backend, authority, version):
    for identity in (None, authority.issue("client.test")):
        served(make(), at_most(version, identity), backend, "request.test")


@VERSIONS
@pytest.mark.statement("7.3", "request: a bad certificate fails the handshake; the client gets an alert that says why")
def test_request_refuses(make, authority, stranger, version):
    router = make()
    assert refusal(router.ssl_port, at_most(version, stranger.issue("client.test"))) == "TLSV1_ALERT_UNKNOWN_CA"
    assert refusal(router.ssl_port, at_most(version, authority.issue("c.test", days=-1))) == "SSLV3_ALERT_CERTIFICATE_EXPIRED"
    output = eventually(lambda: "expired or is not" in (text := router.output.read_text()) and text, "the lines on stderr")
    prefix = r"http: TLS handshake error from 127\.0\.0\.1:\d+: tls: failed to verify certificate: x509: "
    assert re.search(prefix + "certificate signed by unknown authority", output)
    assert re.search(prefix + "certificate has expired or is not yet valid", output)


@pytest.mark.statement("7.3", "require: a client without a certificate is refused")
@pytest.mark.parametrize(
    ("version", "alert"), [("TLSv1_2", "SSLV3_ALERT_BAD_CERTIFICATE"), ("TLSv1_3", "TLSV13_ALERT_CERTIFICATE_REQUIRED")]
)
def test_require(make, backend, authority, version, alert):
    router = make(client_cert_validation="require")
    assert refusal(router.ssl_port, at_most(version)) == alert
    eventually(lambda: "tls: client didn't provide a certificate" in router.output.read_text(), "the line on stderr")
    served(router, at_most(version, authority.issue("client.test")), backend, "require.test")


@pytest.mark.statement("7.3", "none: no certificate is asked for")
def test_none(make, backend, stranger):
    router = make(client_cert_validation="none", forwarded_client_cert="sanitize_set")
    seen = served(router, client_context(stranger.issue("client.test")), backend, "none.test", HEADER)
    assert not XFCC.search(seen)


@pytest.mark.statement("7.3", "system roots are trusted beside client_ca_certs unless only_trust_client_ca_certs")
def test_system_roots(start, backend, authority, stranger, monkeypatch, tmp_path):
    (tmp_path / "roots.pem").write_text(stranger.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "roots.pem"))
    port = free_port()
    router = start(
        enable_ssl=True,
        ssl_port=port,
        tls_pem=[authority.issue("front.test").pair],
        cipher_suites="ECDHE-ECDSA-AES128-GCM-SHA256",
        client_cert_validation="require",
        client_ca_certs=authority.pem,
    )
    router.ssl_port = port
    for one in (authority, stranger):
        served(router, client_context(one.issue("client.test")), backend, "roots.test")
    assert refusal(port, client_context(Authority("nobody's").issue("client.test"))) == "TLSV1_ALERT_UNKNOWN_CA"


@pytest.mark.statement("7.3", "of a certificate's extended usages, client authentication must be one; it need not have any")
@pytest.mark.parametrize(
    ("usages", "accepted"),
    [
        ([], True),
        ([ExtendedKeyUsageOID.CLIENT_AUTH], True),
        ([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH], True),
        ([ExtendedKeyUsageOID.SERVER_AUTH], False),
    ],
)
def test_extended_usages(make, backend, authority, usages, accepted):
    router, context = make(), client_context(authority.issue("client.test", usages=usages))
    if accepted:
        served(router, context, backend, "usages.test")
    else:
        assert "ALERT" in refusal(router.ssl_port, context)
        text = "x509: certificate specifies an incompatible key usage"
        eventually(lambda: text in router.output.read_text(), "the line on stderr")


# The header


@pytest.mark.statement("4.6", "always_forward: X-Forwarded-Client-Cert is passed on as it came, whatever the connection is")
def test_always_forward(make, backend, authority):
    for identity in (None, authority.issue("client.test")):
        assert XFCC.search(served(make(), client_context(identity), backend, "a.test", HEADER))[1] == b"sent by the client"


@pytest.mark.statement("4.6", "forward: the header is removed unless the client has shown a certificate on this connection")
def test_forward(make, backend, authority):
    router = make(forwarded_client_cert="forward")
    assert not XFCC.search(served(router, client_context(), backend, "f.test", HEADER))
    seen = served(router, client_context(authority.issue("client.test")), backend, "f.test", HEADER)
    assert XFCC.search(seen)[1] == b"sent by the client"


@pytest.mark.statement("4.6", "sanitize_set: the header is replaced by the client's certificate, its DER in base64, or removed")
def test_sanitize_set(make, backend, authority):
    router, identity = make(forwarded_client_cert="sanitize_set"), authority.issue("client.test")
    assert not XFCC.search(served(router, client_context(), backend, "s.test", HEADER))
    context = client_context(identity, maximum_version=V12)
    app = backend()
    router.register("s.test", app)
    with connect(router.ssl_port, context) as client:
        exchange(client, "s.test", HEADER)
        session = client.session
    with context.wrap_socket(router.connect(router.ssl_port), session=session) as client:  # a resumed session knows it as well
        assert client.session_reused
        exchange(client, "s.test")
    expected = base64.b64encode(identity.certificate.public_bytes(Encoding.DER))
    assert [XFCC.search(seen)[1] for seen in app.seen] == [expected, expected]


@pytest.mark.statement("4.6", "on a plain connection, forward and sanitize_set remove the header")
@pytest.mark.parametrize("mode", ["forward", "sanitize_set"])
def test_plain(make, backend, mode):
    router, app = make(forwarded_client_cert=mode), backend()
    router.register(f"{mode.replace('_', '-')}.plain.test", app)
    assert router.get(f"{mode.replace('_', '-')}.plain.test", "/", HEADER).status == 200
    assert not XFCC.search(app.seen[0])


# Rules

ALLOWED = {"organization": ["acme"], "organizational_unit": ["one", "two"], "common_name": "lb"}


@pytest.fixture
def ruled(make, authority, stranger):
    rules = [
        {
            "issuer_in_chain": {"country": ["DE"], "organization": ["acme"], "common_name": "clients"},
            "valid_cert_subjects": [ALLOWED, {"common_name": "other"}],
        }
    ]
    return make(
        enable_verify_client_certificate_metadata=True,
        verify_client_certificate_metadata=rules,
        client_ca_certs=authority.pem + stranger.pem,
    )


@VERSIONS
@pytest.mark.statement("7.4", "under a CA with a rule, a client comes in whose whole subject is one of those that are allowed")
def test_allowed_subjects(ruled, backend, authority, version):
    for name in (subject(**ALLOWED), subject(common_name="other")):
        served(ruled, at_most(version, authority.issue("c.test", name=name)), backend, "ruled.test")


@pytest.mark.statement("7.4", "another subject fails the handshake: the alert bad certificate, a warning, a line on stderr")
@pytest.mark.parametrize(
    "attributes",
    [
        {"common_name": "lb"},
        {"organization": "acme", "organizational_unit": ["two", "one"], "common_name": "lb"},
        {"common_name": "Other"},
    ],
)
def test_other_subjects(ruled, authority, attributes):
    before = len(ruled.log("invalid-subject"))
    identity = authority.issue("c.test", name=subject(**attributes))
    assert refusal(ruled.ssl_port, at_most("TLSv1_2", identity)) == "SSLV3_ALERT_BAD_CERTIFICATE"
    eventually(lambda: len(ruled.log("invalid-subject")) > before, "the warning")
    text = "subject not in the list of allowed subjects for CA Subject CN=clients,O=acme,C=DE"
    eventually(lambda: text in ruled.output.read_text(), "the line on stderr")


@pytest.mark.statement("7.4", "with TLS 1.3, too, a client with another subject gets no answer")
def test_other_subjects_with_new_tls(ruled, authority):
    identity = authority.issue("c.test", name=subject(common_name="x"))
    assert "HTTP" not in refusal(ruled.ssl_port, at_most("TLSv1_3", identity))


@VERSIONS
@pytest.mark.statement("7.4", "clients under other CAs, and those without a certificate, are not the rules' concern")
def test_others(ruled, backend, stranger, version):
    for identity in (None, stranger.issue("c.test", name=subject(common_name="whoever"))):
        served(ruled, at_most(version, identity), backend, "others.test")
