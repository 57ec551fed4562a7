"""What is checked of the PEM files for TLS with backends, in upstream's order and words."""

from typing import Final

from cfroute.go import pem

_CERTIFICATE: Final = "CERTIFICATE"
_MALFORMED: Final = "x509: malformed certificate"


class PemError(Exception):
    """A file cannot be used; the message is upstream's."""


def check_authorities(path: str, content: bytes) -> None:
    """A bundle of certificates and nothing else; it may be empty. Raises PemError."""
    text = content.decode("latin-1")
    end = 0
    for block in pem.blocks(text):
        if block.headers:
            shown = " ".join(f"{name}:{value}" for name, value in sorted(block.headers.items()))
            raise PemError(f'Unexpected headers in PEM block in file "{path}": map[{shown}]')
        if block.label != _CERTIFICATE:
            raise PemError(f'Unexpected PEM block type "{block.label}" in file "{path}" (wanted CERTIFICATE)')
        if not pem.is_certificate(block.der):
            raise PemError(f'failed to parse certificate in "{path}": {_MALFORMED}')
        end = block.end
    if text[end:].strip():
        raise PemError(f'Invalid PEM block found in file "{path}"')


def check_client(path: str, content: bytes) -> None:
    """A certificate, then its key, and nothing else. Raises PemError."""
    text = content.decode("latin-1")
    labels = [block.label for block in pem.blocks(text)]
    if labels[:1] != [_CERTIFICATE]:
        raise PemError(f'Invalid PEM CERTIFICATE found in file "{path}"')
    if len(labels) == 1 or not labels[1].endswith("PRIVATE KEY"):
        raise PemError(f'Invalid PEM PRIVATE KEY found in file "{path}"')
    certificate, key, *_ = pem.blocks(text)
    if text[key.end :].strip():
        raise PemError(f"Unexpected data at the end of {path}")
    problem = pem.pair_problem(text[: certificate.end], text[certificate.end :])
    if problem is not None:
        raise PemError(f'Unable to validate backend TLS client cert + key in file "{path}": {problem}')
