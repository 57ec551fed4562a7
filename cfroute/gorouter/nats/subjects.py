"""Distinguished names of certificates in the text form of Go's `pkix.Name`, by which rules compare them.

SERIALNUMBER=7,CN=router,STREET=…,L=Berlin,OU=app+OU=space,O=acme,C=DE
"""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from cryptography.x509 import Name


class Subject(Protocol):
    """The attributes that are compared; `config.CertSubject` is one."""

    country: list[str]
    organization: list[str]
    organizational_unit: list[str]
    common_name: str
    serial_number: str
    locality: list[str]
    province: list[str]
    street_address: list[str]
    postal_code: list[str]


def rdn_string(subject: Subject) -> str:
    """The name as Go prints it: the last relative name first, several values of one joined with `+`."""
    parts = (
        ("C", subject.country),
        ("O", subject.organization),
        ("OU", subject.organizational_unit),
        ("L", subject.locality),
        ("ST", subject.province),
        ("STREET", subject.street_address),
        ("POSTALCODE", subject.postal_code),
        ("CN", [subject.common_name] if subject.common_name else []),
        ("SERIALNUMBER", [subject.serial_number] if subject.serial_number else []),
    )
    names = ["+".join(f"{label}={_escaped(value)}" for value in values) for label, values in parts if values]
    return ",".join(reversed(names))


def certificate_rdn_string(name: "Name") -> str:
    """The same for the subject of a certificate."""
    from cryptography.x509.oid import NameOID

    from cfroute.gorouter.config_sections import CertSubject

    def values(oid: object) -> list[str]:
        return [str(attribute.value) for attribute in name if attribute.oid == oid]

    return rdn_string(
        CertSubject(
            country=values(NameOID.COUNTRY_NAME),
            organization=values(NameOID.ORGANIZATION_NAME),
            organizational_unit=values(NameOID.ORGANIZATIONAL_UNIT_NAME),
            locality=values(NameOID.LOCALITY_NAME),
            province=values(NameOID.STATE_OR_PROVINCE_NAME),
            street_address=values(NameOID.STREET_ADDRESS),
            postal_code=values(NameOID.POSTAL_CODE),
            common_name=next(reversed(values(NameOID.COMMON_NAME)), ""),
            serial_number=next(reversed(values(NameOID.SERIAL_NUMBER)), ""),
        )
    )


def _escaped(value: str) -> str:
    special = "".join("\\" + char if char in ',+"\\<>;' else char for char in value)
    if special[:1] in ("#", " "):
        special = "\\" + special
    return special[:-1] + "\\ " if len(value) > 1 and special.endswith(" ") else special
