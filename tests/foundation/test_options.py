"""The options of `up`: what is remembered, what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.errors import UsageError
from cfroute.foundation.options import Credentials, Given, Options, merge, nats_urls


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
