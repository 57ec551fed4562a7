"""Why certificates of servers are refused: in Go's order and words."""

import ssl

import pytest

from cfroute.certificates import issue, make_authority
from cfroute.proxy.verification import server_problem, text

NOW = 1_800_000_000.0
DAY = 86400.0
AUTHORITY = make_authority("authority", NOW)
PREFIX = "tls: failed to verify certificate: x509: "


def certificate(*names: str, common: str = "server") -> bytes:
    return ssl.PEM_cert_to_DER_cert(issue(AUTHORITY, common, names, NOW, days=10).certificate.decode())


@pytest.mark.parametrize(
    ("names", "wanted", "problem"),
    [
        (["a.test"], "b.test", "certificate is valid for a.test, not b.test"),
        (["a.test", "*.c.test"], "x.y.c.test", "certificate is valid for a.test, *.c.test, not x.y.c.test"),
        (["a.test"], "127.0.0.1", "cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs"),
        (["127.0.0.2", "::1"], "127.0.0.1", "certificate is valid for 127.0.0.2, ::1, not 127.0.0.1"),
        (["127.0.0.2"], "a.test", "certificate is not valid for any names, but wanted to match a.test"),
        ([], "server", "certificate relies on legacy Common Name field, use SANs instead"),
        ([], "a.test", "certificate is not valid for any names, but wanted to match a.test"),
        (["f*.test"], "foo.test", "certificate is valid for f*.test, not foo.test"),
    ],
)
def test_names(names: list[str], wanted: str, problem: str) -> None:
    assert server_problem(20, "", wanted, certificate(*names), NOW) == (True, PREFIX + problem)


@pytest.mark.parametrize("wanted", ["a.test", "A.TEST", "x.c.test", "127.0.0.1", "::1", "0:0::1", "a.test."])
def test_the_name_is_right_and_something_else_is_not(wanted: str) -> None:
    shown = certificate("a.test", "*.c.test", "127.0.0.1", "::1")
    assert server_problem(20, "", wanted, shown, NOW) == (False, PREFIX + "certificate signed by unknown authority")


@pytest.mark.parametrize(
    ("now", "problem"),
    [
        (NOW + 11 * DAY, "current time 2027-01-26T08:00:00Z is after 2027-01-25T08:00:00Z"),
        (NOW - 11 * DAY, "current time 2027-01-04T08:00:00Z is before "),
    ],
)
def test_time_comes_before_the_name(now: float, problem: str) -> None:
    wrong_name, words = server_problem(62, "", "b.test", certificate("a.test"), now)
    assert not wrong_name
    assert words.startswith(f"{PREFIX}certificate has expired or is not yet valid: {problem}")


def test_what_go_has_no_words_for() -> None:
    assert text(999, "odd") == f"{PREFIX}odd"
    assert text(26, "unsuitable certificate purpose") == f"{PREFIX}certificate specifies an incompatible key usage"
