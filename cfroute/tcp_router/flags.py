"""The flags of the TCP router: upstream's, and `-engine`."""

from typing import Annotated, Final, Literal

from msgspec import Meta

from cfroute.go.flags import Duration, LagerFlags

EMBEDDED: Final = "embedded"
HAPROXY: Final = "haproxy"
LOAD_BALANCER: Final = "HAProxy"
"""The only value of -tcpLoadBalancer that upstream knows."""

LONGEST_EXPIRY: Final = 65535.0  # s

_RELOADER: Final = "/var/vcap/jobs/tcp_router/bin/haproxy_reloader"


class FlagError(Exception):
    """Flags that do not go together: the log's message, and what is wrong."""

    def __init__(self, message: str, problem: str) -> None:
        super().__init__(problem)
        self.message = message


class Flags(LagerFlags, rename="camel", frozen=True):
    """What was said, or the defaults. Times are seconds."""

    config: Annotated[str, Meta(description="The configuration file")] = "/var/vcap/jobs/tcp_router/config/tcp_router.yml"
    engine: Annotated[
        Literal["embedded", "haproxy"], Meta(description="What carries the bytes: this process, or HAProxy (not upstream's)")
    ] = "embedded"
    tcp_load_balancer: Annotated[str, Meta(description="The tcp load balancer to use")] = LOAD_BALANCER
    tcp_load_balancer_base_config: Annotated[str, Meta(description="What the configuration of HAProxy begins with")] = ""
    tcp_load_balancer_config: Annotated[str, Meta(description="The configuration of HAProxy that is written")] = ""
    tcp_load_balancer_stats_unix_socket: Annotated[str, Meta(description="Where HAProxy tells its statistics")] = (
        "/var/vcap/jobs/haproxy/config/haproxy.sock"
    )
    haproxy_reloader: Annotated[str, Meta(description="The script that makes HAProxy read its configuration")] = _RELOADER
    sync_interval: Annotated[Duration, Meta(description="How often all routes are fetched")] = Duration(60)
    subscription_retry_interval: Annotated[int, Meta(description="Seconds before events are subscribed to again")] = 5
    stale_route_check_interval: Annotated[Duration, Meta(description="How often stale routes are looked for")] = Duration(30)
    default_route_expiry: Annotated[Duration, Meta(description="When a route without a ttl is stale")] = Duration(120)
    token_fetch_max_retries: Annotated[int, Meta(description="How often a token is asked for again")] = 3
    token_fetch_retry_interval: Annotated[Duration, Meta(description="How long to wait before that")] = Duration(5)
    token_fetch_expiration_buffer_time: Annotated[
        int, Meta(description="Seconds before its end from which on a token is not used")
    ] = 30
    stats_collection_interval: Annotated[Duration, Meta(description="How often metrics are sent")] = Duration(60)
    dropsonde_port: Annotated[int, Meta(description="The port of the local metron agent")] = 3457
    routing_group_check_exit: Annotated[
        bool, Meta(description="End if a router group has ports that are reserved for system components")
    ] = False
    debug_addr: Annotated[str, Meta(description="Address of the debug server")] = ""

    @property
    def own_haproxy(self) -> bool:
        """Whether HAProxy is to be started and reloaded here: no script for that is named."""
        return self.haproxy_reloader in ("", _RELOADER) and not self.tcp_load_balancer_config


def check(flags: Flags) -> None:
    """Raises FlagError."""
    if min(flags.sync_interval, flags.stale_route_check_interval, flags.stats_collection_interval) <= 0:
        raise FlagError("invalid-interval", "syncInterval, staleRouteCheckInterval and statsCollectionInterval must be positive")
    if flags.default_route_expiry > LONGEST_EXPIRY:
        raise FlagError("invalid-route-expiry", f"route expiry cannot be greater than {LONGEST_EXPIRY:.0f}")
    if flags.stale_route_check_interval > flags.default_route_expiry:
        raise FlagError("invalid-stale-route-check-interval", "stale route check interval cannot be greater than route expiry")
