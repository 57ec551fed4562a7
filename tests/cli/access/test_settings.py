"""What the command line remembers, when it cannot be read."""

from cfroute.home import Home

from ..conftest import Run


def test_settings_that_cannot_be_read_are_told_by_whoever_looks_at_them(cfroute: Run, home: Home) -> None:
    """`status` fails for another reason, and looks at them only to say more about that."""
    home.create()
    home.cli.mkdir()
    assert cfroute("target").err.startswith(f"{home.cli}: Is a directory\n")
    assert cfroute("status").err.startswith("the foundation is not running\n")
