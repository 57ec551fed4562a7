"""What the plugin adds to cfroute: a command, and an app for `push --sample`. Nothing here takes time to import."""

from importlib.util import find_spec
from pathlib import Path

from cfroute.plugins import Command, Sample

HERE = Path(__file__).parent


def commands() -> list[Command]:
    """The route service and its broker in the foreground."""
    return [Command("ratelimit", "cfroute_ratelimit.main:main", "Run the rate-limiting route service and its broker")]


def samples() -> list[Sample]:
    """The same as an app. What it imports goes with it, for an app sees nothing of what is installed here."""
    shared = find_spec("cfroute_broker")
    assert shared is not None
    assert shared.origin is not None
    files = {"": HERE / "app", "cfroute_ratelimit": HERE, "cfroute_broker": Path(shared.origin).parent}
    return [Sample("ratelimit", "Limits the requests of each client; a route service with a broker", files)]
