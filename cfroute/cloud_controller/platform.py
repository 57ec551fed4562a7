"""What all requests share."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from cfroute.clock import Clock
from cfroute.cloud_controller.bits.blobs import Blobs
from cfroute.cloud_controller.brokers.outcomes import Outcome
from cfroute.cloud_controller.brokers.subjects import Question
from cfroute.cloud_controller.config import Config
from cfroute.cloud_controller.db import Database
from cfroute.cloud_controller.routing import Routing
from cfroute.cloud_controller.uaa.names import Names
from cfroute.cloud_controller.uaa.tokens import TokenChecker
from cfroute.diego.api import ActualLRP
from cfroute.log_cache import LogWriter
from cfroute.logs import Logger


class Diego(Protocol):
    """What the API needs of Diego. Nothing here fails because the BBS is away, unless it says so."""

    @property
    def present(self) -> bool:
        """Whether there is a Diego at all: not when the API runs without a foundation."""

    async def push(self, app_guids: set[str]) -> None:
        """Make Diego want what the database says of these apps, at once or as soon as the BBS is back."""

    async def stage(self, build_guids: Sequence[str]) -> None:
        """Have these builds done, at once or as soon as the BBS is back."""

    async def actual_lrps(self, process_guid: str) -> list[ActualLRP]:
        """What runs of this version of a process; nothing when the BBS is away."""

    async def retire(self, process_guid: str, index: int) -> None:
        """Have one instance replaced. Raises ApiError 10015 when the BBS is away."""


class Brokers(Protocol):
    """What the API needs of whoever asks service brokers."""

    @property
    def present(self) -> bool:
        """Whether anybody does: not when the API runs without a foundation."""

    async def begin(self, operations: Sequence[str]) -> None:
        """Begin these operations, and wait a while for the brokers' answers."""

    async def ask(self, question: Question) -> Outcome:
        """Ask something at once."""


class Deployments(Protocol):
    """What the API needs of whoever carries deployments on."""

    def wake(self) -> None:
        """One has been changed."""


class Uaa(Protocol):
    """What `links.login` and `links.uaa` lead to."""

    async def forward(self, request: Request, body: bytes, prefix: str) -> Response:
        """The UAA's answer to a request; `prefix` is the path of ours that stands for its `/`. Raises ApiError 20004."""


@dataclass(frozen=True)
class Platform:
    """The Cloud Controller's parts, put together in `main` and `local`.

    writer is the thread in which one request writes at a time, and readers are the few in which others read. More of them would
    only take the interpreter from each other; one alone would have everybody wait for a long list.
    """

    config: Config
    database: Database
    blobs: Blobs
    tokens: TokenChecker
    diego: Diego
    routing: Routing
    brokers: Brokers
    deployments: Deployments
    names: Names
    uaa: Uaa
    app_logs: LogWriter
    clock: Clock
    new_guid: Callable[[], str]
    chance: Random
    log: Logger
    writer: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "writer"))
    readers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(3, "reader"))
