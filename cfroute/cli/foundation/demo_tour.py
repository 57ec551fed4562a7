"""What the steps of the demo do things with: commands, requests, and traffic that flows meanwhile."""

import contextlib
import io
import json
import shlex
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import httpx

from cfroute.cli.failures import INTERRUPTED
from cfroute.cli.session import Session
from cfroute.errors import CfrouteError

PATIENCE = 15.0  # seconds that a change may take to arrive everywhere
POLL = 0.1


class StepFailed(CfrouteError):
    """A step did not do what it should."""


class Tour:
    """The demo on one foundation; `made` lists the commands that undo what was done, the last first."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.made: list[tuple[str, ...]] = []
        self.names: dict[str, str] = {}
        self._client: httpx.Client | None = None

    @property
    def domain(self) -> str:
        return str(self.session.foundation.info()["domain"])

    def host(self, app: str) -> str:
        """The host name of an app's default route."""
        return f"{self.names[app]}.{self.domain}"

    def cfroute(self, *words: str) -> None:
        """Run a command as a process of its own, and show it with its output. Raises StepFailed when it fails."""
        self.session.show(f"   $ cfroute {shlex.join(words)}")
        done = subprocess.run(
            [sys.executable, "-m", "cfroute.cli.main", *self._on_this_foundation(words)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        for line in done.stdout.rstrip().splitlines():
            self.session.show(f"     {line}" if line else "")
        if done.returncode:
            raise StepFailed(_failure(words, done.returncode, done.stdout))

    def data(self, *words: str) -> Any:
        """What a command prints as JSON, without showing it. Raises StepFailed when it fails."""
        status, out, err = self._ask(*words, "--json")
        if status:
            raise StepFailed(_failure(words, status, err))
        return json.loads(out)

    def succeeds(self, *words: str) -> bool:
        """Whether a command ends with 0."""
        return self._ask(*words)[0] == 0

    def log(self, app: str) -> str:
        """The recent log of an app."""
        return self._ask("logs", self.names[app], "--recent")[1]

    def _ask(self, *words: str) -> tuple[int, str, str]:
        """Status, stdout and stderr of a command that nobody watches: it need not be a process of its own."""
        from cfroute.cli.main import main

        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
            status = main(self._on_this_foundation(words))
        if status == INTERRUPTED:
            raise KeyboardInterrupt
        return status, out.getvalue(), err.getvalue()

    def _on_this_foundation(self, words: Sequence[str]) -> list[str]:
        return [*words, "--state-dir", str(self.session.home.root)]

    def get(self, app: str, path: str = "/") -> httpx.Response:
        """A request to an app through the load balancer."""
        return self.client.get(path, headers={"Host": self.host(app)})

    def see(self, app: str, path: str) -> httpx.Response:
        """The same, shown to the user. Raises StepFailed for an error."""
        self.session.show(f"   $ curl http://{self.host(app)}:{self.client.base_url.port}{path}")
        answer = self.get(app, path)
        if answer.is_error:
            raise StepFailed(f"{answer.status_code} {answer.headers.get('X-Cf-RouterError', '')}: {answer.text[:200]}")
        return answer

    @property
    def client(self) -> httpx.Client:
        if self._client is None:
            base = self.session.foundation.info()["http"]
            self._client = httpx.Client(base_url=base, timeout=PATIENCE, trust_env=False)
        return self._client

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    def wait_for(self, what: str, condition: Callable[[], Any]) -> Any:
        """The first true value of `condition`. Raises StepFailed when there is none for too long."""
        clock = self.session.clock
        deadline = clock.monotonic() + PATIENCE
        while not (value := condition()):
            if clock.monotonic() > deadline:
                raise StepFailed(f"{what}: not within {PATIENCE:.0f} s")
            self.session.api.sleep(POLL)
        return value


class Traffic:
    """Requests one after the other while the block runs; `statuses` counts their answers."""

    def __init__(self, tour: Tour, app: str) -> None:
        self._tour = tour
        self._app = app
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._flow, name="demo traffic")
        self.statuses: Counter[str] = Counter()

    def __enter__(self) -> "Traffic":
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._end.set()
        self._thread.join()

    @property
    def answered(self) -> int:
        return self.statuses.total()

    @property
    def failures(self) -> dict[str, int]:
        """The answers that were none, or errors, with their number."""
        return {status: number for status, number in self.statuses.items() if status != "200"}

    def _flow(self) -> None:
        while not self._end.wait(0.01):
            try:
                self.statuses[str(self._tour.get(self._app).status_code)] += 1
            except httpx.HTTPError as error:
                self.statuses[type(error).__name__] += 1


def _failure(words: Sequence[str], status: int, output: str) -> str:
    told = [line for line in output.splitlines() if line not in ("", "FAILED")]
    return f"'cfroute {shlex.join(words)}' ended with status {status}: {told[-1] if told else ''}"
