"""What the plugin adds to cfroute: a command. Nothing here takes time to import."""

from cfroute.plugins import Command


def commands() -> list[Command]:
    """The proxy and its broker in the foreground: they stand outside of the foundation, so there is nothing to push."""
    return [Command("static-proxy", "cfroute_static_proxy.main:main", "Run a proxy for the load balancer, and its broker")]
