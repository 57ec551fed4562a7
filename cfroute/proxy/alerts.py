"""Alerts of TLS: their numbers, the record that carries one, and what Go's crypto/tls says for them."""

import re
from types import MappingProxyType
from typing import Final

HANDSHAKE_FAILURE: Final = 40
BAD_CERTIFICATE: Final = 42
NO_APPLICATION_PROTOCOL: Final = 120
_IN_WORDS: Final = re.compile(r"\[SSL\] (.*) \(_ssl\.c:[0-9]+\)")


class RefusedError(Exception):
    """A client is not let in although its TLS is right: the alert that it is sent, and the text for the log."""

    def __init__(self, alert: int, text: str) -> None:
        super().__init__(text)
        self.alert = alert


def record(alert: int) -> bytes:
    """The fatal alert in a record, as it is sent before encryption begins."""
    return bytes((21, 3, 3, 0, 2, 2, alert))


# What OpenSSL calls an alert that has come -> what Go calls it.
_RECEIVED: Final = {
    "SSLV3_ALERT_UNEXPECTED_MESSAGE": "unexpected message",
    "SSLV3_ALERT_BAD_RECORD_MAC": "bad record MAC",
    "TLSV1_ALERT_DECRYPTION_FAILED": "decryption failed",
    "TLSV1_ALERT_RECORD_OVERFLOW": "record overflow",
    "SSLV3_ALERT_DECOMPRESSION_FAILURE": "decompression failure",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "handshake failure",
    "SSLV3_ALERT_BAD_CERTIFICATE": "bad certificate",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": "unsupported certificate",
    "SSLV3_ALERT_CERTIFICATE_REVOKED": "revoked certificate",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "expired certificate",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "unknown certificate",
    "SSLV3_ALERT_ILLEGAL_PARAMETER": "illegal parameter",
    "TLSV1_ALERT_UNKNOWN_CA": "unknown certificate authority",
    "TLSV1_ALERT_ACCESS_DENIED": "access denied",
    "TLSV1_ALERT_DECODE_ERROR": "error decoding message",
    "TLSV1_ALERT_DECRYPT_ERROR": "error decrypting message",
    "TLSV1_ALERT_PROTOCOL_VERSION": "protocol version not supported",
    "TLSV1_ALERT_INSUFFICIENT_SECURITY": "insufficient security level",
    "TLSV1_ALERT_INTERNAL_ERROR": "internal error",
    "TLSV1_ALERT_INAPPROPRIATE_FALLBACK": "inappropriate fallback",
    "TLSV1_ALERT_USER_CANCELLED": "user canceled",
    "TLSV1_ALERT_NO_RENEGOTIATION": "no renegotiation",
    "TLSV13_ALERT_MISSING_EXTENSION": "missing extension",
    "TLSV1_UNSUPPORTED_EXTENSION": "unsupported extension",
    "TLSV1_UNRECOGNIZED_NAME": "unrecognized name",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "certificate required",
    "TLSV1_ALERT_NO_APPLICATION_PROTOCOL": "no application protocol",
}

# What OpenSSL finds wrong with a message -> what Go does.
_FOUND: Final = {
    "NO_SHARED_CIPHER": "no cipher suite supported by both client and server",
    "NO_SUITABLE_SIGNATURE_ALGORITHM": "peer doesn't support any of the certificate's signature algorithms",
    "NO_SUITABLE_GROUPS": "no ECDHE curve supported by both client and server",
    "NO_SUITABLE_KEY_SHARE": "no ECDHE curve supported by both client and server",
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "client didn't provide a certificate",
    "DECRYPTION_FAILED_OR_BAD_RECORD_MAC": "bad record MAC",
    "UNSUPPORTED_PROTOCOL": "protocol version not supported",
    "INAPPROPRIATE_FALLBACK": "client using inappropriate protocol fallback",
}

TEXTS: Final = MappingProxyType(
    {reason: f"remote error: tls: {text}" for reason, text in _RECEIVED.items()}
    | {reason: f"tls: {text}" for reason, text in _FOUND.items()}
)
"""OpenSSL's name of an error -> Go's text for it."""


def reason(name: str | None, message: str) -> str:
    """OpenSSL's name of an error. Python does not know it of each (None), but then its message says the same in words."""
    if name is None:
        found = _IN_WORDS.match(message)
        return found[1].upper().replace(" ", "_") if found else ""
    return name


def text(name: str | None, message: str) -> str:
    """Go's text for an error with OpenSSL's name and Python's message."""
    known = reason(name, message)
    return TEXTS.get(known) or f"tls: {known.lower().replace('_', ' ') or message}"
