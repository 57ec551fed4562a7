"""`verify_client_certificate_metadata`: who, among the clients with a certificate of a certain authority, may come in.

A rule is about all chains with a CA of its subject, and lists the subjects that a client's certificate may then have. Subjects
are compared as Go prints them (`subjects`). Clients under other authorities are not the rules' concern.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from cfroute.gorouter.config import Config
from cfroute.gorouter.nats.subjects import certificate_rdn_string, rdn_string


@dataclass(frozen=True, slots=True)
class Rule:
    """Subjects that are allowed under the CA with the subject `authority`."""

    authority: str
    allowed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Violation:
    """A subject that is not allowed under `authority`."""

    authority: str
    subject: str

    def __str__(self) -> str:
        return f"subject not in the list of allowed subjects for CA Subject {self.authority}: {self.subject}"


def rules_of(config: Config) -> list[Rule]:
    """The rules of the configuration; none when they are switched off."""
    if not config.enable_verify_client_certificate_metadata:
        return []
    return [
        Rule(rdn_string(rule.issuer_in_chain), tuple(map(rdn_string, rule.valid_cert_subjects)))
        for rule in config.verify_client_certificate_metadata
    ]


def violation(rules: Sequence[Rule], chain: Sequence[bytes]) -> Violation | None:
    """The first rule that a chain of certificates (DER, the client's first) breaks."""
    if len(chain) < 2:
        return None
    leaf, _ = _described(chain[0])
    for certificate in chain[1:]:
        subject, is_authority = _described(certificate)
        for rule in rules:
            if is_authority and rule.authority == subject and leaf not in rule.allowed:
                return Violation(rule.authority, leaf)
    return None


@lru_cache(1024)
def _described(certificate: bytes) -> tuple[str, bool]:
    """The subject of a certificate, and whether it is that of an authority."""
    from cryptography import x509

    parsed = x509.load_der_x509_certificate(certificate)
    try:
        constraints = parsed.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return certificate_rdn_string(parsed.subject), False
    return certificate_rdn_string(parsed.subject), constraints.ca
