"""Too many wrong passwords."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.uaa.errors import OAuthError
from cfroute.uaa.lockout import Lockout
from cfroute.uaa.login import Login

from .conftest import Uaa

LOCKED = "Your account has been locked because of too many failed attempts to login."


@pytest.mark.statement("UAA 4", "five wrong passwords lock the account for five minutes, in upstream's words")
def test_five_wrong_passwords_lock_the_account(uaa: Uaa) -> None:
    for _ in range(5):
        assert uaa.login("dev", "x").json()["error_description"] == "Bad credentials"
    locked = uaa.login("dev", "pw2")
    assert locked.status_code == 401
    assert locked.json() == {"error": "unauthorized", "error_description": LOCKED}
    assert uaa.login().status_code == 200
    uaa.clock.advance(299)
    assert uaa.login("dev", "pw2").status_code == 401
    uaa.clock.advance(1)
    assert uaa.login("dev", "pw2").status_code == 200


def test_a_right_password_makes_the_earlier_ones_forgotten(uaa: Uaa) -> None:
    for _ in range(4):
        uaa.login("dev", "x")
    assert uaa.login("dev", "pw2").status_code == 200
    for _ in range(4):
        uaa.login("dev", "x")
    assert uaa.login("dev", "pw2").status_code == 200


def test_a_restart_makes_nothing_forgotten(uaa: Uaa) -> None:
    for _ in range(5):
        uaa.login("dev", "x")
    again = Uaa(uaa.config, uaa.store, uaa.keys, uaa.clock)
    assert again.login("dev", "pw2").json()["error_description"] == LOCKED


def test_a_wrong_old_password_counts(uaa: Uaa) -> None:
    token = uaa.token("dev", "pw2")
    for _ in range(5):
        uaa("PUT", "/Users/user-1/password", token=token, json={"oldPassword": "x", "password": "y"})
    assert uaa.login("dev", "pw2").json()["error_description"] == LOCKED


def test_many_guesses_at_once_are_as_many_as_one_after_the_other(uaa: Uaa) -> None:
    login = Login(uaa.config, uaa.store, uaa.clock)

    def guess(number: int) -> str:
        with pytest.raises(OAuthError) as refused:
            login.user("dev", f"guess-{number}")
        return str(refused.value)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(guess, range(24)))
    assert answers.count("Bad credentials") == 5
    assert answers.count(LOCKED) == 19


@given(st.lists(st.floats(0, 10_000), max_size=20), st.floats(0, 20_000))
def test_the_lock_needs_enough_failures_and_a_recent_one(failures: list[float], now: float) -> None:
    rules = Lockout()
    counted = sum(at > now - 3600 for at in failures)
    locked = rules.locked(failures, now)
    assert not locked or counted >= 5
    assert not rules.locked(failures, 20_000)
    if failures and counted >= 5 and max(failures) > now - 300:
        assert locked
