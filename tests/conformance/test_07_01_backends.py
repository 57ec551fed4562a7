"""TLS towards endpoints: whom the router believes, what it shows, and what it says of the others (spec 7.1, 4.7, 5.4)."""

import re
import socket
import ssl
import threading

import pytest

from ..ports import free_port
from .conftest import Router
from .identities import Authority

NAME = "instance-guid"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
V11, V12, V13 = ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
VERIFY = "endpoint_failure (tls: failed to verify certificate: x509: "


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture(scope="module")
def make(shared_nats, tmp_path_factory, authority):
    """Makes routers for the tests of this module; the same settings give the same one."""
    made = {}

    def router(**settings):
        key = repr(settings)
        if key not in made:
            own = {"ca_certs": [authority.pem], "empty_pool_response_code_503": True, "empty_pool_timeout": "1m", **settings}
            made[key] = Router(tmp_path_factory.mktemp("backends"), shared_nats, own)
        return made[key]

    yield router
    assert {one.stop() for one in made.values()} == {0}


class Server:
    """What a backend does with TLS; told is what it saw of the router."""

    def __init__(self, identity, *, client_ca="", **settings):
        self.context = identity.load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        self.names = []
        self.protocols = []
        self.versions = []
        self.certificates = []
        self.targets = []
        self.context.sni_callback = lambda _, name, __: self.names.append(name)
        if client_ca:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(cadata=client_ca)
        for name, value in settings.items():
            if name == "ciphers":
                self.context.set_ciphers(value)
            elif name == "alpn":
                self.context.set_alpn_protocols(value)
            else:
                setattr(self.context, name, value)

    @property
    def requests(self):
        return len(self.targets)

    def __call__(self, connection: socket.socket) -> None:
        try:
            secured = self.context.wrap_socket(connection, server_side=True)
        except ssl.SSLError:
            connection.recv(1000)  # else what the client still sends resets the connection before it has read the alert
            return
        with secured:
            self.protocols.append(secured.selected_alpn_protocol())
            self.versions.append(secured.version())
            self.certificates.append(secured.getpeercert(binary_form=True))
            while request := secured.recv(65536):
                self.targets.append(request.split()[1])
                secured.sendall(ANSWER.replace(b"Connection: close\r\n", b""))


def register(router, host, app, name=NAME, **message):
    router.register(host, app, tls_port=app.port, server_cert_domain_san=name, private_instance_id=NAME, **message)


def fetch(router, backend, server, host, name=NAME, **message):
    """The response to a request that goes to a backend of this kind; the route is gone afterwards."""
    app = backend(server)
    register(router, host, app, name, **message)
    answer = router.get(host)
    router.unregister(host, app)
    return answer


@pytest.mark.statement("4.6", "the absolute form of a target that begins with two slashes is https towards a TLS endpoint")
@pytest.mark.statement("7.1", "an endpoint with tls_port is spoken to in TLS, under server_cert_domain_san, on kept connections")
def test_the_right_instance(make, backend, authority):
    router, server = make(), Server(authority.issue(NAME))
    app = backend(server)
    register(router, "right.test", app)
    assert [router.get("right.test", target).status for target in ("/", "//twice", "/")] == [200, 200, 200]
    assert (server.names, server.requests) == ([NAME], 3)
    assert server.targets == [b"/", b"https://right.test//twice", b"/"]
    assert router.routes()["right.test"][0]["tls"] is True
    router.unregister("right.test", app)


@pytest.mark.statement("7.1", "without server_cert_domain_san the address that is dialled is verified, and no name is asked for")
def test_by_address(make, backend, authority):
    server = Server(authority.issue("127.0.0.1"))
    assert fetch(make(), backend, server, "address.test", "").status == 200
    assert server.names == [None]


@pytest.mark.statement("7.1", "wildcards in certificates cover one label; names are compared without case")
@pytest.mark.parametrize(("name", "status"), [("a.Wild.test", 200), ("a.b.wild.test", 503), ("wild.test", 503)])
def test_wildcards(make, backend, authority, name, status):
    assert fetch(make(), backend, Server(authority.issue("*.wild.test")), f"for-{name}".lower(), name).status == status


@pytest.mark.statement("7.1", "an endpoint with protocol http1 is offered no protocol by ALPN")
def test_no_alpn(make, backend, authority):
    server = Server(authority.issue(NAME), alpn=["h2", "http/1.1"])
    assert fetch(make(), backend, server, "alpn.test").status == 200
    assert server.protocols == [None]


WRONG = {
    "expired": (
        526,
        "Invalid SSL Certificate",
        re.escape(VERIFY) + r"certificate has expired or is not yet valid: current time [-0-9T:Z]+ is after [-0-9T:Z]+\)",
        lambda ours: Server(ours.issue(NAME, days=-1)),
    ),
    "untrusted": (
        526,
        "Invalid SSL Certificate",
        re.escape(VERIFY) + r"certificate signed by unknown authority\)",
        lambda ours: Server(Authority("x").issue(NAME)),
    ),
    "another instance": (
        503,
        "Service Unavailable",
        re.escape(VERIFY) + r"certificate is valid for another, third, not instance-guid\)",
        lambda ours: Server(ours.issue("another", "third")),
    ),
    "another instance of another authority": (
        503,
        "Service Unavailable",
        re.escape(VERIFY) + r"certificate is valid for another, not instance-guid\)",
        lambda ours: Server(Authority("x").issue("another")),
    ),
    "no alternative name": (
        503,
        "Service Unavailable",
        re.escape(VERIFY) + r"certificate is not valid for any names, but wanted to match instance-guid\)",
        lambda ours: Server(ours.issue()),
    ),
    "not TLS": (
        525,
        "SSL Handshake Failed",
        r"endpoint_failure \(tls: first record does not look like a TLS handshake\)",
        lambda ours: plain,
    ),
    "wants a certificate": (
        496,
        "SSL Certificate Required",
        r"endpoint_failure \(remote error: tls: certificate required\)",
        lambda ours: Server(ours.issue(NAME), client_ca=ours.pem),
    ),
    "no suite in common": (
        525,
        "SSL Handshake Failed",
        r"endpoint_failure \(remote error: tls: handshake failure\)",
        lambda ours: Server(ours.issue(NAME), ciphers="ECDHE-RSA-AES128-GCM-SHA256", maximum_version=V12),
    ),
}


def plain(connection: socket.socket) -> None:
    """A backend that takes a TLS hello for HTTP."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.statement("E", "14: TLS that fails: 503, 526, 525 and 496, and the endpoint is out of the pool")
@pytest.mark.statement("4.7", "TLS that fails: 525 no TLS, 503 wrong name, 526 untrusted or expired, 496 wants a certificate")
@pytest.mark.statement("5.3", "a TLS endpoint whose handshake fails is taken out of the pool at once")
@pytest.mark.parametrize("case", WRONG)
def test_others_are_taken_out(make, backend, authority, case):
    router, (status, reason, error, server) = make(), WRONG[case]
    host = case.replace(" ", "-").lower() + ".test"
    pruned = len(router.log("prune-failed-endpoint"))
    answer = fetch(router, backend, server(authority), host)
    assert (answer.status, answer.body.decode()) == (status, f"{status} {reason}\n")
    assert re.fullmatch(error, answer["X-Cf-Routererror"])
    assert len(router.log("prune-failed-endpoint")) == pruned + 1
    answer = router.get(host)
    assert (answer.status, answer["X-Cf-Routererror"]) == (503, "no_endpoints")


@pytest.mark.statement("7.1", "a common name is no alternative name")
def test_common_names_do_not_count(make, backend, authority):
    from .identities import subject

    answer = fetch(make(), backend, Server(authority.issue(name=subject(common_name=NAME))), "common.test")
    assert answer.status == 503
    assert answer["X-Cf-Routererror"] == VERIFY + "certificate relies on legacy Common Name field, use SANs instead)"


@pytest.mark.statement("7.1", "the router shows backends.cert_chain to those who ask")
def test_client_certificate(make, backend, authority):
    ours = authority.issue("router")
    router = make(backends=ours.pair)
    server = Server(authority.issue(NAME), client_ca=authority.pem)
    assert fetch(router, backend, server, "mutual.test").status == 200
    assert server.certificates == [ssl.PEM_cert_to_DER_cert(ours.pem)]
    refusing = Server(authority.issue(NAME), client_ca=Authority("another").pem)
    answer = fetch(router, backend, refusing, "mutual.test")
    assert answer.status == 496
    assert answer["X-Cf-Routererror"] == "endpoint_failure (remote error: tls: unknown certificate authority)"


@pytest.mark.statement("7.1", "half a pair of backends.cert_chain and private_key is ignored")
def test_half_a_pair(make, backend, authority):
    router = make(backends={"cert_chain": authority.issue("router").pem})
    assert fetch(router, backend, Server(authority.issue(NAME)), "half.test").status == 200


@pytest.mark.statement("7.1", "skip_ssl_validation: neither the chain nor the name is looked at")
def test_no_validation(make, backend):
    server = Server(Authority("x").issue("another", days=-1))
    assert fetch(make(skip_ssl_validation=True), backend, server, "skip.test").status == 200
    assert server.names == [NAME]


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.statement("7.1", "without enable_ssl, TLS 1.2 and 1.3 are spoken with backends, and nothing older")
def test_versions(make, backend, authority):
    router = make()
    for version, name in ((V12, "TLSv1.2"), (V13, "TLSv1.3")):
        server = Server(authority.issue(NAME), maximum_version=version)
        assert fetch(router, backend, server, "versions.test").status == 200
        assert server.versions == [name]
    old = Server(authority.issue(NAME), ciphers="ALL:@SECLEVEL=0", minimum_version=ssl.TLSVersion.TLSv1, maximum_version=V11)
    answer = fetch(router, backend, old, "versions.test")
    assert answer.status == 525
    assert answer["X-Cf-Routererror"] == "endpoint_failure (remote error: tls: protocol version not supported)"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.statement("7.1", "with enable_ssl, the versions and suites of the front hold towards backends, too")
def test_versions_of_the_front(make, backend, authority):
    front = {"enable_ssl": True, "client_cert_validation": "none", "tls_pem": [authority.issue("f").pair]}
    router = make(**front, ssl_port=free_port(), cipher_suites="ECDHE-ECDSA-AES128-GCM-SHA256")
    server = Server(authority.issue(NAME))
    assert fetch(router, backend, server, "front.test").status == 200
    assert server.versions == ["TLSv1.2"]
    other = Server(authority.issue(NAME), maximum_version=V12, ciphers="ECDHE-ECDSA-AES256-GCM-SHA384")
    assert fetch(router, backend, other, "front.test").status == 525
    old = make(**front, ssl_port=free_port(), cipher_suites="ECDHE-ECDSA-AES128-SHA", min_tls_version="TLSv1.1")
    server = Server(authority.issue(NAME), ciphers="ALL:@SECLEVEL=0", minimum_version=ssl.TLSVersion.TLSv1, maximum_version=V11)
    assert fetch(old, backend, server, "old.test").status == 200
    assert server.versions == ["TLSv1.1"]


@pytest.mark.statement("7.1", "tls_handshake_timeout ends a handshake that is not answered: 502")
def test_a_silent_backend(make, backend):
    over = threading.Event()
    answer = fetch(make(tls_handshake_timeout="50ms"), backend, lambda connection: over.wait(30), "silent.test")
    over.set()
    assert (answer.status, answer["X-Cf-Routererror"]) == (502, "endpoint_failure (net/http: TLS handshake timeout)")
