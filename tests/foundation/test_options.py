"""The options of `up`: what is remembered, what is refused."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.errors import UsageError
from cfroute.foundation.option_values import (
    COMPONENTS,
    Credentials,
    database_url,
    left_out,
    locket_address,
    nats_urls,
    port_range,
    web_url,
)
from cfroute.foundation.options import Given, Options, merge


def test_given_options_replace_remembered_ones() -> None:
    remembered = Options(domain="apps.test", http_port=80, gorouters=3)
    merged = merge(remembered, Given(gorouters=2, domain="Other.Test."))
    assert merged == Options(domain="other.test", http_port=80, gorouters=2)
    assert merge(remembered, Given()) == remembered
    assert merge(Options(single_address=True), Given(single_address=False)).single_address is False


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (Given(http_port=65536), "--http-port: 65536 is no port"),
        (Given(https_port=-1), "--https-port: -1 is no port"),
        (Given(api_port=8080), "must differ"),
        (Given(domain="localhost"), "no domain name"),
        (Given(domain="a..b"), "no domain name"),
        (Given(domain="-a.b"), "no domain name"),
        (Given(domain="a.b/c"), "no domain name"),
        (Given(gorouters=0), "--gorouters: 0 is not between 1 and 20"),
        (Given(cells=101), "--cells: 101"),
        (Given(tcp_routers=11), "--tcp-routers: 11 is not between 0 and 10"),
        (Given(routing_apis=0), "--routing-apis: 0"),
        (Given(tcp_ports="x"), "--tcp-ports: 'x' is no range"),
        (Given(tcp_ports="2000-"), "is no range"),
        (Given(tcp_ports="2010-2000"), "is not within 1024-65535"),
        (Given(tcp_ports="80-90"), "is not within 1024-65535"),
        (Given(tcp_ports="60000-70000"), "is not within 1024-65535"),
        (Given(tcp_ports="1024-3024"), "more than 2000 ports"),
        (Given(tcp_ports="8000-8100"), "8080 in it, which is that of --http-port"),
        (Given(without=("router",)), "there is no component 'router'"),
        (Given(without=COMPONENTS), "nothing is left"),
        (Given(routing_api="10.0.0.5:3000"), "--routing-api: '10.0.0.5:3000' is no URL"),
        (Given(routing_api="https://10.0.0.5"), "wants mutual TLS"),
        (Given(routing_api="http://h:3000/routing"), "no URL"),
        (Given(uaa="http://uaa"), "--uaa: 'http://uaa' is no URL"),
        (Given(locket="a/b"), "--locket: 'a/b' is no address"),
        (Given(external_cert="/x"), "belong together"),
        (Given(routing_database="oracle://h/x"), "names no database"),
        (Given(routing_database="mysql://h"), "names no database"),
        (Given(routing_database="sqlite:///relative"), "names no database"),
        (Given(routing_database="mysql://h:port/x"), "names no database"),
        (Given(nats="http://x"), "no NATS URL"),
        (Given(nats="nats://x:port"), "no NATS URL"),
        (Given(nats="nats://"), "no NATS URL"),
    ],
)
def test_impossible_options(wrong: Given, said: str) -> None:
    with pytest.raises(UsageError, match="^.*" + said):
        merge(Options(), wrong)


def test_several_ports_may_be_picked() -> None:
    assert merge(Options(), Given(http_port=0, https_port=0, api_port=0)).api_port == 0


def test_nats_urls_are_kept_without_credentials() -> None:
    assert nats_urls("nats://me:secret@10.0.0.5:4223, other") == (
        ("nats://10.0.0.5:4223", "nats://other:4222"),
        Credentials("me", "secret"),
    )
    assert nats_urls("embedded") == ((), Credentials())
    assert merge(Options(nats=("nats://a:1",)), Given(nats="embedded")).nats == ()


def test_places_elsewhere_get_their_usual_ports_and_can_be_taken_back() -> None:
    given = Given(routing_api="http://api.test", uaa="https://uaa.test", locket="locket.test", external_ca="/ca")
    options = merge(Options(), given)
    assert (options.routing_api, options.uaa, options.locket) == (
        "http://api.test:3000",
        "https://uaa.test:8443",
        "locket.test:8891",
    )
    assert options.not_ours == {"routing_api", "uaa", "locket"}
    back = merge(options, Given(routing_api="embedded", uaa="embedded", locket="embedded"))
    assert not back.not_ours


def test_components_can_be_left_out_and_taken_back() -> None:
    options = merge(Options(), Given(without=("Routing-API", "gorouter", "routing_api")))
    assert options.without == ("gorouter", "routing_api")
    assert merge(options, Given()).not_ours == {"gorouter", "routing_api"}
    assert merge(options, Given(without=("none",))).not_ours == set()


def test_ports_of_tcp_routes() -> None:
    assert Options().tcp_port_range == (1024, 1123)
    assert Options(tcp_ports="2000").tcp_port_range == (2000, 2000)
    assert Options(tcp_ports="0").tcp_port_range is None
    assert Options(tcp_routers=0).tcp_port_range is None


def test_the_url_of_a_database_is_kept_without_its_password() -> None:
    assert database_url("mysql+pymysql://me:a%2Fb@db.test/routing") == ("mysql://me@db.test/routing", "a/b")
    assert database_url("postgresql://db.test:5433/routing") == ("postgresql://db.test:5433/routing", "")
    assert database_url("sqlite:////var/routing.sqlite")[0] == "sqlite:////var/routing.sqlite"
    assert database_url("embedded") == ("", "")
    with pytest.raises(UsageError) as caught:
        database_url("oracle://me:secret@host/x")
    assert "secret" not in caught.value.message


@given(st.text())
def test_any_text_is_a_value_or_refused(text: str) -> None:
    for read in (
        port_range,
        database_url,
        locket_address,
        lambda url: web_url("--uaa", url, {"https": 1}),
        lambda one: left_out([one]),
    ):
        with contextlib.suppress(UsageError):
            read(text)


def test_a_refused_url_does_not_show_its_password() -> None:
    with pytest.raises(UsageError) as caught:
        nats_urls("tls://me:secret@host")
    assert "secret" not in caught.value.message


@given(st.text())
def test_any_text_is_urls_or_refused(text: str) -> None:
    try:
        urls, _ = nats_urls(text)
    except UsageError:
        return
    assert all(url.startswith("nats://") for url in urls)
