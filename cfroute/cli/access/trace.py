"""`--verbose` and `CF_TRACE`: the requests of a command and their answers, as cf writes them, without what is secret."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from cfroute.cli.access import redaction
from cfroute.clock import Clock
from cfroute.errors import ConfigurationError

Write = Callable[[str], None]


class Trace:
    """Writes what goes over the wire."""

    def __init__(self, writers: list[Write], clock: Clock) -> None:
        self._writers = writers
        self._clock = clock

    def hooks(self) -> dict[str, list[Callable[..., Any]]]:
        """For httpx."""
        return {"request": [self._request], "response": [self._response]}

    async def _request(self, request: httpx.Request) -> None:
        target = redaction.target(str(request.url))
        body = "" if _is_file(request) else redaction.body(await request.aread(), request.headers.get("content-type", ""))
        self._write("REQUEST", redaction.head(f"{request.method} {target} HTTP/1.1", request.headers.items()), body)

    async def _response(self, response: httpx.Response) -> None:
        line = f"HTTP/1.1 {response.status_code} {response.reason_phrase}"
        body = redaction.body(await response.aread(), response.headers.get("content-type", ""))
        self._write("RESPONSE", redaction.head(line, response.headers.items()), body)

    def _write(self, kind: str, head: str, body: str) -> None:
        when = datetime.fromtimestamp(self._clock.now(), UTC)
        text = "\n".join([f"{kind}: [{when:%Y-%m-%dT%H:%M:%SZ}]", head, *([body] if body else []), ""])
        for write in self._writers:
            write(text)


def _is_file(request: httpx.Request) -> bool:
    """Uploads are streamed, and not shown."""
    return str(request.headers.get("content-type", "")).startswith("multipart/")


def chosen(asked: str, *, verbose: bool, to_stderr: Write) -> list[Write]:
    """Where to write: to stderr for --verbose and `CF_TRACE=true`, and to the file that CF_TRACE names.

    Raises ConfigurationError for a file that cannot be written.
    """
    writers = [to_stderr] if verbose or asked.lower() in ("true", "1") else []
    if asked and asked.lower() not in ("true", "1", "false", "0"):
        writers.append(_appending(Path(asked).expanduser()))
    return writers


def _appending(path: Path) -> Write:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600))
    except OSError as error:
        raise ConfigurationError(f"CF_TRACE: {path} cannot be written: {error.strerror}") from error

    def write(text: str) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{text}\n")

    return write
