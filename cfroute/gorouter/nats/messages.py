"""The messages on `router.*`: registrations in, the start message out.

{"host":"10.0.0.1","port":61000,"uris":["a.example.com"],"app":"…","private_instance_id":"…","tags":{…},…}
"""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from cfroute.go import json as go_json
from cfroute.gorouter.config import Config
from cfroute.gorouter.routing_table.endpoint import Endpoint
from cfroute.gorouter.routing_table.route_options import NO_OPTIONS, RouteOptions
from cfroute.unreadable import UNREADABLE

_INT64 = (-(1 << 63), (1 << 63) - 1)
_Port = Annotated[int, Meta(ge=0, le=65535)]
_Int64 = Annotated[int, Meta(ge=_INT64[0], le=_INT64[1])]
_NOT_HTTPS = "Unable to validate message. route_service_url must be https"


class MessageError(ValueError):
    """The message is refused as a whole; the text is the `error` of the log line `validation-error`."""


class RegistryMessage(msgspec.Struct, forbid_unknown_fields=True):
    """A registration or unregistration. Unknown fields are only forbidden to find the names that differ in case."""

    host: str = ""
    port: _Port = 0
    tls_port: _Port = 0
    protocol: str = ""
    uris: list[str] = []
    app: str = ""
    private_instance_id: str = ""
    private_instance_index: str = ""
    tags: dict[str, str] | None = None
    stale_threshold_in_seconds: _Int64 = 0
    route_service_url: str = ""
    isolation_segment: str = ""
    server_cert_domain_san: str = ""
    availability_zone: str = ""
    endpoint_updated_at_ns: _Int64 = 0
    options: RouteOptions = NO_OPTIONS


_decode = msgspec.json.Decoder(RegistryMessage).decode


def decode(payload: bytes) -> RegistryMessage:
    """The message in a payload. Raises MessageError."""
    try:
        message = _decode(payload)
    except UNREADABLE:
        message = _decode_as_go(payload)
    if message.route_service_url and not message.route_service_url.startswith("https"):
        raise MessageError(_NOT_HTTPS)
    return message


def _decode_as_go(payload: bytes) -> RegistryMessage:
    message = RegistryMessage()
    assign = go_json.Assignment("RegistryMessage")
    try:
        value = go_json.parse(payload)
        if value.kind not in ("object", "null"):
            assign.note(value, "", "mbus.RegistryMessage")
        for reader, name, member in assign.members(value, _READERS):
            read = reader(assign, member, name, getattr(message, name))
            if read is not None:
                setattr(message, name, read)
        if assign.error is not None:
            raise assign.error
    except go_json.JSONError as error:
        raise MessageError(str(error)) from error
    return message


_Reader = Callable[[go_json.Assignment, go_json.Value, str, Any], Any]


def _string(assign: go_json.Assignment, value: go_json.Value, name: str, _: Any) -> str | None:
    return assign.string(value, name)


def _integer(go_type: str, low: int, high: int) -> _Reader:
    def read(assign: go_json.Assignment, value: go_json.Value, name: str, _: Any) -> int | None:
        return assign.integer(value, name, go_type, low, high)

    return read


def _uris(assign: go_json.Assignment, value: go_json.Value, name: str, _: Any) -> list[str] | None:
    if value.kind != "array":
        assign.note(value, name, "[]route.Uri")
        return None
    uris = [assign.string(item, name, "route.Uri") if item.kind != "null" else "" for item in value.items]
    return [uri or "" for uri in uris]


def _tags(assign: go_json.Assignment, value: go_json.Value, name: str, known: dict[str, str] | None) -> Any:
    if value.kind != "object":
        assign.note(value, name, "map[string]string")
        return None
    tags = dict(known or {})  # a second `tags` adds to the first
    for key, member in value.members:
        tags[key] = (assign.string(member, name) if member.kind != "null" else "") or ""
    return tags


def _options(assign: go_json.Assignment, value: go_json.Value, name: str, known: RouteOptions) -> RouteOptions | None:
    if value.kind != "object":
        assign.note(value, name, "mbus.RegistryMessageOpts")
        return None
    inner = go_json.Assignment("RegistryMessageOpts", f"{name}.")
    for reader, field, member in inner.members(value, _OPTION_READERS):
        read = reader(inner, member, field, None)
        if read is not None:
            known = msgspec.structs.replace(known, **{field: read})
    assign.error = assign.error or inner.error
    return known


def _number(assign: go_json.Assignment, value: go_json.Value, name: str, _: Any) -> float | None:
    return assign.number(value, name)


_OPTION_READERS: dict[str, _Reader] = {
    "loadbalancing": _string,
    "hash_header": _string,
    "hash_balance": _number,
    "route_policy_scope": _string,
    "route_policy_sources": _string,
}
_READERS: dict[str, _Reader] = {
    "host": _string,
    "port": _integer("uint16", 0, 65535),
    "tls_port": _integer("uint16", 0, 65535),
    "protocol": _string,
    "uris": _uris,
    "app": _string,
    "private_instance_id": _string,
    "private_instance_index": _string,
    "tags": _tags,
    "stale_threshold_in_seconds": _integer("int", *_INT64),
    "route_service_url": _string,
    "isolation_segment": _string,
    "server_cert_domain_san": _string,
    "availability_zone": _string,
    "endpoint_updated_at_ns": _integer("int64", *_INT64),
    "options": _options,
}


def to_endpoint(message: RegistryMessage, *, stale_threshold: float, http2: bool) -> Endpoint:
    """The backend that a message tells of.

    `stale_threshold` is the router's own time to live, which a message can only shorten; without `http2` the protocol of
    that name means `http1`.
    """
    protocol = message.protocol or "http1"
    ttl = message.stale_threshold_in_seconds
    return Endpoint(
        host=message.host,
        port=message.tls_port or message.port,
        tls=message.tls_port != 0,
        protocol="http1" if protocol == "http2" and not http2 else protocol,
        app=message.app,
        instance_id=message.private_instance_id,
        instance_index=message.private_instance_index,
        tags=message.tags,
        ttl=float(ttl) if ttl and ttl <= int(stale_threshold) else stale_threshold,
        route_service_url=message.route_service_url,
        isolation_segment=message.isolation_segment,
        san=message.server_cert_domain_san,
        availability_zone=message.availability_zone,
        updated_at_ns=message.endpoint_updated_at_ns,
        options=message.options,
    )


def start_message(config: Config, uuid: str) -> bytes:
    """What `router.start` says, and the answer to `router.greet`. `uuid` is this process's."""
    return msgspec.json.encode(
        {
            "id": f"{config.index}-{uuid}",
            "hosts": [config.ip],
            "minimumRegisterIntervalInSeconds": int(config.start_response_delay_interval),
            "pruneThresholdInSeconds": int(config.droplet_stale_threshold),
        }
    )
