"""What upstream refuses to start with."""

import json

import pytest

from cfroute.gorouter.config_error import ConfigError
from cfroute.gorouter.config_file import parse
from cfroute.gorouter.config_sections import CertSubject
from cfroute.gorouter.nats.subjects import rdn_string

Pair = tuple[str, str]
SSL = {"enable_ssl": True, "client_cert_validation": "none", "cipher_suites": "AES128-SHA"}


def problem(document: dict[str, object]) -> str | None:
    try:
        parse(json.dumps(document))
    except ConfigError as error:
        return error.message
    return None


@pytest.fixture
def pem(certificate: Pair) -> dict[str, str]:
    return {"cert_chain": certificate[0], "private_key": certificate[1]}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (
            {"status": {"enable_nontls_health_checks": False}},
            "Neither TLS nor non-TLS health endpoints are enabled. Refusing to start gorouter.",
        ),
        ({"status": {"tls": {"port": 1}}}, "router.status.tls.key must be provided"),
        ({"status": {"tls": {"key": "k"}}}, "router.status.tls.certificate must be provided"),
        ({"status": {"tls": {"key": "k", "certificate": "c", "port": 0}}}, "router.status.tls.port must not be 0"),
        (
            {"status": {"tls": {"key": "k", "certificate": "c"}}},
            "Error loading router.status.tls certificate/key pair: tls: failed to find any PEM data in certificate input",
        ),
        ({"enable_ssl": True}, "router.client_cert_validation must be one of 'none', 'request' or 'require'."),
        (
            {**SSL, "min_tls_version": "1.2"},
            'router.min_tls_version should be one of "", "TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1.0"',
        ),
        ({**SSL, "max_tls_version": "TLSv1.1"}, 'router.max_tls_version should be one of "TLSv1.2" or "TLSv1.3"'),
        (SSL, "router.tls_pem must be provided if router.enable_ssl is set to true"),
        (
            {**SSL, "tls_pem": [{"cert_chain": "x"}]},
            "Error parsing PEM blocks of router.tls_pem, missing cert or key.",
        ),
        (
            {**SSL, "tls_pem": [{"cert_chain": "x", "private_key": "y"}]},
            "Error loading key pair: tls: failed to find any PEM data in certificate input",
        ),
        (
            {"disable_http": True},
            "neither http nor https listener is enabled: router.enable_ssl: false, router.disable_http: true",
        ),
        (
            {"balancing_algorithm": "magic"},
            "Invalid load balancing algorithm magic. Allowed values are [round-robin least-connection]",
        ),
        (
            {"balancing_algorithm_az_preference": "far"},
            "Invalid load balancing AZ preference far. Allowed values are [none locally-optimistic]",
        ),
        ({"load_balancer_healthy_threshold": "-1s"}, "Invalid load balancer healthy threshold: -1s"),
        (
            {"forwarded_client_cert": "x"},
            "Invalid forwarded client cert mode: x. Allowed values are [always_forward forward sanitize_set]",
        ),
        (
            {"routing_table_sharding_mode": "x"},
            "Invalid sharding mode: x. Allowed values are [all segments shared-and-segments]",
        ),
        (
            {"routing_table_sharding_mode": "segments"},
            "Expected isolation segments; routing table sharding mode set to segments and none provided.",
        ),
        (
            {"logging": {"redact_query_params": "x"}},
            "Invalid query param redaction mode: x. Allowed values are [none all hash]",
        ),
        ({"ca_certs": ["nonsense"]}, "Error while adding 0 cert in CACerts to gorouter's cert pool"),
        (
            {"client_ca_certs": "nonsense"},
            "Error while adding ClientCACerts to gorouter's client cert pool: \nnonsense\n",
        ),
        (
            {"backends": {"cert_chain": "x", "private_key": "y"}},
            "Error loading key pair: tls: failed to find any PEM data in certificate input",
        ),
        (
            {"routing_api": {"uri": "http://x", "port": 3000}},
            "Error loading key pair: tls: failed to find any PEM data in certificate input",
        ),
        (
            {"nats": {"tls_enabled": True}},
            "Error loading NATS key pair: tls: failed to find any PEM data in certificate input",
        ),
    ],
)
def test_messages(document: dict[str, object], message: str) -> None:
    assert problem(document) == message


def test_half_a_pair_is_ignored() -> None:
    assert problem({"backends": {"cert_chain": "x"}, "route_services": {"private_key": "y"}}) is None


def test_the_first_problem_is_the_one_that_is_told() -> None:
    assert problem({"balancing_algorithm": "x", "ca_certs": ["x"], "disable_http": True, "nats": {"tls_enabled": True}}) == (
        "Error loading NATS key pair: tls: failed to find any PEM data in certificate input"
    )


def test_ciphers(pem: dict[str, str]) -> None:
    ssl = {**SSL, "tls_pem": [pem]}
    assert problem(ssl) is None
    assert problem({**ssl, "cipher_suites": " "}) == "must specify list of cipher suite when ssl is enabled"
    unknown = problem({**ssl, "cipher_suites": "AES128-SHA:NULL"})
    assert unknown is not None
    assert unknown.startswith("Invalid cipher string configuration: NULL, please choose from [RC4-SHA ")


def test_authorities_that_are_needed(pem: dict[str, str]) -> None:
    trusting = {**SSL, "tls_pem": [pem], "only_trust_client_ca_certs": True}
    assert problem(trusting) is None
    assert problem({**trusting, "client_cert_validation": "require"}) == (
        "router.client_ca_certs cannot be empty if router.only_trust_client_ca_certs is 'true' and "
        "router.client_cert_validation is set to 'request' or 'require'."
    )
    assert problem({**trusting, "client_cert_validation": "require", "client_ca_certs": pem["cert_chain"]}) is None
    assert problem({"ca_certs": [pem["cert_chain"]], "nats": {"tls_enabled": True, **pem, "ca_certs": "x"}}) == (
        "Error while adding CACerts to gorouter's routing-api cert pool: \nx\n"
    )


def test_pairs_in_go_s_words(pem: dict[str, str]) -> None:
    chain, key = pem["cert_chain"], pem["private_key"]

    def said(chain: str, key: str) -> str:
        text = problem({"backends": {"cert_chain": chain, "private_key": key}})
        return (text or "").removeprefix("Error loading key pair: tls: ")

    assert said(chain, key) == ""
    assert said(chain, "x") == "failed to find any PEM data in key input"
    assert said(chain, chain) == "found a certificate rather than a key in the PEM for the private key"
    assert said(key, key).endswith("but did find a private key; PEM inputs may have been switched")
    assert said(chain, key.replace("PRIVATE KEY", "PUBLIC KEY")).endswith("of the following types: [PUBLIC KEY]")
    assert said(chain.replace("CERTIFICATE", "X"), key).endswith("of the following types: [X]")
    broken = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
    assert said(chain, broken) == "failed to parse private key"
    malformed = broken.replace("PRIVATE KEY", "CERTIFICATE")
    assert (
        problem({"backends": {"cert_chain": malformed, "private_key": key}})
        == "Error loading key pair: x509: malformed certificate"
    )


def test_a_key_of_another_certificate(certificate: Pair) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    for key, message in (
        (ec.generate_private_key(ec.SECP256R1()), "tls: private key does not match public key"),
        (ed25519.Ed25519PrivateKey.generate(), "tls: private key type does not match public key type"),
    ):
        text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        pair = {"cert_chain": certificate[0], "private_key": text}
        assert problem({"backends": pair}) == f"Error loading key pair: {message}"


def test_rules_need_their_ca(certificate: Pair) -> None:
    def rules(**subject: object) -> dict[str, object]:
        return {
            "client_ca_certs": certificate[0],
            "enable_verify_client_certificate_metadata": True,
            "verify_client_certificate_metadata": [{"issuer_in_chain": subject}],
        }

    assert problem(rules(common_name="localhost", organization=["acme"])) is None
    assert problem(rules(common_name="other")) == "no CA certificate found for rule with ca subject CN=other"


def test_names_as_go_prints_them() -> None:
    subject = CertSubject(
        country=["DE"], organization=["a,b"], organizational_unit=["app", "space"], common_name="#x ", serial_number="7"
    )
    assert rdn_string(subject) == "SERIALNUMBER=7,CN=\\#x\\ ,OU=app+OU=space,O=a\\,b,C=DE"
    assert rdn_string(CertSubject()) == ""
