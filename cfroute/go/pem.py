"""PEM texts of the configuration, judged as Go's crypto/tls and crypto/x509 judge them."""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cryptography.x509 import Name

_BLOCK = re.compile(r"^-----BEGIN ([^\n]*?)-----[ \t]*\r?\n(.*?)^-----END \1-----[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_HEADER = re.compile(r"^[^\n]*:[^\n]*\n", re.MULTILINE)


class Block(NamedTuple):
    """One PEM block: `CERTIFICATE`, `RSA PRIVATE KEY`, … its DER bytes, the lines before them, and where the text goes on."""

    label: str
    der: bytes
    headers: dict[str, str]
    end: int


def blocks(text: str) -> list[Block]:
    """The well-formed blocks; whatever else the text has is skipped."""
    return list(_blocks(text))


def _blocks(text: str) -> Iterator[Block]:
    for match in _BLOCK.finditer(text):
        label, body = match.groups()
        try:
            der = base64.b64decode("".join(_HEADER.sub("", body).split()), validate=True)
        except binascii.Error:
            continue
        parted = (line.partition(":") for line in _HEADER.findall(body))
        yield Block(label, der, {name.strip(): value.strip() for name, _, value in parted}, match.end())


def has_certificate(text: str) -> bool:
    """Whether at least one certificate of the bundle can be read: what it takes to be accepted as a CA bundle."""
    return any(block.label == "CERTIFICATE" and is_certificate(block.der) for block in blocks(text))


def pair_problem(chain: str, key: str) -> str | None:
    """Why certificate chain and private key cannot be used together, in Go's words; None when they can."""
    certificates = [block.der for block in blocks(chain) if block.label == "CERTIFICATE"]
    skipped = [block.label for block in blocks(chain) if block.label != "CERTIFICATE"]
    if not certificates:
        return _no_certificate(skipped)
    labels = [block.label for block in blocks(key)]
    keys = [block.der for block in blocks(key) if block.label.endswith("PRIVATE KEY")]
    return _mismatch(certificates[0], keys[0]) if keys else _no_key(labels)


def _no_certificate(skipped: list[str]) -> str:
    if not skipped:
        return "tls: failed to find any PEM data in certificate input"
    if len(skipped) == 1 and skipped[0].endswith("PRIVATE KEY"):
        return (
            "tls: failed to find certificate PEM data in certificate input, but did find a private key; "
            "PEM inputs may have been switched"
        )
    return (
        'tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks '
        f"of the following types: [{' '.join(skipped)}]"
    )


def _no_key(skipped: list[str]) -> str:
    if not skipped:
        return "tls: failed to find any PEM data in key input"
    if skipped == ["CERTIFICATE"]:
        return "tls: found a certificate rather than a key in the PEM for the private key"
    return (
        'tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks '
        f"of the following types: [{' '.join(skipped)}]"
    )


# cryptography takes a while to import, and a configuration without certificates does not need it: hence inside.


def subjects(bundle: str) -> "list[Name]":
    """The subjects of a bundle's certificates."""
    from cryptography import x509

    found = [block.der for block in blocks(bundle) if block.label == "CERTIFICATE" and is_certificate(block.der)]
    return [x509.load_der_x509_certificate(der).subject for der in found]


def is_certificate(der: bytes) -> bool:
    """Whether these bytes can be read as one."""
    from cryptography import x509

    try:
        x509.load_der_x509_certificate(der)
    except ValueError:
        return False
    return True


def _mismatch(certificate: bytes, key: bytes) -> str | None:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key

    try:
        public = x509.load_der_x509_certificate(certificate).public_key()
    except ValueError:
        return "x509: malformed certificate"
    try:
        ours = load_der_private_key(key, None).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return "tls: failed to parse private key"
    if type(public) is not type(ours):
        return "tls: private key type does not match public key type"
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if public.public_bytes(*form) != ours.public_bytes(*form):
        return "tls: private key does not match public key"
    return None
