"""Which certificate and which suites clients get, and the rules for theirs."""

import ssl

import pytest

from cfroute.certificates import issue, make_authority
from cfroute.gorouter.config import Config
from cfroute.gorouter.config_file import parse
from cfroute.gorouter.tls import ciphers
from cfroute.gorouter.tls import contexts as tls
from cfroute.gorouter.tls.client_rules import Rule, rules_of, violation
from cfroute.gorouter.tls.front import names

NOW = 1_800_000_000.0
AUTHORITY = make_authority("authority", NOW)


def der(pem: bytes) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pem.decode())


def test_the_names_of_a_certificate() -> None:
    shown = issue(AUTHORITY, "Common", ["A.test", "*.b.test", "127.0.0.1"], NOW)
    assert names(shown.certificate.decode()) == ["a.test", "*.b.test"]
    assert names(issue(AUTHORITY, "Common", ["127.0.0.1"], NOW).certificate.decode()) == ["common"]


def test_suites_stand_in_the_order_of_go() -> None:
    given = "AES128-SHA:TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256:ECDHE-RSA-AES128-GCM-SHA256:RC4-SHA:AES128-SHA"
    assert ciphers.chosen(given) == ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305", "AES128-SHA", "RC4-SHA"]
    assert {name for known in ciphers.OPENSSL_NAMES for name in ciphers.chosen(known)} == set(ciphers.OPENSSL_NAMES.values())


def test_suites_that_openssl_has_lost() -> None:
    config = Config(enable_ssl=True, cipher_suites="RC4-SHA:ECDHE-RSA-AES128-GCM-SHA256")
    assert tls.missing_suites(config) == ["RC4-SHA"]
    assert tls.missing_suites(Config(cipher_suites="RC4-SHA")) == []


@pytest.mark.parametrize(
    ("minimum", "maximum", "versions"),
    [
        ("", "", (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2)),
        ("TLSv1.2", "TLSv1.3", (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)),
        ("TLSv1.3", "", (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2)),
    ],
)
def test_versions(minimum: str, maximum: str, versions: tuple[ssl.TLSVersion, ssl.TLSVersion]) -> None:
    config = Config(enable_ssl=True, cipher_suites="AES128-SHA", min_tls_version=minimum, max_tls_version=maximum)
    context = tls.server_context(config)
    assert (context.minimum_version, context.maximum_version) == versions
    suites = [suite["name"] for suite in context.get_ciphers() if suite["protocol"] != "TLSv1.3"]
    assert suites == ["AES128-SHA"]


def test_rules_are_off_unless_they_are_on() -> None:
    rule = "verify_client_certificate_metadata: [{issuer_in_chain: {common_name: ca}, valid_cert_subjects: [{common_name: a}]}]"
    config = parse(rule)
    assert rules_of(config) == []
    config.enable_verify_client_certificate_metadata = True
    assert rules_of(config) == [Rule("CN=ca", ("CN=a",))]


def test_rules() -> None:
    chain = [der(issue(AUTHORITY, "client", [], NOW, units=["one"]).certificate), der(AUTHORITY.certificate)]
    subject, authority = (rule_subject(certificate) for certificate in chain)
    assert violation([Rule(authority, (subject,))], chain) is None
    assert violation([Rule("CN=another", ())], chain) is None
    broken = violation([Rule("CN=another", ()), Rule(authority, ("CN=x",))], chain)
    assert broken is not None
    assert str(broken) == f"subject not in the list of allowed subjects for CA Subject {authority}: {subject}"
    leaf = chain[0]
    assert violation([Rule(subject, ())], [leaf, leaf]) is None  # no authority
    assert violation([Rule(authority, ())], []) is None


def rule_subject(certificate: bytes) -> str:
    from cryptography import x509

    from cfroute.gorouter.nats.subjects import certificate_rdn_string

    return certificate_rdn_string(x509.load_der_x509_certificate(certificate).subject)
