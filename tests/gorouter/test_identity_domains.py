"""Who calls, and whom a route lets in."""

import ssl

import pytest

from cfroute.certificates import issue, make_authority
from cfroute.gorouter.config_file import parse
from cfroute.gorouter.routing_table.route_options import RouteOptions
from cfroute.gorouter.tls.caller import Caller, caller_of, envoy_header
from cfroute.gorouter.tls.identity_domains import Decision, IdentityDomains, decide

AUTHORITY = make_authority("authority", 1_800_000_000.0)
CALLER = Caller("a", "s", "o")


def certificate(*units: str, name: str = "instance") -> bytes:
    return ssl.PEM_cert_to_DER_cert(issue(AUTHORITY, name, [], 1_800_000_000.0, units=units).certificate.decode())


@pytest.mark.parametrize(
    ("units", "caller"),
    [
        (["organization:o", "space:s", "app:a"], CALLER),
        (["app:a"], Caller("a", "", "")),
        (["app:a", "app:b", "space:s", "organization:o"], CALLER),
        (["organization:o", "space:s"], None),
        (["app:"], None),
        (["App:a"], None),
    ],
)
def test_callers(units: list[str], caller: Caller | None) -> None:
    assert caller_of(certificate(*units)) == caller


def test_no_text_of_a_certificate_gets_out_of_its_quotes() -> None:
    header = envoy_header(certificate("app:a", name='x";By=me\\'))
    assert header.endswith(b';Subject="CN=x\\";By=me\\\\,OU=app:a"')


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("a.b.test", "b.test"),
        ("b.test", "b.test"),
        ("x.deep.B.test", "*.deep.b.test"),
        ("ab.test", None),
        ("", None),
        (".", None),
    ],
)
def test_the_domain_of_a_host(host: str, domain: str | None) -> None:
    domains = IdentityDomains(parse("domains: [{domain: b.test}, {domain: '*.deep.b.test'}]"))
    found = domains.of(host)
    assert (found.domain if found else None) == domain


@pytest.mark.parametrize(
    ("sources", "scope", "decision"),
    [
        ("", "", Decision(False, "default:deny")),
        ("cf:any", "", Decision(True, "cf:any")),
        (" cf:space:x , cf:space:s", "any", Decision(True, "cf:space:s")),
        ("cf:any", "org", Decision(True, "cf:any")),
        ("cf:any", "space", Decision(False, "scope:space")),
        ("cf:app:", "", Decision(False, "default:deny")),
    ],
)
def test_policies(sources: str, scope: str, decision: Decision) -> None:
    options = RouteOptions(route_policy_sources=sources, route_policy_scope=scope)
    assert decide(CALLER, options, {"organization_id": "o", "space_id": "other"}) == decision


def test_what_a_caller_has_not_is_not_allowed() -> None:
    options = RouteOptions(route_policy_sources="cf:space:,cf:org:", route_policy_scope="any")
    assert not decide(Caller("a", "", ""), options, {}).allowed
