"""What is sent to the routers: JSON with upstream's keys, in upstream's order, without what is empty."""

from typing import Any

import msgspec

from cfroute.routing_api.api import TcpRoute


class Registration(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An HTTP route of one endpoint. The order of the fields is the order on the wire."""

    host: str
    port: int
    tls_port: int = 0
    uris: tuple[str, ...]
    protocol: str = ""
    app: str = ""
    route_service_url: str = ""
    private_instance_id: str = ""
    private_instance_index: str = ""
    server_cert_domain_san: str = ""
    isolation_segment: str = ""
    endpoint_updated_at_ns: int = 0
    tags: dict[str, str] = {}
    availability_zone: str = ""
    options: dict[str, Any] = {}

    @property
    def key(self) -> tuple[object, ...]:
        """What makes it the same registration for a router that is to forget it."""
        return self.host, self.port, self.tls_port, self.uris, self.protocol

    def encode(self) -> bytes:
        """The message."""
        return msgspec.json.encode(self)


class InternalRegistration(Registration, frozen=True, kw_only=True, omit_defaults=True):
    """The names by which an instance is found inside of the foundation: told in the same words, to service discovery."""


Message = Registration | TcpRoute
"""A TCP route is told as the Routing API keeps it."""


def without_time(message: Message) -> Message:
    """The same, not caused by a change of the endpoint. (TCP routes never tell when it changed.)"""
    if isinstance(message, Registration):
        return msgspec.structs.replace(message, endpoint_updated_at_ns=0)
    return message


class RouterStart(msgspec.Struct):
    """A router's greeting, and its answer to ours. (Go takes keys in any case; routers write them like this.)"""

    interval: int = msgspec.field(name="minimumRegisterIntervalInSeconds", default=0)
