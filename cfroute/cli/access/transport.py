"""Requests out of synchronous commands: how the servers are reached, and the event loop that all requests of a run share."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import httpx

from cfroute.cli.progress import AFTER, Waiting
from cfroute.clock import Clock
from cfroute.errors import CfrouteError, NotRunning, TimedOut

REQUEST_TIMEOUT = 60.0  # seconds
# Seconds. An API that has answered before, or that a supervisor sees to, is being restarted: it is asked again for so long.
PATIENCE, RETRY = 5.0, 0.2


def _not_answering(component: str, error: httpx.RequestError) -> CfrouteError:
    """Why a component of the state folder's foundation did not answer."""
    if isinstance(error, httpx.TimeoutException):
        return TimedOut(f"{component} did not answer within {REQUEST_TIMEOUT:.0f} s")
    return NotRunning(
        f"{component} does not answer: {str(error) or 'it hung up'}",
        f"'cfroute status' shows the components; 'cfroute restart {component}' starts this one again",
    )


class Links(NamedTuple):
    """How the servers are reached.

    uaa is where tokens are had; users is the URL of the one that keeps the users, where that is another. doors has the paths
    that other servers answer, and where those are. unreachable makes an error of a failed request to a component. supervised:
    somebody starts the servers again when they end.
    """

    cloud_controller: httpx.AsyncClient
    uaa: httpx.AsyncClient
    users: str = ""
    doors: Mapping[str, str] = {}
    unreachable: Callable[[str, httpx.RequestError], CfrouteError] = _not_answering
    supervised: bool = False

    def address(self, path: str) -> str:
        """Where to ask for a path of the API."""
        for prefix, place in self.doors.items():
            if path.startswith(f"{prefix}/"):
                return place + path.removeprefix(prefix)
        return path


class Transport:
    """Makes one request after the other; `waiting` tells somebody who looks on what takes long."""

    def __init__(self, links: Links, clock: Clock, waiting: Waiting | None = None) -> None:
        self._links = links
        self._clock = clock
        self._waiting = waiting
        self._has_answered = False
        self._runner = asyncio.Runner()

    def run(self, component: str, request: Any) -> httpx.Response:
        """The answer of a component. Raises NotRunning, TimedOut or RequestError when there is none."""
        try:
            answer: httpx.Response = self._runner.run(self._awaited(component, request))
        except httpx.RequestError as error:
            raise self._links.unreachable(component, error) from error
        return answer

    def patiently(self, method: str, attempt: Callable[[], httpx.Response]) -> httpx.Response:
        """What comes of `attempt`, which is repeated while a server is being restarted."""
        deadline = self._clock.monotonic() + PATIENCE
        while True:
            try:
                answer = attempt()
            except CfrouteError as error:
                if not self._may_be_repeated(method, error.__cause__) or self._clock.monotonic() >= deadline:
                    raise
                self.sleep(RETRY)
            else:
                self._has_answered = True
                return answer

    def _may_be_repeated(self, method: str, failure: BaseException | None) -> bool:
        """Whether that does no harm and has a chance. What was not even taken was not done; what was, only a GET repeats."""
        untaken = isinstance(failure, httpx.ConnectError)
        hung_up = isinstance(failure, httpx.NetworkError | httpx.RemoteProtocolError)
        return (untaken or (hung_up and method == "GET")) and (self._has_answered or self._links.supervised)

    def sleep(self, seconds: float) -> None:
        """Wait, while what else is in this process's event loop goes on working."""
        self._runner.run(self._clock.sleep(seconds))

    def pause(self, seconds: float) -> None:
        """Wait between two looks at a job, and show that."""
        if self._waiting is not None:
            self._waiting.show("a job")
        self.sleep(seconds)
        if self._waiting is not None:
            self._waiting.clear()

    def close(self) -> None:
        """End all connections, and what SIGTERM or Ctrl-C broke off."""
        self._runner.run(_cancel_others())
        for client in (self._links.cloud_controller, self._links.uaa):
            self._runner.run(client.aclose())
        self._runner.close()

    async def _awaited(self, component: str, request: Awaitable[httpx.Response]) -> httpx.Response:
        """The answer; somebody who looks on is told that it takes long."""
        if self._waiting is None:
            return await request
        timer = asyncio.get_running_loop().call_later(AFTER, self._waiting.show, component)
        try:
            return await request
        finally:
            timer.cancel()
            self._waiting.clear()


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
