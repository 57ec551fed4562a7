"""Who the command line is: sessions that last, and those that have ended. What is printed is in transcripts/users.txt."""

import json
import sqlite3

import pytest

from cfroute.cli.settings import load
from cfroute.home import Home

from ..conftest import Run


@pytest.fixture
def bob(cfroute: Run) -> None:
    """A user with a password that he knows."""
    assert cfroute("create-user", "bob", "s3cret").status == 0
    assert cfroute("auth", "bob", "s3cret").status == 0


def forget_the_access_token(home: Home) -> None:
    text = home.cli.read_text()
    token = load(home).access_token
    assert token
    home.cli.write_text(text.replace(token, ""))


def forget_all_refresh_tokens(home: Home) -> None:
    with sqlite3.connect(home.databases / "uaa.sqlite") as database:
        database.execute("DELETE FROM tokens")


@pytest.mark.usefixtures("bob")
def test_a_session_is_renewed_until_it_is_revoked(cfroute: Run, home: Home) -> None:
    forget_the_access_token(home)
    assert "user:" in cfroute("target").out
    assert cfroute("target", "--json").data["user"] == "bob"
    forget_the_access_token(home)
    forget_all_refresh_tokens(home)
    ended = cfroute("orgs")
    assert ended.status == 1
    assert "The token expired, was revoked, or the token ID is incorrect." in ended.err
    assert cfroute("login", "-u", "bob", "-p", "s3cret").status == 0
    assert cfroute("orgs").status == 0


def test_a_client_repeats_its_grant(cfroute: Run, home: Home) -> None:
    assert cfroute("orgs").status == 0  # makes the state folder
    secret = json.loads(home.secrets.read_text())["uaa_clients"]["cc_routing"]
    assert cfroute("auth", "cc_routing", "wrong", "--client-credentials").status == 1
    assert cfroute("auth", "cc_routing", secret, "--client-credentials").status == 0
    assert cfroute("orgs").err == "Invalid Auth Token\n"  # it is a token for the Routing API
    forget_the_access_token(home)
    assert cfroute("oauth-token").out.startswith("bearer ")
    assert cfroute("passwd").err.startswith("A client has no password.")


@pytest.mark.usefixtures("bob")
def test_a_password_is_changed_by_who_knows_it(cfroute: Run, home: Home) -> None:
    assert cfroute("passwd", typed="s3cret\nnew\nold\n").err.startswith("Password verification does not match.")
    assert cfroute("passwd", typed="wrong\nnew\nnew\n").err.startswith("Current password did not match")
    assert cfroute("passwd").err.startswith("nobody is there to ask")
    changed = cfroute("passwd", typed="s3cret\nnew\nnew\n")
    assert changed.out.endswith("Changing password for user bob...\n\nOK\n\nPlease log in again.\n")
    assert load(home).login is None
    assert cfroute("auth", "bob", "s3cret").status == 1
    assert cfroute("auth", "bob", "new").status == 0


def test_credentials_from_the_environment(cfroute: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = cfroute("auth")
    assert missing.status == 1
    assert missing.err == "Username and password not provided.\n"
    assert missing.out.startswith("FAILED\n\nNAME:\n   auth - ")
    assert cfroute("create-user", "bob", "s3cret").status == 0
    monkeypatch.setenv("CF_USERNAME", "bob")
    monkeypatch.setenv("CF_PASSWORD", "s3cret")
    assert cfroute("auth").status == 0
    assert cfroute("target", "--json").data["user"] == "bob"


@pytest.mark.usefixtures("bob")
def test_too_many_wrong_passwords(cfroute: Run) -> None:
    typed = cfroute("login", "-u", "bob", typed="a\nb\nc\n")
    assert (typed.status, typed.err.count("Credentials were rejected, please try again.")) == (1, 3)
    for _ in range(2):
        cfroute("auth", "bob", "x")
    locked = cfroute("login", "-u", "bob", typed="s3cret\n")
    assert locked.err.startswith("Your account has been locked because of too many failed attempts to login.")


@pytest.mark.usefixtures("bob")
def test_what_cannot_be_used_together(cfroute: Run) -> None:
    assert "cannot be used together" in cfroute("login", "--sso", "--sso-passcode", "x").err
    assert "cannot be used together" in cfroute("auth", "a", "b", "--client-credentials", "--origin", "x").err
    assert "`PASSWORD` was not provided" in cfroute("create-user", "eve").err
    assert cfroute("login", "--no-input").err.startswith("nobody is there to ask")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("set-org-role", "bob", "acme", "King"), 'ROLE must be "OrgManager", "BillingManager" and "OrgAuditor"'),
        (
            ("unset-space-role", "bob", "acme", "dev", "King"),
            'ROLE must be "SpaceManager", "SpaceDeveloper", "SpaceAuditor" or "SpaceSupporter"',
        ),
        (
            ("set-org-role", "tool", "acme", "OrgAuditor", "--client", "--origin", "uaa"),
            "The following arguments cannot be used together: --client, --origin",
        ),
    ],
    ids=["org", "space", "both"],
)
def test_roles_that_are_none(cfroute: Run, words: tuple[str, ...], problem: str) -> None:
    wrong = cfroute(*words)
    assert (wrong.status, wrong.err.rstrip("\n")) == (1, f"Incorrect Usage: {problem}")


def test_a_user_of_several_origins_has_to_be_told_apart(cfroute: Run) -> None:
    assert cfroute("create-user", "bob", "s3cret").status == 0
    assert cfroute("create-user", "bob", "--origin", "ldap").status == 0
    assert cfroute("delete-user", "bob", "-f").err.startswith("The username 'bob' is found in multiple origins: ldap, uaa.")
    assert cfroute("delete-user", "bob", "-f", "--origin", "ldap").status == 0
    assert "\nUser 'bob' with origin 'ldap' does not exist.\nOK\n" in cfroute("delete-user", "bob", "-f", "--origin", "ldap").out
    assert cfroute("delete-user", "bob", typed="n").out.endswith("User 'bob' has not been deleted.\nOK\n\n")
    assert cfroute("delete-user", "bob", "-f").status == 0
