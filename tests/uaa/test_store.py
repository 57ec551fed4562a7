import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from cfroute.errors import ConfigurationError
from cfroute.uaa import passwords
from cfroute.uaa.config import Client, Config, User, load
from cfroute.uaa.keys import SigningKey
from cfroute.uaa.store import Store


def test_secrets_are_hashed_at_rest(config: Config, store: Store) -> None:
    store.close()
    for file in Path(config.database).parent.glob("uaa.sqlite*"):
        assert b"s:e&c r%t" not in file.read_bytes()
        assert b"pw2" not in file.read_bytes()
        assert stat.S_ISREG(file.stat().st_mode)


def test_seeding_again_creates_only_what_is_missing(config: Config, store: Store) -> None:
    before = store.user(name="admin")
    store.seed(
        {**config.clients, "new": Client(secret="n")},
        [*config.users, User("third", "x")],
        lambda: "guid-of-third",
    )
    assert store.user(name="admin") == before
    assert store.client("new") is not None
    third = store.user(guid="guid-of-third")
    assert third is not None
    assert third.account.name == "third"


def test_those_with_generated_secrets_are_kept_as_configured(store: Store) -> None:
    tool = Client(secret="first", generated=True, scope=["openid"])
    robot = User("robot", "first", ["openid"], generated=True)
    store.seed({"tool": tool}, [robot], lambda: "guid-of-robot")
    before = store.client("tool"), store.user(name="robot")
    store.seed({"tool": tool}, [robot], lambda: "never")
    assert (store.client("tool"), store.user(name="robot")) == before
    wider = msgspec.structs.replace(tool, scope=["openid", "scim.read"])
    store.seed({"tool": wider}, [msgspec.structs.replace(robot, password="second")], lambda: "never")
    client, user = store.client("tool"), store.user(name="Robot")
    assert client is not None
    assert user is not None
    assert client.scope == ["openid", "scim.read"]
    assert user.account.guid == "guid-of-robot"
    assert passwords.matches("second", user.password)
    assert not passwords.matches("first", user.password)


def test_many_threads_may_ask_at_once(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: store.user(name="admin" if number % 2 else "dev"), range(100)))
    assert {user.account.name for user in found if user} == {"admin", "dev"}


@pytest.mark.parametrize("generated", [True, False])
def test_the_same_secret_never_has_the_same_hash(generated: bool) -> None:
    first, second = (passwords.hashed("x", generated=generated) for _ in range(2))
    assert first != second
    assert first.startswith("sha256$" if generated else "scrypt$")
    assert passwords.matches("x", first)
    assert not passwords.matches("y", first)
    assert not passwords.matches("", None)


def test_unusable_files_say_which(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none/uaa.sqlite"):
        Store.open(str(tmp_path / "none" / "uaa.sqlite"))
    with pytest.raises(ConfigurationError, match=r"none.pem: No such file"):
        SigningKey.load(str(tmp_path / "none.pem"))
    (tmp_path / "bad.pem").write_text("no key")
    with pytest.raises(ConfigurationError, match=r"bad.pem"):
        SigningKey.load(str(tmp_path / "bad.pem"))
    garbage = tmp_path / "garbage.sqlite"
    garbage.write_bytes(b"this is no database, not at all, and long enough to be taken for one" * 20)
    with pytest.raises(ConfigurationError, match=r"garbage.sqlite"):
        Store.open(str(garbage))


def test_configuration_errors_name_the_key(tmp_path: Path) -> None:
    file = tmp_path / "uaa.yml"
    with pytest.raises(ConfigurationError, match=r"uaa.yml: No such file"):
        load(file)
    file.write_text("issuer: x\ndatabase: y\nsigning_key: z\nprot: 1\n")
    with pytest.raises(ConfigurationError, match="prot"):
        load(file)
    file.write_text("issuer: [\n")
    with pytest.raises(ConfigurationError, match=r"uaa.yml"):
        load(file)
    file.write_text("issuer: x\ndatabase: y\nsigning_key: z\nclients: {cf: {grants: [password]}}\n")
    assert load(file).clients["cf"].secret == ""
