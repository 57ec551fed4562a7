"""Keys: several, one of which signs; and that they may be replaced while the UAA runs."""

from pathlib import Path

import httpx
import joserfc.jwt
import msgspec
import pytest
from joserfc.jwk import KeySet

from cfroute import certificates
from cfroute.errors import ConfigurationError
from cfroute.uaa.config import Config
from cfroute.uaa.keys import Keys

from .conftest import Uaa
from .daemon import Daemon


@pytest.fixture
def second(tmp_path: Path) -> Path:
    path = tmp_path / "second.pem"
    path.write_bytes(certificates.make_signing_key())
    return path


def rotated(config: Config, second: Path, **old: str) -> Config:
    return msgspec.structs.replace(config, signing_key=str(second), signing_key_id="k2", verification_keys=old)


@pytest.mark.statement("UAA 2", "after a rotation the new key signs and stands in `/token_key`, and the old one still verifies")
def test_after_a_rotation_old_tokens_are_good_and_new_ones_have_the_new_key(uaa: Uaa, second: Path) -> None:
    old = uaa.token()
    uaa.keys.rotate(rotated(uaa.config, second, k1=uaa.config.signing_key))
    shown = uaa("GET", "/token_keys").json()
    assert [key["kid"] for key in shown["keys"]] == ["k2", "k1"]
    assert uaa("GET", "/token_key").json() == shown["keys"][0]
    for token, name in ((old, "k1"), (uaa.token(), "k2")):
        read = joserfc.jwt.decode(token, KeySet.import_key_set(shown), algorithms=["RS256"])
        assert read.header["kid"] == name
        assert uaa("GET", "/Users", token=token).status_code == 200


def test_a_key_that_is_gone_takes_its_tokens_along(uaa: Uaa, second: Path) -> None:
    token = uaa.token()
    uaa.keys.rotate(rotated(uaa.config, second))
    assert uaa("GET", "/Users", token=token).json()["error"] == "invalid_token"


def test_a_public_half_is_enough_to_verify(uaa: Uaa, second: Path, tmp_path: Path) -> None:
    half = tmp_path / "half.pub"
    half.write_bytes(certificates.public_half(Path(uaa.config.signing_key).read_bytes()))
    token = uaa.token()
    uaa.keys.rotate(rotated(uaa.config, second, k1=str(half)))
    assert uaa.keys.claims(token) is not None


def test_unusable_files_say_which_and_change_nothing(uaa: Uaa, tmp_path: Path) -> None:
    (tmp_path / "bad.pem").write_text("no key")
    for config in (
        rotated(uaa.config, tmp_path / "none.pem"),
        rotated(uaa.config, tmp_path / "bad.pem"),
        rotated(uaa.config, Path(uaa.config.signing_key), k1=str(tmp_path / "none.pem")),
        rotated(uaa.config, Path(uaa.config.signing_key), k1=str(tmp_path / "bad.pem")),
    ):
        with pytest.raises(ConfigurationError, match=r"(none|bad).pem"):
            Keys(config)
        with pytest.raises(ConfigurationError):
            uaa.keys.rotate(config)
    assert uaa("GET", "/token_key").json()["kid"] == "k1"


def test_a_hangup_rotates_the_keys_of_the_daemon(config: Config, second: Path) -> None:
    with Daemon(config) as daemon:
        first = daemon.client_token("tcp_router", "generated")
        daemon.write(rotated(config, second, k1=config.signing_key))
        daemon.hang_up("keys-rotated")
        shown = KeySet.import_key_set(httpx.get(f"{daemon.url}/token_keys", verify=daemon.trusts).json())
        for token, name in ((first, "k1"), (daemon.client_token("tcp_router", "generated"), "k2")):
            assert joserfc.jwt.decode(token, shown, algorithms=["RS256"]).header["kid"] == name
        daemon.write(rotated(config, second.with_name("none.pem")))
        daemon.hang_up("keys-not-rotated")
        assert daemon.client_token("tcp_router", "generated")
