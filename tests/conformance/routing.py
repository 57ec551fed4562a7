"""What the tests of routes and balancing share: messages that have certainly been handled, and apps that say who they are."""

import itertools
import json
from collections.abc import Callable
from typing import Any

from ..waiting import eventually
from .conftest import Backend, Router

_markers = itertools.count()


def tell(router: Router, subject: str, port: int, /, *uris: str, **fields: Any) -> None:
    """Publish `router.register` or `router.unregister` for a port of this machine, and wait until it is handled."""
    send(router, subject, {"host": "127.0.0.1", "port": port, "uris": list(uris), **fields})


def send(router: Router, subject: str, message: dict[str, Any]) -> None:
    """Publish a message and wait until it is handled: messages are handled in order, so one more of its kind shows it."""
    router.nats.publish(subject, message)
    segment = message.get("isolation_segment", "")
    marker = {"host": "127.0.0.1", "port": 1, "uris": [f"marker{next(_markers)}.test"], "isolation_segment": segment}
    router.nats.publish("router.register", marker)
    eventually(lambda: marker["uris"][0] in router.routes(), f"the route {marker['uris'][0]}")
    router.nats.publish("router.unregister", marker)


def register(router: Router, app: Backend, /, *uris: str, **fields: Any) -> None:
    """Register an app under these URIs."""
    tell(router, "router.register", app.port, *uris, **fields)


def unregister(router: Router, app: Backend, /, *uris: str, **fields: Any) -> None:
    """Take an app from these URIs."""
    tell(router, "router.unregister", app.port, *uris, **fields)


def registry_lines(router: Router, about: str) -> list[dict[str, Any]]:
    """What the registry has logged about whatever contains that text."""
    texts = router.output.read_text().splitlines()
    lines = [json.loads(text) for text in texts if text.startswith("{") and about in text.lower()]
    return [line for line in lines if line["source"].endswith("registry") and about in str(line["data"]).lower()]


def named(backend: Callable[..., Backend], *names: str) -> list[Backend]:
    """Apps whose answers are their names. They keep no connections, so that one that is closed is gone."""
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b"
    return [backend(head % (len(name), name.encode())) for name in names]


def asked(router: Router, host: str, target: str = "/", *headers: str) -> str:
    """Who answers: the name of an app, or the status if it is not 200."""
    answer = router.get(host, target, *headers)
    return answer.body.decode() if answer.status == 200 else str(answer.status)
