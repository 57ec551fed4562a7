"""Wrong usage that shows only when all of the command line has been read. cf says FAILED of it, before it shows the help."""

from cfroute.errors import UsageError


class Misuse(UsageError):
    """Each word is right, and all together they make no sense. The message is all that is said, with nothing before it."""


def apart(*flags: str) -> Misuse:
    """These exclude each other."""
    return Misuse(f"Incorrect Usage: The following arguments cannot be used together: {', '.join(flags)}")


def together(one: str, other: str) -> Misuse:
    """One of these needs the other."""
    return Misuse(f"Incorrect Usage: '{one}' and '{other}' must be used together.")
