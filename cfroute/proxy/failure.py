"""What can go wrong between the proxy and a backend, as values.

The text is what Go's net/http would have said: clients see it in `X-Cf-RouterError`, and operators search their logs for it.
Foreign exceptions become a `Failure` here and nowhere else.
"""

import errno
import socket
import ssl
from dataclasses import dataclass, field
from enum import Enum, auto

from cfroute.proxy import alerts, verification
from cfroute.proxy.timings import NOT_MEASURED, Timings


class Kind(Enum):
    """The classes of failure that a proxy may have to tell apart."""

    DIAL = auto()  # no connection: refused, timeout, unreachable, no such host
    NOT_TLS = auto()  # the backend answered our TLS hello with something else
    HOSTNAME_MISMATCH = auto()
    UNTRUSTED = auto()  # unknown authority, expired, or otherwise failing verification
    CLIENT_CERTIFICATE_REFUSED = auto()  # alerts bad_certificate, unknown_ca, certificate_required
    HANDSHAKE = auto()  # alert handshake_failure, protocol_version
    HANDSHAKE_TIMEOUT = auto()
    EOF = auto()  # closed before a response
    RESET = auto()  # connection reset while reading
    TIMEOUT = auto()  # the whole exchange took too long
    MALFORMED = auto()  # not HTTP, or too large a head
    CANCELLED = auto()  # the client went away
    NO_TARGET = auto()  # nowhere to send it
    OTHER = auto()


@dataclass(slots=True)
class Failure(Exception):
    """One failed attempt.

    wrote_headers tells whether the request's head had been handed to the connection; reused whether the connection had served
    another request before; unprocessed that the backend has certainly not looked at the request; timings how far it got with a
    new connection.
    """

    kind: Kind
    text: str
    got_connection: bool = False
    wrote_headers: bool = False
    reused: bool = False
    unprocessed: bool = False
    timings: Timings = field(default=NOT_MEASURED, compare=False)

    def __str__(self) -> str:
        return self.text


_ERRNO_TEXT = {
    errno.ECONNREFUSED: "connect: connection refused",
    errno.EHOSTUNREACH: "connect: no route to host",
    errno.ENETUNREACH: "connect: network is unreachable",
    errno.ETIMEDOUT: "connect: connection timed out",
    errno.ECONNRESET: "connect: connection reset by peer",
    errno.EADDRNOTAVAIL: "connect: cannot assign requested address",
    errno.EMFILE: "socket: too many open files",
}

_REFUSED_CERTIFICATE = ("BAD_CERTIFICATE", "UNKNOWN_CA", "CERTIFICATE_REQUIRED")


def dial_failure(error: OSError | UnicodeError, host: str, port: int) -> Failure:
    """Why a connection to host:port could not be had."""
    if isinstance(error, socket.gaierror | UnicodeError):  # the latter: nothing that could be asked for
        return Failure(Kind.DIAL, f"dial tcp: lookup {host}: no such host")
    if isinstance(error, TimeoutError) and error.errno is None:
        return Failure(Kind.DIAL, f"dial tcp {host}:{port}: i/o timeout")
    text = _ERRNO_TEXT.get(error.errno or 0) or f"connect: {str(error).lower()}"
    return Failure(Kind.DIAL, f"dial tcp {host}:{port}: {text}")


def handshake_failure(error: OSError, addresses: str) -> Failure:
    """Why the connection (`addresses` as in `1.1.1.1:1->2.2.2.2:2`) could not be made TLS, but for certificates."""
    if isinstance(error, ssl.SSLError):
        return _tls_failure(error)
    if isinstance(error, ConnectionError):
        return lost_failure(error if error.errno else None, addresses, got_connection=False)
    return Failure(Kind.OTHER, str(error))


def certificate_failure(error: ssl.SSLCertVerificationError, name: str, certificate: bytes, now: float) -> Failure:
    """Why the certificate (DER; empty if there is none) of a server that is to be called `name` was refused."""
    code, message = error.verify_code, error.verify_message or str(error)
    if not certificate:
        return Failure(Kind.UNTRUSTED, verification.text(code, message))
    wrong_name, text = verification.server_problem(code, message, name, certificate, now)
    return Failure(Kind.HOSTNAME_MISMATCH if wrong_name else Kind.UNTRUSTED, text)


def _tls_failure(error: ssl.SSLError) -> Failure:
    reason = alerts.reason(error.reason, str(error))
    text = alerts.text(reason or None, str(error))
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG"):
        return Failure(Kind.NOT_TLS, "tls: first record does not look like a TLS handshake")
    if any(part in reason for part in _REFUSED_CERTIFICATE):
        return Failure(Kind.CLIENT_CERTIFICATE_REFUSED, text)
    return Failure(Kind.HANDSHAKE, text)


def lost_failure(error: Exception | None, addresses: str, *, got_connection: bool = True) -> Failure:
    """Why a connection (`addresses` as in `1.1.1.1:1->2.2.2.2:2`) that was waiting for a response is gone."""
    if isinstance(error, ssl.SSLError):
        failure = _tls_failure(error)
        failure.got_connection = got_connection
        return failure
    if isinstance(error, ConnectionResetError):
        return Failure(Kind.RESET, f"read tcp {addresses}: read: connection reset by peer", got_connection)
    if isinstance(error, BrokenPipeError):
        return Failure(Kind.OTHER, f"write tcp {addresses}: write: broken pipe", got_connection)
    return Failure(Kind.EOF, "EOF", got_connection)
