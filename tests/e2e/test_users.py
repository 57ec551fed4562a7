"""An ordinary user on a foundation of real processes: what the roles allow, over the network, and beyond the end of a UAA."""

from collections.abc import Callable
from typing import Any

from .conftest import Foundation


def test_a_developer_develops_and_a_stranger_sees_nothing(
    new_foundation: Callable[[], Foundation], until: Callable[[Callable[[], Any], str], Any]
) -> None:
    foundation = new_foundation()
    foundation.up()
    for name in ("dora", "sam"):
        foundation.ok("create-user", name, "s3cret")
    foundation.ok("set-space-role", "dora", "local", "dev", "SpaceDeveloper")
    foundation.ok("auth", "dora", "s3cret")
    foundation.ok("create-route", "cf.localhost", "--hostname", "doras")
    assert "You are not authorized" in foundation.run("create-space", "more").stderr
    before = foundation.components()["uaa"]["pid"]
    foundation.ok("kill", "uaa", "--signal", "KILL")

    def another_runs() -> bool:
        uaa = foundation.components()["uaa"]
        return uaa["state"] == "running" and uaa["pid"] != before

    until(another_runs, "another UAA")
    assert "dora (uaa)" in foundation.ok("space-users", "local", "dev")
    foundation.ok("login", "-u", "sam", "-p", "s3cret")
    assert "No orgs found." in foundation.ok("orgs")
    assert "Organization 'local' not found." in foundation.run("space-users", "local", "dev").stderr
    foundation.ok("logout")
    foundation.ok("target", "-o", "local")
    assert "doras" in foundation.ok("routes")
