"""Route services against vectors recorded from the real Gorouter, and the whole detour with a real TLS route service."""

import base64
import contextlib
import hashlib
import json
import re
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ..ports import free_port
from .conftest import Backend, Router, read_request

GUID = "6b3e81d5-409e-4fc5-728c-32a791a56d7d"
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
    app = Backend()
    both = Router(tmp_path_factory.mktemp("both"), shared_nats, {**SECRETS, "route_services": {"max_attempts": 2}})
    alone = {key: value for key, value in SECRETS.items() if key != "route_services_secret_decrypt_only"}
    single = Router(tmp_path_factory.mktemp("single"), shared_nats, alone)
    for router in (both, single):
        for uri, url in SERVICE.items():
            router.register(uri, app, route_service_url=url)
    yield both, single, app
    both.stop()
    single.stop()
    app.close()


@pytest.mark.statement("E", "34: the recorded signatures are accepted and refused as the real router did")
@pytest.mark.statement(
    "6.2", "what Gorouter has signed is opened: PBKDF2, AES-128-GCM, base64 of the URL alphabet, any equivalent JSON"
)
@pytest.mark.statement("6.4", "a valid signature: the three headers are removed, and the request goes to the app")
@pytest.mark.statement("6.4", "neither path nor method nor the clear-text URL have to be the original ones")
@pytest.mark.parametrize("vector", VECTORS["accepted"], ids=lambda v: v["desc"])
def test_accepted(routers, vector):
    answer = send(routers[0], vector)
    assert (answer.status, answer.body) == (vector["result"]["status"], b"ok")
    assert b"X-Cf-Proxy-Signature" not in routers[2].seen[-1]


@pytest.mark.statement(
    "6.4", "each check has its own text, in order, without X-Cf-RouterError; an old signature is 504, all others 502"
)
@pytest.mark.statement("6.4", "with a decrypt-only secret everything is tried again with that, and its error is told")
@pytest.mark.parametrize("vector", VECTORS["rejected"], ids=lambda v: v["desc"])
def test_rejected(routers, vector):
    answer, expected = send(routers[0], vector), vector["result"]
    assert (answer.status, answer.body.decode()) == (expected["status"], expected["body"])
    assert answer["X-Cf-Routererror"] == expected["x_cf_routererror"]


@pytest.mark.statement("6.4", "without a decrypt-only secret the first error is told, in Go's words")
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


@pytest.mark.statement(
    "6.3",
    "the request goes to the route service's URL exactly, with its Host, the three headers, and without X-CF-Instance headers",
)
@pytest.mark.statement("6.3", "the access line of that leg names neither backend nor app")
@pytest.mark.statement("6.3", "X-CF-Proxy-Signature is removed from the response")
def test_the_whole_detour(start, backend, tls_backend, certificate):
    router = start(**SECRETS, ca_certs=[certificate[0].read_text()], route_services={"max_attempts": 2})
    app, seen = backend(), []

    def logger(connection: socket.socket) -> None:
        """A route service that sends the request to the router again, with all its headers."""
        request = read_request(connection)
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


@pytest.mark.statement("6.5", "a route service that cannot be reached is answered like an endpoint")
@pytest.mark.statement("6.6", "route_services.max_attempts attempts, each with a line in the log")
def test_a_route_service_that_is_down(routers, backend):
    router, gone = routers[0], backend()
    gone.close()
    router.register("down.test", backend(), route_service_url=f"https://localhost:{gone.port}")
    answer = router.get("down.test")
    assert answer.status == 502
    assert answer["X-Cf-Routererror"].startswith("endpoint_failure (dial tcp")
    told = [data for data in router.log("route-service-connection-failed") if str(gone.port) in data["route-service-endpoint"]]
    assert [data["attempt"] for data in told] == [1, 2]


@pytest.mark.statement("6.3", "endpoint_timeout holds for route services, too, and is the only limit of their handshakes")
def test_a_route_service_that_hangs(start, backend, tls_backend):
    released = threading.Event()

    def hang(connection: socket.socket) -> None:
        connection.recv(65536)
        released.wait(30)

    router = start(**SECRETS, endpoint_timeout="500ms", tls_handshake_timeout="100ms", skip_ssl_validation=True)
    for host, service in (("hang.test", tls_backend(hang)), ("hang-tls.test", backend(hang))):
        router.register(host, backend(), route_service_url=f"https://localhost:{service.port}")
    answers = [router.get(host) for host in ("hang.test", "hang-tls.test")]
    released.set()
    for answer in answers:
        assert (answer.status, answer["X-Cf-Routererror"]) == (502, "endpoint_failure (context deadline exceeded)")


@pytest.mark.statement("6.3", "the certificate of a route service is verified against system roots and ca_certs")
def test_an_untrusted_route_service(routers, backend, tls_backend):
    router = routers[0]
    router.register("untrusted.test", backend(), route_service_url=f"https://localhost:{tls_backend(lambda c: None).port}")
    answer = router.get("untrusted.test")
    assert answer.status == 526
    assert "certificate signed by unknown authority" in answer["X-Cf-Routererror"]


@pytest.mark.statement(
    "6.5", "a bound route without a secret: 502 route_service_unsupported; with signature and metadata, the panic guard"
)
def test_without_a_secret(shared_router, backend):
    shared_router.register("nosecret.test", backend(), route_service_url="https://localhost:1")
    answer = shared_router.get("nosecret.test")
    assert (answer.status, answer["X-Cf-Routererror"]) == (502, "route_service_unsupported")
    assert answer.body == b"502 Bad Gateway: Support for route services is disabled.\n"
    answer = shared_router.get("nosecret.test", "/", "X-CF-Proxy-Signature: x", "X-CF-Proxy-Metadata: y")
    assert (answer.status, answer.body, answer["X-Cf-Routererror"]) == (502, b"", "unknown_failure")
    answer = shared_router.get("nosecret.test", "/", "X-CF-Proxy-Signature: x")
    assert answer.body == b"502 Bad Gateway: Failed to validate Route Service Signature: No metadata found\n"


@pytest.mark.statement("6.5", "a WebSocket upgrade on a bound route: 503 route_service_unsupported")
def test_websockets_are_refused(routers):
    answer = routers[0].fetch(b"GET / HTTP/1.1\r\nHost: rsapp.test\r\nConnection: Upgrade, close\r\nUpgrade: WebSocket\r\n\r\n")
    assert (answer.status, answer["X-Cf-Routererror"]) == (503, "route_service_unsupported")
    assert answer.body == b"503 Service Unavailable: Websocket requests are not supported for routes bound to Route Services.\n"


@pytest.mark.statement(
    "6.5", "strict mode: on an unbound route a signature has to be ours and fresh; else headers go to the app as they are"
)
def test_strict_validation_on_unbound_routes(start, routers, backend):
    app = backend()
    strict = start(**SECRETS, route_services={"strict_signature_validation": True})
    lenient = routers[0]
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


@pytest.mark.statement(
    "6.7", "a route service that is a route of this router is reached internally, with its own Host, path and query"
)
@pytest.mark.statement("6.7", "two access lines, and the client address 127.0.0.1 is appended to X-Forwarded-For")
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


@pytest.fixture
def recorder(tls_backend):
    """A route service that keeps what it sees, and answers as told."""

    def make(answer: bytes):
        seen: list[bytes] = []

        def serve(connection: socket.socket) -> None:
            seen.append(connection.recv(65536))
            connection.sendall(answer)

        return tls_backend(serve), seen

    return make


def opened(request: bytes, secret: str) -> str:
    """What the signature of a request says, read without the code that is tested."""
    signature, metadata = (
        base64.urlsafe_b64decode(re.search(rb"\r\n%b: (\S+)\r\n" % name, request)[1])
        for name in (b"X-Cf-Proxy-Signature", b"X-Cf-Proxy-Metadata")
    )
    nonce = base64.b64decode(json.loads(metadata)["nonce"])
    assert len(nonce) == 12
    key = hashlib.pbkdf2_hmac("sha256", secret.encode(), b"", 100_001, 16)
    return AESGCM(key).decrypt(nonce, signature, None).decode()


@pytest.mark.statement("6.2", "the signature seals the forwarded URL and the time with nanoseconds; the metadata is the nonce")
@pytest.mark.statement(
    "6.3", "the forwarded URL: http unless https is recommended, Host without its port, the target verbatim, even an absolute one"
)
@pytest.mark.statement("6.3", "the three headers overwrite the client's; X-CF-App-Instance does not survive")
@pytest.mark.statement(
    "6.3", "any response of the route service is the client's, without a sticky cookie; what is not 2xx is logged"
)
@pytest.mark.parametrize(("recommend", "scheme"), [(True, "https"), (False, "http")])
def test_the_way_out(start, backend, recorder, recommend, scheme):
    answer = b"HTTP/1.1 418 T\r\nContent-Length: 0\r\nSet-Cookie: JSESSIONID=1\r\nConnection: close\r\n\r\n"
    service, seen = recorder(answer)
    router = start(route_services_secret="s", route_services_recommend_https=recommend, skip_ssl_validation=True)
    url = f"https://localhost:{service.port}/rs"
    router.register("Out.test", backend(), route_service_url=url, private_instance_id="iid", app=GUID, private_instance_index="0")
    made_up = router.get("Out.test:99", "/a%2F?b", "X-CF-Proxy-Signature: x", "X-CF-Proxy-Metadata: m")
    assert made_up.status == 502
    response = router.get(
        "Out.test:99", "/a%2F?b", "X-CF-Forwarded-Url: mine", "X-CF-Proxy-Metadata: m", f"X-CF-App-Instance: {GUID}:0"
    )
    assert (response.status, response["Set-Cookie"]) == (418, "JSESSIONID=1")
    assert [name for name, _ in response.headers].count("Set-Cookie") == 1
    assert response["X-Vcap-Request-Id"]
    assert seen[0].startswith(b"GET /rs HTTP/1.1\r\n")
    assert f"\r\nX-Cf-Forwarded-Url: {scheme}://Out.test/a%2F?b\r\n".encode() in seen[0]
    assert seen[0].count(b"X-Cf-Proxy-Metadata") == 1
    assert re.fullmatch(
        rf'\{{"forwarded_url":"{scheme}://Out\.test/a%2F\?b","requested_time":"[-0-9]+T[:0-9]+(\.\d*[1-9])?(Z|[-+]\d\d:\d\d)"\}}',
        opened(seen[0], "s"),
    )
    assert b"X-Cf-App-Instance" not in seen[0]
    assert router.log("route-service-response") == [{"route-service-endpoint": url, "status-code": 418}]
    router.get("out.test", "http://out.test/p")
    assert f"\r\nX-Cf-Forwarded-Url: {scheme}://out.testhttp://out.test/p\r\n".encode() in seen[1]


@pytest.mark.statement("6.5", "a route_service_url that makes no sense: 500 without a router error")
def test_a_url_that_makes_no_sense(routers, backend):
    router = routers[0]
    router.register("nonsense.test", backend(), route_service_url="https://[::1")
    answer = router.get("nonsense.test")
    assert (answer.status, answer["X-Cf-Routererror"]) == (500, None)
    assert answer.body == b"500 Internal Server Error: Route service request failed.\n"
    assert router.log("route-service-failed")


@pytest.mark.statement("6.4", "valid route-service traffic keeps its X-Forwarded-Proto, on any route; what is not valid does not")
def test_the_protocol_of_valid_traffic(start, backend):
    router = start(**SECRETS, sanitize_forwarded_proto=True)
    router.register("unbound.test", app := backend())
    good = [f"{name}: {value}" for name, value in VECTORS["accepted"][0]["headers"].items()]
    bad = [line.replace("X-CF-Proxy-Signature: ", "X-CF-Proxy-Signature: A") for line in good]
    for headers, proto in ((good, b"https"), (bad, b"http")):
        assert router.get("unbound.test", "/", "X-Forwarded-Proto: https", *headers).status == 200
        assert b"\r\nX-Forwarded-Proto: %b\r\n" % proto in app.seen[-1]


@pytest.mark.statement("B", "route_services.enable_websockets lets upgrades go through route services")
def test_websockets_by_configuration(start, backend, tls_backend):
    def echo(connection: socket.socket) -> None:
        assert b"\r\nX-Cf-Proxy-Signature: " in connection.recv(65536)
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        connection.sendall(connection.recv(65536))

    router = start(route_services_secret="s", skip_ssl_validation=True, route_services={"enable_websockets": True})
    router.register("bound-ws.test", backend(), route_service_url=f"https://localhost:{tls_backend(echo).port}")
    with router.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: bound-ws.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 101 ")
        client.sendall(b"hello")
        assert client.recv(65536) == b"hello"


@pytest.mark.statement("6.7", "a wildcard of the allowlist stands for one label, whatever its case")
@pytest.mark.statement("6.7", "nobody without its certificate gets through the internal port")
def test_the_internal_way_is_for_few(start, backend):
    port = free_port()
    router = start(
        **SECRETS,
        route_services_internal_server_port=port,
        route_services_hairpinning=True,
        route_services_hairpinning_allowlist=["*.apps.test", "exact.test"],
    )
    service = backend(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nservice")
    for host in ("A.Apps.test", "exact.test", "a.b.apps.test", "apps.test"):
        router.register(host, service)
        router.register(f"via-{host}", backend(), route_service_url=f"https://{host}")
    inside = [router.get(f"via-{host}").status == 200 for host in ("A.Apps.test", "exact.test", "a.b.apps.test", "apps.test")]
    assert inside == [True, True, False, False]
    assert stranger_gets(router, port) == b""


def stranger_gets(router, port: int) -> bytes:
    """What somebody without the router's own certificate is told on the internal port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with router.connect(port) as plain, contextlib.suppress(OSError), context.wrap_socket(plain) as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\nHost: exact.test\r\n\r\n")
        return stranger.recv(100)
    return b""
