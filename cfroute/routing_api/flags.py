"""The flags of the Routing API."""

from typing import Annotated

from msgspec import Meta

from cfroute.go.flags import LagerFlags


class Flags(LagerFlags, rename="camel", frozen=True):
    """What was said, or the defaults."""

    config: Annotated[str, Meta(description="Configuration for routing-api")] = ""
    ip: Annotated[str, Meta(description="The public ip of the routing api")] = ""
    dev_mode: Annotated[bool, Meta(description="Disable authentication for easier development iteration")] = False
