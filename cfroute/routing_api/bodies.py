"""What comes in bodies, as routes and router groups. Raises everywhere: ApiError."""

from functools import partial
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from cfroute.go.json import JSONError, parse_first
from cfroute.go.structs import Field, struct, structs
from cfroute.routing_api.api import NO_TAG, Route, RouterGroup, TcpRoute
from cfroute.routing_api.errors import unprocessable
from cfroute.unreadable import UNREADABLE

_Uint16 = Annotated[int, Meta(ge=0, le=0xFFFF)]
_Int64 = Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)]

_TAG: Final = Field("models.ModificationTag", {"guid": Field("string"), "index": Field("uint32")})
_ROUTE: Final = {
    "route": Field("string"),
    "port": Field("uint16"),
    "ip": Field("string"),
    "ttl": Field("int"),
    "log_guid": Field("string"),
    "route_service_url": Field("string"),
    "modification_tag": _TAG,
}
_TCP_ROUTE: Final = {
    "router_group_guid": Field("string"),
    "port": Field("uint16"),
    "backend_ip": Field("string"),
    "backend_port": Field("uint16"),
    "backend_tls_port": Field("int"),
    "backend_sni_hostname": Field("string"),
    "instance_id": Field("string"),
    "ttl": Field("int"),
    "isolation_segment": Field("string"),
    "modification_tag": _TAG,
    "sni_rewrite_hostname": Field("string"),
    "terminate_frontend_tls": Field("bool"),
    "alpns": Field("string"),
    "enable_backend_mtls": Field("bool"),
}
_GROUP: Final = {
    "guid": Field("string"),
    "name": Field("string"),
    "type": Field("models.RouterGroupType"),
    "reservable_ports": Field("models.ReservablePorts"),
}


class _Route(msgspec.Struct):
    """An HTTP route as it is sent. (The tag that somebody sends counts for nothing.)"""

    route: str = ""
    port: _Uint16 = 0
    ip: str = ""
    ttl: _Int64 | None = None
    log_guid: str = ""
    route_service_url: str = ""


class _TcpRoute(msgspec.Struct):
    """A TCP route as it is sent."""

    router_group_guid: str = ""
    port: _Uint16 = 0
    backend_ip: str = ""
    backend_port: _Uint16 = 0
    backend_tls_port: _Int64 = 0
    backend_sni_hostname: str | None = None
    instance_id: str = ""
    ttl: _Int64 | None = None
    isolation_segment: str = ""
    sni_rewrite_hostname: str | None = None
    terminate_frontend_tls: bool = False
    alpns: str = ""
    enable_backend_mtls: bool = False


_routes: Final = msgspec.json.Decoder(list[_Route]).decode
_tcp_routes: Final = msgspec.json.Decoder(list[_TcpRoute]).decode
_group: Final = msgspec.json.Decoder(RouterGroup).decode


def routes(body: bytes, default_ttl: int) -> list[Route]:
    """The HTTP routes of a body; who says no ttl gets the default."""
    sent = _decoded(body, _routes, partial(structs, name="models.Route", fields=_ROUTE), list[_Route])
    return [
        Route(
            route=each.route,
            port=each.port,
            ip=each.ip,
            ttl=default_ttl if each.ttl is None else each.ttl,
            log_guid=each.log_guid,
            route_service_url=each.route_service_url,
            modification_tag=NO_TAG,
        )
        for each in sent
    ]


def tcp_routes(body: bytes, default_ttl: int) -> list[TcpRoute]:
    """The TCP routes of a body; who says no ttl gets the default."""
    lenient = partial(structs, name="models.TcpRouteMapping", fields=_TCP_ROUTE)
    sent: list[_TcpRoute] = _decoded(body, _tcp_routes, lenient, list[_TcpRoute])
    return [
        TcpRoute(
            router_group_guid=each.router_group_guid,
            backend_port=each.backend_port,
            backend_tls_port=each.backend_tls_port,
            backend_ip=each.backend_ip,
            backend_sni_hostname=each.backend_sni_hostname,
            instance_id=each.instance_id,
            port=each.port,
            modification_tag=NO_TAG,
            ttl=default_ttl if each.ttl is None else each.ttl,
            isolation_segment=each.isolation_segment,
            sni_rewrite_hostname=each.sni_rewrite_hostname,
            terminate_frontend_tls=each.terminate_frontend_tls,
            alpns=each.alpns,
            enable_backend_mtls=each.enable_backend_mtls,
        )
        for each in sent
    ]


def router_group(body: bytes) -> RouterGroup:
    """The router group of a body."""
    group: RouterGroup = _decoded(body, _group, partial(struct, name="models.RouterGroup", fields=_GROUP), RouterGroup)
    return group


def _decoded(body: bytes, strict: Any, lenient: Any, wanted: Any) -> Any:
    try:
        return strict(body)
    except UNREADABLE:
        pass  # Go may be more lenient, and has its own words for what is wrong
    try:
        return msgspec.convert(lenient(parse_first(body)), wanted)
    except JSONError as error:
        raise unprocessable(error) from error
