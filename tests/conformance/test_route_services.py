"""Route services against vectors recorded from the real Gorouter, and the whole detour with a real TLS route service."""

import json
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

VECTORS = json.loads((Path(__file__).parents[2] / "fixtures" / "route-service-vectors.json").read_text())
CONFIG = VECTORS["config_used_for_accepted_and_rejected"]
SECRETS = {key: CONFIG[key] for key in CONFIG if key.startswith("route_services_")}
SERVICE = {registration["uri"]: registration["route_service_url"] for registration in CONFIG["registrations"]}


def send(router, vector):
    headers = [f"{name}: {value}" for name, value in vector["headers"].items()]
    return router.get(vector["request_host"], vector["request_target"], *headers)


@pytest.fixture(scope="module")
def routers(shared_nats, tmp_path_factory):
    """One with both secrets, one without the decrypt-only secret; and an app behind all routes of the vectors."""
    conftest = __import__("sys").modules[type(shared_nats).__module__]
    app = conftest.Backend()
    both = conftest.Router(tmp_path_factory.mktemp("both"), shared_nats, dict(SECRETS))
    alone = {key: value for key, value in SECRETS.items() if key != "route_services_secret_decrypt_only"}
    single = conftest.Router(tmp_path_factory.mktemp("single"), shared_nats, alone)
    for router in (both, single):
        for uri, url in SERVICE.items():
            router.register(uri, app, route_service_url=url)
    yield both, single, app
    both.stop()
    single.stop()
    app.close()


@pytest.mark.parametrize("vector", VECTORS["accepted"], ids=lambda v: v["desc"])
def test_accepted(routers, vector):
    answer = send(routers[0], vector)
    assert (answer.status, answer.body) == (vector["result"]["status"], b"ok")
    assert b"X-Cf-Proxy-Signature" not in routers[2].seen[-1]


@pytest.mark.parametrize("vector", VECTORS["rejected"], ids=lambda v: v["desc"])
def test_rejected(routers, vector):
    answer, expected = send(routers[0], vector), vector["result"]
    assert (answer.status, answer.body.decode()) == (expected["status"], expected["body"])
    assert answer["X-Cf-Routererror"] == expected["x_cf_routererror"]


@pytest.mark.parametrize("vector", VECTORS["rejected_without_decrypt_only_secret"], ids=lambda v: v["desc"])
def test_rejected_without_decrypt_only_secret(routers, vector):
    answer, expected = send(routers[1], vector), vector["result"]
    assert (answer.status, answer.body.decode()) == (expected["status"], expected["body"])


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate for localhost: chain and key files."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("certificate")
    (folder / "c.pem").write_bytes(built.public_bytes(serialization.Encoding.PEM))
    (folder / "k.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "c.pem", folder / "k.pem"


@pytest.fixture
def tls_backend(certificate, backend):
    """A scripted backend behind TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)

    def make(respond):
        def serve(connection: socket.socket) -> None:
            with context.wrap_socket(connection, server_side=True) as secured:
                respond(secured)

        return backend(serve)

    return make


def test_the_whole_detour(start, backend, tls_backend, certificate, shared_nats):
    conftest = __import__("sys").modules[type(shared_nats).__module__]
    router = start(**SECRETS, ca_certs=[certificate[0].read_text()], route_services={"max_attempts": 2})
    app, seen = backend(), []

    def logger(connection: socket.socket) -> None:
        """A route service that sends the request to the router again, with all its headers."""
        request = conftest.read_request(connection)
        seen.append(request)
        _, _, rest = request.partition(b"\r\n")
        lines = [line for line in rest.split(b"\r\n") if line and not line.startswith((b"Host", b"Connection"))]
        again = b"\r\n".join([b"POST /p?q=1 HTTP/1.1", b"Host: detour.test", b"Connection: close", *lines[:-1], b"", lines[-1]])
        reply = router.fetch(again)
        head = b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nConnection: close\r\n" % (reply.status, len(reply.body))
        connection.sendall(head + b"X-Cf-Proxy-Signature: leak\r\n\r\n" + reply.body)

    service = tls_backend(logger)
    router.register("detour.test", app, route_service_url=f"https://localhost:{service.port}/rs?a=b")
    headers = ("Content-Length: 4", "X-CF-App-Instance: x", "X-Forwarded-Proto: https")
    answer = router.get("detour.test", "/p?q=1", "Content-Length: 4", "X-Forwarded-Proto: https", method="POST", body=b"body")
    assert (answer.status, answer.body) == (200, b"ok"), headers
    assert answer["X-Cf-Proxy-Signature"] is None
    request = seen[0]
    assert request.startswith(b"POST /rs?a=b HTTP/1.1\r\nHost: localhost:%d\r\n" % service.port)
    assert b"\r\nX-Cf-Forwarded-Url: https://detour.test/p?q=1\r\n" in request
    assert b"X-Cf-Instanceid" not in request
    assert app.seen[0].startswith(b"POST /p?q=1 HTTP/1.1\r\nHost: detour.test\r\n")
    assert app.seen[0].endswith(b"body")
    first, second = router.access_lines(2)
    assert f'"127.0.0.1:{app.port}"' in first
    assert 'app_id:"-" app_index:"-" instance_id:"-"' in second


def test_a_route_service_that_is_down(start, backend):
    router = start(**SECRETS, route_services={"max_attempts": 2})
    gone = backend()
    gone.close()
    router.register("down.test", backend(), route_service_url=f"https://localhost:{gone.port}")
    answer = router.get("down.test")
    assert answer.status == 502
    assert answer["X-Cf-Routererror"].startswith("endpoint_failure (dial tcp")
    assert [data["attempt"] for data in router.log("route-service-connection-failed")] == [1, 2]


def test_a_route_service_that_hangs(start, backend, tls_backend):
    released = threading.Event()

    def hang(connection: socket.socket) -> None:
        connection.recv(65536)
        released.wait(5)

    router = start(**SECRETS, endpoint_timeout="200ms", skip_ssl_validation=True)
    router.register("hang.test", backend(), route_service_url=f"https://localhost:{tls_backend(hang).port}")
    answer = router.get("hang.test")
    released.set()
    assert (answer.status, answer["X-Cf-Routererror"]) == (502, "endpoint_failure (context deadline exceeded)")


def test_an_untrusted_route_service(start, backend, tls_backend):
    router = start(**SECRETS)
    router.register("untrusted.test", backend(), route_service_url=f"https://localhost:{tls_backend(lambda c: None).port}")
    answer = router.get("untrusted.test")
    assert answer.status == 526
    assert "certificate signed by unknown authority" in answer["X-Cf-Routererror"]


def test_without_a_secret(shared_router, backend):
    shared_router.register("nosecret.test", backend(), route_service_url="https://localhost:1")
    answer = shared_router.get("nosecret.test")
    assert (answer.status, answer["X-Cf-Routererror"]) == (502, "route_service_unsupported")
    assert answer.body == b"502 Bad Gateway: Support for route services is disabled.\n"
    answer = shared_router.get("nosecret.test", "/", "X-CF-Proxy-Signature: x", "X-CF-Proxy-Metadata: y")
    assert (answer.status, answer.body, answer["X-Cf-Routererror"]) == (502, b"", "unknown_failure")


def test_websockets_are_refused(routers):
    answer = routers[0].fetch(
        b"GET / HTTP/1.1\r\nHost: rsapp.test\r\nConnection: Upgrade, close\r\nUpgrade: WebSocket\r\n\r\n"
    )
    assert (answer.status, answer["X-Cf-Routererror"]) == (503, "route_service_unsupported")
    assert answer.body == b"503 Service Unavailable: Websocket requests are not supported for routes bound to Route Services.\n"


def test_strict_validation_on_unbound_routes(start, backend):
    app = backend()
    strict = start(**SECRETS, route_services={"strict_signature_validation": True})
    lenient = start(**SECRETS)
    for router in (strict, lenient):
        router.register("unbound.test", app)
    good = [f"{name}: {value}" for name, value in VECTORS["accepted"][0]["headers"].items()]
    expired = next(vector for vector in VECTORS["rejected"] if vector["desc"] == "expired")
    old = [f"{name}: {value}" for name, value in expired["headers"].items()]
    assert strict.get("unbound.test", "/", *good).status == 200
    answer = strict.get("unbound.test", "/", "X-CF-Proxy-Signature: nonsense")
    assert (answer.status, answer["X-Cf-Routererror"]) == (400, "invalid_route_service_signature")
    answer = strict.get("unbound.test", "/", *old)
    assert (answer.status, answer["X-Cf-Routererror"]) == (504, "expired_route_service_signature")
    assert lenient.get("unbound.test", "/", "X-CF-Proxy-Signature: nonsense").status == 200
    assert b"X-Cf-Proxy-Signature: nonsense" in app.seen[-1]


def test_hairpinning(start, backend):
    """A route service that is a route of this router is reached without leaving it."""
    router = start(**SECRETS, route_services_hairpinning=True, route_services_hairpinning_allowlist=["*.apps.test"])
    app, service = backend(), backend(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nservice")
    router.register("logger.apps.test", service)
    router.register("outside.test", service)
    router.register("bound.test", app, route_service_url="https://logger.apps.test/in?x=1")
    router.register("far.test", app, route_service_url="https://outside.test")
    assert router.get("bound.test", "/p").body == b"service"
    assert service.seen[0].startswith(b"GET /in?x=1 HTTP/1.1\r\nHost: logger.apps.test\r\n")
    assert b"X-Forwarded-For: 127.0.0.1, 127.0.0.1\r\n" in service.seen[0]
    assert len(router.access_lines(2)) == 2
    assert router.get("far.test").status == 502  # not on the allowlist, and no such host outside
