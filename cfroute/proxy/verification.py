"""Why a server's certificate was refused, as Go's crypto/x509 judges and says it.

OpenSSL decides whether a certificate is accepted. Where there is more than one thing wrong, it names another one first than Go
does, and the class of a failure depends on it (a wrong name is a 503, an unknown authority a 526): so the reason is found here.
"""

from datetime import UTC, datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, NameAttribute, SubjectAlternativeName

_PREFIX: Final = "tls: failed to verify certificate: x509: "

# OpenSSL's numbers (X509_V_ERR_…) -> Go's words, for what does not depend on the name or the time.
_TEXTS: Final = {
    2: "certificate signed by unknown authority",
    18: "certificate signed by unknown authority",
    19: "certificate signed by unknown authority",
    20: "certificate signed by unknown authority",
    21: "certificate signed by unknown authority",
    9: "certificate has expired or is not yet valid",
    10: "certificate has expired or is not yet valid",
    24: "certificate is not authorized to sign other certificates",
    25: "too many intermediates for path length constraint",
    26: "certificate specifies an incompatible key usage",
    79: "certificate is not authorized to sign other certificates",
}


def text(code: int, message: str) -> str:
    """What is wrong by OpenSSL's number for it, and its words where Go has none of its own."""
    return _PREFIX + (_TEXTS.get(code) or message)


def server_problem(code: int, message: str, name: str, certificate: bytes, now: float) -> tuple[bool, str]:
    """Why a server that was asked for by `name` is refused, and whether that is because of the name.

    certificate is the server's, as DER; now in seconds of the epoch; code and message are OpenSSL's.
    """
    from cryptography import x509

    leaf = x509.load_der_x509_certificate(certificate)
    expired = _out_of_time(leaf, datetime.fromtimestamp(now, UTC))
    if expired:
        return False, f"{_PREFIX}certificate has expired or is not yet valid: {expired}"
    mismatch = _mismatch(leaf, name)
    if mismatch:
        return True, _PREFIX + mismatch
    return False, text(code, message)


def _out_of_time(leaf: "Certificate", now: datetime) -> str:
    if now < leaf.not_valid_before_utc:
        return f"current time {_go_time(now)} is before {_go_time(leaf.not_valid_before_utc)}"
    if now > leaf.not_valid_after_utc:
        return f"current time {_go_time(now)} is after {_go_time(leaf.not_valid_after_utc)}"
    return ""


def _go_time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _mismatch(leaf: "Certificate", name: str) -> str:
    """Why the certificate does not stand for that name or address; "" if it does."""
    from cryptography import x509

    names = _alternative_names(leaf)
    try:
        address = ip_address(name.strip("[]"))
    except ValueError:
        address = None
    if names is None and any(_matches(name, str(common.value)) for common in _common_names(leaf)):
        return "certificate relies on legacy Common Name field, use SANs instead"
    if address is not None:
        addresses = names.get_values_for_type(x509.IPAddress) if names is not None else []
        if not addresses:
            return f"cannot validate certificate for {name} because it doesn't contain any IP SANs"
        valid = [str(one) for one in addresses]
        fits = address in addresses
    else:
        valid = names.get_values_for_type(x509.DNSName) if names is not None else []
        fits = any(_matches(name, pattern) for pattern in valid)
    if fits:
        return ""
    if not valid:
        return f"certificate is not valid for any names, but wanted to match {name}"
    return f"certificate is valid for {', '.join(valid)}, not {name}"


def _alternative_names(leaf: "Certificate") -> "SubjectAlternativeName | None":
    from cryptography import x509

    try:
        return leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return None


def _common_names(leaf: "Certificate") -> "list[NameAttribute[str | bytes]]":
    from cryptography.x509.oid import NameOID

    return leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)


def _matches(name: str, pattern: str) -> bool:
    """Whether a name fits one of a certificate, whose first label may be `*` for any one label."""
    wanted, allowed = name.lower().removesuffix(".").split("."), pattern.lower().split(".")
    if not all(wanted) or not all(allowed) or len(wanted) != len(allowed):
        return False
    return wanted[1:] == allowed[1:] and allowed[0] in (wanted[0], "*")
