"""Tells HTTP routes by NATS."""

from typing import Protocol

from cfroute.lager import Lager
from cfroute.route_registrar.config import HttpRoute
from cfroute.route_registrar.messages import SUBJECTS, encode
from cfroute.route_registrar.turns import Verb


class Publisher(Protocol):
    """What is needed of NATS."""

    def publish(self, subject: bytes, payload: bytes) -> bool: ...


class NatsOutlet:
    """Publishes one message for each time that a route is told."""

    def __init__(self, bus: Publisher, instance_id: str, availability_zone: str, log: Lager) -> None:
        """`instance_id` is one of this process."""
        self._bus = bus
        self._instance_id = instance_id
        self._availability_zone = availability_zone
        self._log = log

    def tell(self, verb: Verb, route: HttpRoute) -> bool:
        """Whether it could be told: not while there is no connection."""
        self._log.debug("creating-message", subject=SUBJECTS[verb].decode())
        message = encode(route, self._instance_id, self._availability_zone)
        self._log.debug("publishing-message", msg=message.decode())
        return self._bus.publish(SUBJECTS[verb], message)
