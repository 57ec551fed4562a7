"""The failure table against upstream's classification (status, body, retries, marks)."""

import pytest

from cfroute.gorouter.failures import FAILURES, classify, described, retriable
from cfroute.proxy.failure import Failure, Kind

DEFAULT = "502 Bad Gateway: Registered endpoint failed to handle the request."


def test_every_kind_has_exactly_one_row():
    kinds = [kind for row in FAILURES for kind in row.kinds]
    assert sorted(kinds, key=str) == sorted(Kind, key=str)


@pytest.mark.parametrize(
    ("kind", "status", "body", "always", "failable", "prunable"),
    [
        (Kind.NOT_TLS, 525, "525 SSL Handshake Failed", True, True, True),
        (Kind.HOSTNAME_MISMATCH, 503, "503 Service Unavailable", True, True, True),
        (Kind.UNTRUSTED, 526, "526 Invalid SSL Certificate", True, True, True),
        (Kind.CLIENT_CERTIFICATE_REFUSED, 496, "496 SSL Certificate Required", True, True, True),
        (Kind.HANDSHAKE, 525, "525 SSL Handshake Failed", True, True, True),
        (Kind.HANDSHAKE_TIMEOUT, 502, DEFAULT, True, True, True),
        (Kind.DIAL, 502, DEFAULT, True, True, True),
        (Kind.RESET, 502, DEFAULT, False, True, False),
        (Kind.EOF, 502, DEFAULT, False, False, False),
        (Kind.MALFORMED, 502, DEFAULT, False, False, False),
        (Kind.TIMEOUT, 502, DEFAULT, False, False, False),
        (Kind.CANCELLED, 499, "499 Request Cancelled", False, False, False),
    ],
)
def test_rows(kind, status, body, always, failable, prunable):
    row = classify(Failure(kind, "x"))
    assert (row.status, row.body, row.failable, row.prunable) == (status, body, failable, prunable)
    sent = Failure(kind, "x", got_connection=True, wrote_headers=True)
    assert retriable(sent, replayable=False) is always


def test_what_was_not_sent_may_be_sent_again():
    assert retriable(Failure(Kind.OTHER, "x", got_connection=True), replayable=False)
    assert not retriable(Failure(Kind.TIMEOUT, "x"), replayable=True)
    assert not retriable(Failure(Kind.CANCELLED, "x"), replayable=True)


def test_eof_is_retried_only_when_that_is_harmless():
    failure = Failure(Kind.EOF, "EOF", got_connection=True, wrote_headers=True)
    assert retriable(failure, replayable=True)
    assert not retriable(failure, replayable=False)


def test_descriptions():
    assert described(Failure(Kind.DIAL, "refused"), replayable=False) == "incomplete request (refused)"
    assert described(Failure(Kind.EOF, "EOF", True, True), replayable=True) == "EOF (via idempotent request)"
    assert described(Failure(Kind.EOF, "EOF", True, True), replayable=False) == "EOF"
    assert described(Failure(Kind.CANCELLED, "EOF"), replayable=False) == "context canceled (EOF)"
