"""What can go wrong between the proxy and a backend, as values.

The text is what Go's net/http would have said: clients see it in `X-Cf-RouterError`, and operators search their logs for it.
Foreign exceptions become a `Failure` here and nowhere else.
"""

import errno
import socket
import ssl
from dataclasses import dataclass, field
from enum import Enum, auto

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
    another request before; timings how far it got with a new one.
    """

    kind: Kind
    text: str
    got_connection: bool = False
    wrote_headers: bool = False
    reused: bool = False
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

_VERIFY = "tls: failed to verify certificate: x509: "
_REFUSED_CERTIFICATE = ("BAD_CERTIFICATE", "UNKNOWN_CA", "CERTIFICATE_REQUIRED")
_ALERTS = {
    "SSLV3_ALERT_BAD_CERTIFICATE": "remote error: tls: bad certificate",
    "TLSV1_ALERT_UNKNOWN_CA": "remote error: tls: unknown certificate authority",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "remote error: tls: certificate required",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "remote error: tls: handshake failure",
    "TLSV1_ALERT_PROTOCOL_VERSION": "remote error: tls: protocol version not supported",
}


def dial_failure(error: OSError | UnicodeError, host: str, port: int) -> Failure:
    """Why a connection to host:port could not be had."""
    if isinstance(error, socket.gaierror | UnicodeError):  # the latter: nothing that could be asked for
        return Failure(Kind.DIAL, f"dial tcp: lookup {host}: no such host")
    if isinstance(error, TimeoutError) and error.errno is None:
        return Failure(Kind.DIAL, f"dial tcp {host}:{port}: i/o timeout")
    text = _ERRNO_TEXT.get(error.errno or 0) or f"connect: {str(error).lower()}"
    return Failure(Kind.DIAL, f"dial tcp {host}:{port}: {text}")


def handshake_failure(error: OSError | ValueError, addresses: str, name: str) -> Failure:
    """Why the connection (`addresses` as in `1.1.1.1:1->2.2.2.2:2`) could not be made TLS with a server called `name`."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _certificate_failure(error, name)
    if isinstance(error, ssl.SSLError):
        return _tls_failure(error)
    if isinstance(error, ConnectionError):
        return lost_failure(error if error.errno else None, addresses, got_connection=False)
    if isinstance(error, OSError):
        return Failure(Kind.OTHER, str(error))
    return Failure(Kind.HOSTNAME_MISMATCH, f"{_VERIFY}certificate is not valid for {name}")  # what no certificate can name


def _certificate_failure(error: ssl.SSLCertVerificationError, name: str) -> Failure:
    if error.verify_code in (62, 64):  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH
        return Failure(Kind.HOSTNAME_MISMATCH, f"{_VERIFY}certificate is not valid for {name}")
    if error.verify_code in (9, 10):  # not yet valid, expired
        text = "certificate has expired or is not yet valid"
    elif error.verify_code in (18, 19, 20, 21):
        text = "certificate signed by unknown authority"
    else:
        text = error.verify_message or str(error)
    return Failure(Kind.UNTRUSTED, _VERIFY + text)


def _tls_failure(error: ssl.SSLError) -> Failure:
    reason = error.reason or ""
    text = _ALERTS.get(reason, f"tls: {reason.lower().replace('_', ' ') or error}")
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
