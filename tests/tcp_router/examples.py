"""Routes, tables and logs to test with."""

import json
from typing import Any

from cfroute.lager import DEBUG, Lager, Sink
from cfroute.routing_api.api import DELETE, UPSERT, Event, ModificationTag, TcpRoute


def route(port: int = 5001, host: str = "10.0.0.1", host_port: int = 61000, **more: Any) -> TcpRoute:
    """A backend of an external port; `tag` is (guid, index)."""
    guid, index = more.pop("tag", ("guid", 0))
    return TcpRoute(
        router_group_guid="group",
        port=port,
        backend_ip=host,
        backend_port=host_port,
        backend_sni_hostname=more.pop("sni", None),
        backend_tls_port=more.pop("tls_port", 0),
        modification_tag=ModificationTag(guid, index),
        **{"ttl": 120, **more},
    )


def upsert(*given: Any, **more: Any) -> Event[TcpRoute]:
    return Event(UPSERT, route(*given, **more))


def delete(*given: Any, **more: Any) -> Event[TcpRoute]:
    return Event(DELETE, route(*given, **more))


class Lines:
    """A log, and what was written to it: messages without the source, with their data."""

    def __init__(self) -> None:
        self.said: list[tuple[str, dict[str, Any]]] = []
        self.log = Lager("tcp-router", Sink(DEBUG, stream=self))

    def write(self, line: str, /) -> object:
        told = json.loads(line)
        self.said.append((told["message"].removeprefix("tcp-router."), told["data"]))
        return None

    def flush(self) -> object:
        return None

    @property
    def messages(self) -> list[str]:
        return [message for message, _ in self.said]

    def errors(self, message: str) -> list[str]:
        """What was wrong, of the lines with that message."""
        return [data["error"] for told, data in self.said if told == message]
