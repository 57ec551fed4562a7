"""The request path: upstream's handlers, in upstream's order, as one list."""

from cfroute.gorouter.context import Context
from cfroute.gorouter.handlers import (
    Handler,
    client_cert,
    healthcheck,
    hop_by_hop,
    http_rewrite,
    http_start_stop,
    lookup,
    max_request_size,
    protocol_check,
    query_param,
    request_id,
    route_policy,
    route_service,
    w3c,
    x_forwarded_proto,
    zipkin,
)

STAGES = (
    zipkin,
    w3c,
    request_id,
    http_start_stop,
    query_param,
    http_rewrite,
    healthcheck,
    protocol_check,
    lookup,
    route_policy,
    max_request_size,
    client_cert,
    hop_by_hop,
    x_forwarded_proto,
    route_service,
)


def request_path(context: Context) -> tuple[Handler, ...]:
    """The handlers of this configuration; stages that it makes no-ops are left out."""
    handlers = (stage.handler(context) for stage in STAGES)
    return tuple(handler for handler in handlers if handler is not None)
