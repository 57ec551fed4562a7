"""What a router's parent and its workers say to each other: MessagePack, each message after its length in four bytes.

    parent → worker   Hello, then Put, Drop, Gone, Freed (the table), Marked, Serve, Feel, Level, Ask, StopListening, Drain
    worker → parent   Ready, Serving, Failed, Active, Report, Stopped, Drained

Both run the same program, so there is no version and nothing to be lenient about.
"""

from collections.abc import Iterator

import msgspec

from cfroute.gorouter.config import Config
from cfroute.gorouter.metrics.snapshot import Snapshot
from cfroute.gorouter.metrics.varz_counts import VarzCounts
from cfroute.gorouter.routing_table.route_options import RouteOptions

_LENGTH = 4


class Message(msgspec.Struct, array_like=True, tag=True, tag_field="type"):
    """Any of them."""


# To a worker: who it is


class Hello(Message):
    """The first message. `number` is the worker's among so many `workers`; `identity` is shown at the internal door.

    `memory` is the descriptor of the memory that requests under way are counted in, `level` that of the log.
    """

    config: Config
    number: int
    workers: int
    memory: int
    level: int
    identity: tuple[str, str]


class Serve(Message):
    """The table is complete: serve who comes to these sockets, which are descriptors by the name of their door."""

    doors: list[tuple[str, int]]
    healthy: bool


class Feel(Message):
    """What requests for the router's health are answered from now on."""

    healthy: bool


class Level(Message):
    """The level of the log from now on."""

    level: int


# To a worker: the table


class Member(msgspec.Struct, array_like=True):
    """An endpoint as it was registered. `slot` is its backend's; `tag` the modification tag's guid and index."""

    host: str
    port: int
    tls: bool
    protocol: str
    app: str
    instance_id: str
    instance_index: str
    tags: dict[str, str] | None
    ttl: float
    route_service_url: str
    isolation_segment: str
    san: str
    availability_zone: str
    updated_at_ns: int
    tag: tuple[str, int]
    options: RouteOptions
    slot: int


class Put(Message):
    """A route as it is now, and endpoints that are new in it or have changed. `hashed_by` is header and balance of `hash`."""

    uri: str
    host: str
    context_path: str
    load_balancing: str
    hashed_by: tuple[bytes, float] | None
    route_service_url: str
    members: list[Member]


class Drop(Message):
    """These addresses are not among the route's endpoints any more."""

    uri: str
    addresses: list[str]


class Gone(Message):
    """The route is not there any more."""

    uri: str


class Freed(Message):
    """No route has the backend with this slot any more."""

    slot: int


class Marked(Message):
    """Another worker has found that round robin should avoid this endpoint for a while."""

    uri: str
    address: str


# To a worker: requests


class Ask(Message):
    """Send a report."""


class StopListening(Message):
    """Let nobody else in, and say who is left."""


class Drain(Message):
    """Finish the requests under way, in so many seconds at most."""

    seconds: float


# To the parent


class Ready(Message):
    """The worker has all that it needs but a table."""


class Serving(Message):
    """It serves."""


class Failed(Message):
    """An endpoint failed: it was taken out (`discarded`), or is avoided for a while."""

    uri: str
    address: str
    slot: int
    discarded: bool


class Activity(msgspec.Struct, array_like=True):
    """How many requests a route got since it was last told of, and each of its endpoints, by their addresses."""

    uri: str
    requests: int
    by_address: list[tuple[str, int]]


class Active(Message):
    """Routes with requests, or whose last ones have got their responses."""

    routes: list[Activity]


class Report(Message):
    """All counts of the worker, the figures of its process among them; `varz` where the deprecated page is shown.

    `memory` is the most that it has used, in KiB.
    """

    snapshot: Snapshot
    memory: int
    varz: VarzCounts | None = None


class Stopped(Message):
    """How many connections have a request, and how many have none."""

    active: int
    idle: int


class Drained(Message):
    """Whether all requests were finished in time."""

    in_time: bool


ToWorker = Hello | Put | Drop | Gone | Freed | Marked | Serve | Feel | Level | Ask | StopListening | Drain
ToParent = Ready | Serving | Failed | Active | Report | Stopped | Drained

_encode = msgspec.msgpack.Encoder().encode
for_worker = msgspec.msgpack.Decoder(ToWorker).decode
for_parent = msgspec.msgpack.Decoder(ToParent).decode


def packed(message: Message) -> bytes:
    """The message as it travels."""
    body = _encode(message)
    return len(body).to_bytes(_LENGTH, "big") + body


class Unpacker:
    """Cuts what arrives into messages."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The messages, without their lengths, that are complete with this data."""
        rest = self._rest
        rest += data
        start = 0
        while len(rest) >= start + _LENGTH:
            end = start + _LENGTH + int.from_bytes(rest[start : start + _LENGTH], "big")
            if len(rest) < end:
                break
            yield bytes(rest[start + _LENGTH : end])
            start = end
        del rest[:start]
