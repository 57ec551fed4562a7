"""Identity-aware routing: domains whose routes know their callers (spec appendix B)."""

import hashlib
import re

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from ..ports import free_port
from ..waiting import eventually
from .conftest import Response, Router
from .identities import Authority, client_context, connect, exchange, refusal, subject

APP, SPACE, ORG = "app-guid", "space-guid", "org-guid"
UNITS = [f"organization:{ORG}", f"space:{SPACE}", f"app:{APP}"]
XFCC = re.compile(rb"X-Forwarded-Client-Cert: (.*)\r\n")


@pytest.fixture(scope="module")
def instances():
    return Authority("instance identity")


@pytest.fixture(scope="module")
def caller(instances):
    return instances.issue("caller", name=subject(organizational_unit=UNITS, common_name="instance"))


@pytest.fixture(scope="module")
def router(shared_nats, tmp_path_factory, instances):
    port = free_port()
    settings = {
        "enable_ssl": True,
        "ssl_port": port,
        "tls_pem": [Authority().issue("front.test").pair],
        "client_cert_validation": "none",
        "cipher_suites": "ECDHE-ECDSA-AES128-GCM-SHA256",
        "forwarded_client_cert": "always_forward",
        "domains": [
            {"domain": "*.envoy.test", "ca_certs": instances.pem, "xfcc_format": "envoy"},
            {"domain": "raw.test", "ca_certs": instances.pem, "forwarded_client_cert": "forward"},
        ],
        "logging": {"extra_access_log_fields": ["tls_sni", "caller_cf_app", "caller_cf_space", "caller_cf_org", "route_policy"]},
    }
    router = Router(tmp_path_factory.mktemp("identity"), shared_nats, settings)
    router.ssl_port = port
    yield router
    assert router.stop() == 0


def register(router, backend, host, sources="", scope="", **tags):
    app = backend()
    options = {name: value for name, value in (("route_policy_sources", sources), ("route_policy_scope", scope)) if value}
    router.register(host, app, options=options, tags=tags)
    return app


def call(router, identity, host, server_name=None):
    with connect(router.ssl_port, client_context(identity), server_name or host) as client:
        return Response.parse(exchange(client, host, "X-Forwarded-Client-Cert: theirs"))


@pytest.mark.statement("B", "a host in one of domains needs a certificate of that domain's authorities; other hosts need none")
def test_who_gets_through_the_handshake(router, backend, caller):
    register(router, backend, "open.test")
    assert call(router, None, "open.test").status == 200
    assert refusal(router.ssl_port, client_context(), "a.envoy.test") == "SSLV3_ALERT_BAD_CERTIFICATE"
    stranger = Authority("x").issue("x", name=caller.certificate.subject)
    assert refusal(router.ssl_port, client_context(stranger), "a.envoy.test") == "TLSV1_ALERT_UNKNOWN_CA"


@pytest.mark.statement("B", "route_policy_sources names who may call, and by default nobody may: 403")
@pytest.mark.parametrize(
    ("sources", "status"),
    [
        ("", 403),
        (f"cf:app:{APP}", 200),
        (f"cf:app:other, cf:space:{SPACE}", 200),
        (f"cf:org:{ORG}", 200),
        ("cf:any", 200),
        (f"cf:app:other,cf:space:other,cf:org:other,cf:app:{SPACE}", 403),
    ],
)
def test_sources(router, backend, caller, sources, status):
    host = f"s{hashlib.md5(sources.encode(), usedforsecurity=False).hexdigest()}.envoy.test"
    register(router, backend, host, sources)
    answer = call(router, caller, host)
    assert (answer.status, answer["X-Cf-Routererror"]) == (status, None if status == 200 else "route_policy_denied")


@pytest.mark.statement("B", "route_policy_scope: the caller must be of the route's own space or organization")
@pytest.mark.parametrize(
    ("scope", "org", "space", "status"),
    [
        ("any", "other", "other", 200),
        ("org", ORG, "other", 200),
        ("org", "other", SPACE, 403),
        ("space", ORG, SPACE, 200),
        ("space", ORG, "other", 403),
        ("galaxy", ORG, SPACE, 403),
    ],
)
def test_scopes(router, backend, caller, scope, org, space, status):
    host = f"{scope}-{org}-{space}.envoy.test"
    register(router, backend, host, "cf:any", scope, organization_id=org, space_id=space)
    assert call(router, caller, host).status == status


@pytest.mark.statement("B", "a Host that is not the server name of the handshake is misdirected: 421")
def test_misdirected(router, backend, caller):
    for host in ("one.envoy.test", "two.envoy.test", "elsewhere.test"):
        register(router, backend, host, "cf:any")
    for host, server_name in (("two.envoy.test", "one.envoy.test"), ("elsewhere.test", "one.envoy.test")):
        answer = call(router, caller, host, server_name)
        assert (answer.status, answer.reason) == (421, "Misdirected Request")
    answer = call(router, caller, "one.envoy.test", "front.test")
    assert (answer.status, answer["X-Cf-Routererror"]) == (421, "misdirected_request")
    assert router.get("one.envoy.test").status == 421  # nor does the plain port lead around it
    assert call(router, caller, "one.envoy.test").status == 200


@pytest.mark.statement("B", "a certificate without a Cloud Foundry identity: 403")
def test_no_identity(router, backend, instances):
    register(router, backend, "nobody.envoy.test", "cf:any")
    answer = call(router, instances.issue("x", name=subject(common_name="x")), "nobody.envoy.test")
    assert (answer.status, answer["X-Cf-Routererror"]) == (403, "no_caller_identity")


@pytest.mark.statement("B", "a domain has its own rule for X-Forwarded-Client-Cert, and its own form: raw or Envoy's")
def test_the_header(router, backend, caller):
    envoy = register(router, backend, "header.envoy.test", "cf:any")
    raw = register(router, backend, "raw.test", "cf:any")
    other = register(router, backend, "header.test")
    assert {call(router, caller, host).status for host in ("header.envoy.test", "raw.test", "header.test")} == {200}
    digest = hashlib.sha256(caller.certificate.public_bytes(Encoding.DER)).hexdigest()
    expected = f'Hash={digest};Subject="CN=instance,OU=app:{APP},OU=space:{SPACE},OU=organization:{ORG}"'
    assert XFCC.search(envoy.seen[0])[1].decode() == expected
    assert XFCC.search(raw.seen[0])[1] == XFCC.search(other.seen[0])[1] == b"theirs"


@pytest.mark.statement("B", "the access line can show the server name, the caller, and what the policy said")
def test_the_access_line(router, backend, caller):
    register(router, backend, "logged.envoy.test", f"cf:space:{SPACE}")
    register(router, backend, "denied.envoy.test")
    call(router, caller, "logged.envoy.test")
    call(router, caller, "denied.envoy.test")
    lines = eventually(lambda: "denied.envoy.test" in (text := router.access_log.read_text()) and text.splitlines(), "the lines")
    fields = f'caller_cf_app:"{APP}" caller_cf_space:"{SPACE}" caller_cf_org:"{ORG}" route_policy:'
    assert f'tls_sni:"logged.envoy.test" {fields}"cf:space:{SPACE}" ' in next(x for x in lines if x.startswith("logged."))
    assert f'tls_sni:"denied.envoy.test" {fields}"default:deny" ' in next(x for x in lines if x.startswith("denied."))
