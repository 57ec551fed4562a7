"""Who calls, by the certificate that Diego gives to each instance: app, space and organization stand in its subject.

CN=<instance guid>, OU=organization:<guid>, OU=space:<guid>, OU=app:<guid>
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography.x509 import Name

_PREFIXES: Final = ("app:", "space:", "organization:")


@dataclass(frozen=True, slots=True)
class Caller:
    """GUIDs of the calling app, of its space and its organization."""

    app: str
    space: str
    organization: str


@lru_cache(4096)
def caller_of(certificate: bytes) -> Caller | None:
    """Whom a certificate (DER) stands for; None if it is not one of an app's instance."""
    units = _units(_subject(certificate))
    found = [next((unit[len(prefix) :] for unit in units if unit.startswith(prefix)), "") for prefix in _PREFIXES]
    return Caller(*found) if found[0] else None


@lru_cache(4096)
def envoy_header(certificate: bytes) -> bytes:
    """`X-Forwarded-Client-Cert` in Envoy's form: the certificate's hash and its subject."""
    from cryptography.x509.oid import NameOID

    subject = _subject(certificate)
    parts = [f"CN={attribute.value!s}" for attribute in subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    units = _units(subject)
    parts += [f"OU={unit}" for prefix in _PREFIXES for unit in units if unit.startswith(prefix)]
    parts += [f"OU={unit}" for unit in units if not unit.startswith(_PREFIXES)]
    text = ",".join(parts).replace("\\", "\\\\").replace('"', '\\"')
    return f'Hash={hashlib.sha256(certificate).hexdigest()};Subject="{text}"'.encode()


def _subject(certificate: bytes) -> "Name":
    from cryptography import x509

    return x509.load_der_x509_certificate(certificate).subject


def _units(subject: "Name") -> list[str]:
    from cryptography.x509.oid import NameOID

    return [str(attribute.value) for attribute in subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)]
