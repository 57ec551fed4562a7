"""The endpoints of an instance: one for each of its ports, and one without a port for the instance itself."""

from collections.abc import Iterator
from typing import NamedTuple

from cfroute.diego.api import ActualLRP, DesiredLRP, Port

COMPONENT = "route-emitter"


class Endpoint(NamedTuple):
    """Where routers reach one port of one instance.

    `container_port` is None for the instance itself; `direct`: host and ports are the instance's own, not its cell's. `key` is
    what makes another endpoint of it: anything but its modification tag and the time of its change.
    """

    key: tuple[object, ...]
    lrp: ActualLRP
    container_port: int | None
    host: str
    port: int
    tls_port: int
    direct: bool
    tags: dict[str, str]


def endpoints_of(desired: DesiredLRP, lrp: ActualLRP, *, direct: bool) -> Iterator[Endpoint]:
    """The endpoints of an instance; `direct` is for those that do not say how they are to be reached."""
    tags = _tags(desired, lrp)
    own = lrp.instance_address or lrp.address
    place = (lrp.instance_guid, lrp.index, lrp.address, own, lrp.preferred_address, lrp.availability_zone)
    yield Endpoint(place, lrp, None, own, 0, 0, True, tags)
    if lrp.preferred_address != "UNKNOWN":
        direct = lrp.preferred_address == "INSTANCE"
    for port in lrp.ports:
        host, number, tls_port = _place(lrp.address, own, port, direct)
        yield Endpoint((*place, port), lrp, port.container_port, host, number, tls_port, direct, tags)


def _place(cell: str, own: str, port: Port, direct: bool) -> tuple[str, int, int]:
    if direct:
        return own, port.container_port, port.container_tls_proxy_port
    return cell, port.host_port, port.host_tls_proxy_port


def _tags(desired: DesiredLRP, lrp: ActualLRP) -> dict[str, str]:
    """The metric tags as the Cloud Controller would give them, sorted as Go writes maps."""
    own = {
        "app_id": desired.app_guid,
        "instance_id": str(lrp.index),
        "process_id": desired.process_guid[:36],  # a guid, followed by the version
        "process_instance_id": lrp.instance_guid,
        "process_type": desired.process_type,
        "source_id": desired.app_guid,
    }
    return dict(sorted((own | desired.metric_tags | {"component": COMPONENT}).items()))
