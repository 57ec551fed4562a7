"""What NATS is told of an HTTP route: the keys in upstream's order, those without a value left out but for four."""

from typing import Final

import msgspec

from cfroute.route_registrar.config import HttpRoute
from cfroute.route_registrar.schema import OptionsSchema
from cfroute.route_registrar.turns import Verb

ROUTER_START: Final = b"router.start"
SUBJECTS: Final = {Verb.REGISTER: b"router.register", Verb.UNREGISTER: b"router.unregister"}


class _Message(msgspec.Struct, omit_defaults=True, kw_only=True):
    uris: list[str]
    host: str
    protocol: str = ""
    port: int = 0
    tls_port: int = 0
    tags: dict[str, str] | None
    route_service_url: str = ""
    private_instance_id: str
    server_cert_domain_san: str = ""
    availability_zone: str = ""
    options: OptionsSchema | None = None


def encode(route: HttpRoute, instance_id: str, availability_zone: str) -> bytes:
    """The message. `instance_id` is the same for all routes of a process."""
    message = _Message(
        uris=route.uris,
        host=route.host,
        protocol=route.protocol,
        port=route.port,
        tls_port=route.tls_port,
        tags=route.tags,
        route_service_url=route.route_service_url,
        private_instance_id=instance_id,
        server_cert_domain_san=route.server_cert_domain_san,
        availability_zone=availability_zone,
        options=route.options if route.options != OptionsSchema() else None,
    )
    return msgspec.json.encode(message)
