import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from cfroute.errors import ConfigurationError
from cfroute.testing import ManualClock
from cfroute.uaa import passwords
from cfroute.uaa.config import Client, Config, User, load
from cfroute.uaa.store import Store

from .conftest import seed


def test_secrets_are_hashed_at_rest_in_files_that_only_we_read(config: Config, store: Store) -> None:
    for file in Path(config.database).parent.glob("uaa.sqlite*"):
        assert b"s:e&c r%t" not in file.read_bytes()
        assert b"pw2" not in file.read_bytes()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_seeding_again_creates_only_what_is_missing(config: Config, store: Store, clock: ManualClock) -> None:
    before = store.users.named("admin")
    wider = msgspec.structs.replace(
        config, clients={**config.clients, "new": Client(secret="n")}, users=[*config.users, User("third", "x")]
    )
    seed(store, wider, clock, "later")
    assert store.users.named("admin") == before
    assert store.clients.find("new") is not None
    third = store.users.named("THIRD")
    assert third is not None
    assert third.account.groups.keys() == {"openid", "password.write"}


def test_those_with_generated_secrets_are_kept_as_configured(store: Store) -> None:
    tool = Client(secret="first", generated=True, scope=["openid"])
    store.clients.seed({"tool": tool})
    before = store.clients.find("tool")
    store.clients.seed({"tool": tool})
    assert store.clients.find("tool") == before
    store.clients.seed({"tool": msgspec.structs.replace(tool, scope=["openid", "scim.read"], secret="second")})
    after = store.clients.find("tool")
    assert after is not None
    assert after.scope == ["openid", "scim.read"]
    assert passwords.matches("second", after.secret)


def seed_robot(store: Store, password: str, *groups: str) -> str:
    """Whose password it is afterwards."""
    store.users.seed([User("robot", password, list(groups), generated=True)], ["openid"], lambda: "robot", 0.0)
    robot = store.users.find("robot")
    assert robot is not None
    return robot.password


def test_a_password_that_was_changed_stays_until_the_configured_one_changes(store: Store) -> None:
    assert passwords.matches("first", seed_robot(store, "first"))
    store.users.set_password("robot", "own", 1.0)
    assert passwords.matches("own", seed_robot(store, "first", "scim.read"))
    assert passwords.matches("second", seed_robot(store, "second"))
    robot = store.users.find("robot")
    assert robot is not None
    assert robot.account.groups.keys() == {"openid", "scim.read"}


def test_a_database_of_the_first_kind_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite"
    with sqlite3.connect(path) as old:
        old.execute("CREATE TABLE clients (name TEXT PRIMARY KEY, secret TEXT, authorities TEXT, scope TEXT, grants TEXT)")
        old.execute("CREATE TABLE users (guid TEXT PRIMARY KEY, name TEXT, password TEXT, groups TEXT)")
        old.execute("INSERT INTO clients VALUES ('cf', 'hash', '[]', '[\"openid\"]', '[\"password\"]')")
        old.execute("INSERT INTO users VALUES ('guid-1', 'admin', 'hash', '[\"openid\", \"scim.read\"]')")
        old.execute("INSERT INTO users VALUES ('guid-2', 'dev', 'hash', '[\"openid\"]')")
    for _ in range(2):
        store = Store.open(str(path))
        admin, cf = store.users.named("admin"), store.clients.find("cf")
        store.close()
        assert admin is not None
        assert (admin.account.guid, admin.password, admin.account.email) == ("guid-1", "hash", "admin")
        assert admin.account.groups == {"openid": "group-openid", "scim.read": "group-scim.read"}
        assert cf == Client(secret="hash", scope=["openid"], grants=["password"])


def test_many_threads_may_ask_and_write_at_once(store: Store) -> None:
    def work(number: int) -> str:
        if number % 3 == 0:
            store.users.add_failure("user-1", float(number), 0.0)
        found = store.users.named("admin" if number % 2 else "dev")
        assert found is not None
        return found.account.name

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(work, range(100))) == {"admin", "dev"}
    assert len(store.users.failures("user-1")) == 34


def test_what_fails_in_a_transaction_leaves_nothing(store: Store) -> None:
    def fail() -> None:
        with store.database.writing():
            store.users.set_password("user-1", "other", 1.0)
            store.tokens.add("t", "user-1", "cf", 10.0, 0.0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not store.tokens.known("t")
    dev = store.users.find("user-1")
    assert dev is not None
    assert passwords.matches("pw2", dev.password)


@pytest.mark.parametrize("generated", [True, False])
def test_the_same_secret_never_has_the_same_hash(generated: bool) -> None:
    first, second = (passwords.hashed("x", generated=generated) for _ in range(2))
    assert first != second
    assert first.startswith("sha256$" if generated else "scrypt$")
    assert passwords.matches("x", first)
    assert not passwords.matches("y", first)
    assert not passwords.matches("", None)


def test_a_verified_secret_is_known_again_and_no_other() -> None:
    verifier = passwords.Verifier()
    stored, other = passwords.hashed("x"), passwords.hashed("y")
    for _ in range(2):
        assert verifier.matches("x", stored)
        assert not verifier.matches("y", stored)
        assert not verifier.matches("x", other)
        assert not verifier.matches("x", None)
    assert verifier.matches("\ud800", passwords.hashed("\ud800"))


def test_unusable_files_say_which(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none/uaa.sqlite"):
        Store.open(str(tmp_path / "none" / "uaa.sqlite"))
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
    file.write_text("issuer: x\ndatabase: y\nsigning_key: z\nverification_keys: {k1: old.pem}\n")
    with pytest.raises(ConfigurationError, match="verification_keys: k1 is the name of the signing key"):
        load(file)
    file.write_text("issuer: x\ndatabase: y\nsigning_key: z\nclients: {cf: {grants: [password]}}\n")
    assert load(file).clients["cf"].secret == ""
