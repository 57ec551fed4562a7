"""Who an instance is, and for how long."""

import stat
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from cfroute.diego.cell.identity import Identity
from cfroute.diego.cell.rotation import renewal
from cfroute.testing.clock import ManualClock

from .tls import Authorities

HOUR = 3600.0
CHANCE = st.floats(0, 1)


@given(issued=st.floats(0, 1e9), hours=st.floats(4.01, 10_000), chance=CHANCE)
def test_long_lived_ones_are_renewed_in_their_last_hour(issued: float, hours: float, chance: float) -> None:
    left = issued + hours * HOUR - renewal(issued, hours * HOUR, chance)
    assert 20 * 60 - 1 <= left <= HOUR + 1


@given(hours=st.floats(0.001, 4), chance=CHANCE)
def test_short_lived_ones_when_a_quarter_to_a_twelfth_is_left(hours: float, chance: float) -> None:
    left = hours * HOUR - renewal(0.0, hours * HOUR, chance)
    assert hours * HOUR / 12.01 <= left <= hours * HOUR / 3.99


def certificate(identity: Identity) -> x509.Certificate:
    return x509.load_pem_x509_certificate(identity.certificate.read_bytes())


def test_a_certificate_says_whose_instance_it_is(tmp_path: Path) -> None:
    clock = ManualClock(datetime(2026, 3, 1, tzinfo=UTC).timestamp())
    identity = Authorities(tmp_path, clock).identity("guid-1", "127.0.0.60")
    found = certificate(identity)
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["guid-1"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.60"]
    assert [(part.oid, part.value) for part in found.subject] == [
        (NameOID.ORGANIZATIONAL_UNIT_NAME, "organization:org-1"),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, "space:space-1"),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, "app:app-1"),
        (NameOID.COMMON_NAME, "guid-1"),
    ]
    assert found.not_valid_after_utc == datetime(2026, 3, 2, tzinfo=UTC)
    assert identity.environment == {
        "CF_INSTANCE_CERT": str(tmp_path / "guid-1/etc/cf-instance-credentials/instance.crt"),
        "CF_INSTANCE_KEY": str(tmp_path / "guid-1/etc/cf-instance-credentials/instance.key"),
    }
    for file in (identity.certificate, identity.key):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_it_is_renewed_in_time_and_only_then(tmp_path: Path) -> None:
    clock = ManualClock(1_700_000_000.0)
    authorities = Authorities(tmp_path, clock)
    identity, gone = authorities.identity(), authorities.identity("instance-2")
    authorities.identities.forget(gone)
    told: list[str] = []
    identity.renewed.append(lambda: told.append("renewed"))
    first, gone_first = certificate(identity), certificate(gone)

    clock.advance(23 * HOUR - 1)
    authorities.identities.renew()
    assert certificate(identity) == first
    clock.advance(40 * 60 + 2)
    authorities.identities.renew()
    assert told == ["renewed"]
    assert certificate(identity).not_valid_after_utc > first.not_valid_after_utc
    assert certificate(gone) == gone_first
    authorities.identities.renew()
    assert told == ["renewed"]


def test_a_disk_that_is_full_is_tried_again(tmp_path: Path) -> None:
    clock = ManualClock(1_700_000_000.0)
    authorities = Authorities(tmp_path, clock)
    identity = authorities.identity()
    first = certificate(identity)
    clock.advance(24 * HOUR)
    away = identity.folder.rename(tmp_path / "away")
    authorities.identities.renew()
    away.rename(identity.folder)
    assert certificate(identity) == first
    authorities.identities.renew()
    assert certificate(identity) != first
