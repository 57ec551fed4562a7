"""Every way in which an attempt can fail, and what follows from it: one table.

The proxy retries, marks, prunes and answers by it, the tests walk through it, and `cfroute docs errors` is checked against it.
Order and texts are upstream's (its classifiers and its error handler).
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from cfroute.proxy.failure import Failure, Kind

_DEFAULT = "502 Bad Gateway: Registered endpoint failed to handle the request."


class Retry(Enum):
    """When an attempt of a class may be followed by another."""

    ALWAYS = "always"
    IDEMPOTENT = "if the request may be repeated"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class FailureClass:
    """One row. `failable` marks the endpoint as failed for the cool-down; `prunable` takes a TLS endpoint out of the pool."""

    name: str
    kinds: frozenset[Kind]
    status: int
    body: str
    retry: Retry
    failable: bool = False
    prunable: bool = False
    metric: str = ""


def _row(
    name: str,
    kind: Kind,
    status: int,
    body: str,
    retry: Retry,
    *,
    failable: bool = False,
    prunable: bool = False,
    metric: str = "",
) -> FailureClass:
    return FailureClass(name, frozenset((kind,)), status, body, retry, failable, prunable, metric)


FAILURES: Final = (
    _row("not-tls", Kind.NOT_TLS, 525, "525 SSL Handshake Failed", Retry.ALWAYS,
         failable=True, prunable=True, metric="backend_tls_handshake_failed"),
    _row("hostname-mismatch", Kind.HOSTNAME_MISMATCH, 503, "503 Service Unavailable", Retry.ALWAYS,
         failable=True, prunable=True, metric="backend_invalid_id"),
    _row("untrusted-certificate", Kind.UNTRUSTED, 526, "526 Invalid SSL Certificate", Retry.ALWAYS,
         failable=True, prunable=True, metric="backend_invalid_tls_cert"),
    _row("client-certificate-refused", Kind.CLIENT_CERTIFICATE_REFUSED, 496, "496 SSL Certificate Required", Retry.ALWAYS,
         failable=True, prunable=True, metric="backend_invalid_tls_cert"),
    _row("cancelled", Kind.CANCELLED, 499, "499 Request Cancelled", Retry.NEVER),
    _row("handshake-failure", Kind.HANDSHAKE, 525, "525 SSL Handshake Failed", Retry.ALWAYS,
         failable=True, prunable=True, metric="backend_tls_handshake_failed"),
    _row("handshake-timeout", Kind.HANDSHAKE_TIMEOUT, 502, _DEFAULT, Retry.ALWAYS,
         failable=True, prunable=True, metric="bad_gateways"),
    _row("dial", Kind.DIAL, 502, _DEFAULT, Retry.ALWAYS, failable=True, prunable=True, metric="bad_gateways"),
    _row("eof", Kind.EOF, 502, _DEFAULT, Retry.IDEMPOTENT, metric="bad_gateways"),
    _row("reset", Kind.RESET, 502, _DEFAULT, Retry.NEVER, failable=True, metric="bad_gateways"),
    FailureClass("other", frozenset((Kind.TIMEOUT, Kind.MALFORMED, Kind.NO_TARGET, Kind.OTHER)), 502, _DEFAULT,
                 Retry.NEVER, metric="bad_gateways"),
)  # fmt: skip

_BY_KIND: Final = {kind: row for row in FAILURES for kind in row.kinds}


def classify(failure: Failure) -> FailureClass:
    """The row that a failure belongs to."""
    return _BY_KIND[failure.kind]


def retriable(failure: Failure, *, replayable: bool) -> bool:
    """Whether the request may be tried once more. Before its head was sent, nothing can have been done with it."""
    row = classify(failure)
    if failure.kind is Kind.CANCELLED or failure.kind is Kind.NO_TARGET:
        return False
    if row.retry is Retry.ALWAYS or not failure.wrote_headers:
        return failure.kind is not Kind.TIMEOUT
    return row.retry is Retry.IDEMPOTENT and replayable


def described(failure: Failure, *, replayable: bool) -> str:
    """The error as upstream's log has it, wrapped with what made it retriable."""
    if failure.kind is Kind.CANCELLED:
        return f"context canceled ({failure.text})"
    if retriable(failure, replayable=replayable):
        if classify(failure).retry is Retry.IDEMPOTENT and failure.wrote_headers:
            return f"{failure.text} (via idempotent request)"
        if not failure.wrote_headers:
            return f"incomplete request ({failure.text})"
    return failure.text
