"""What is measured against every contender, in rounds: A B C D, A B C D, …

Interleaving keeps a slow moment of the machine from being one contender's bad luck; the table shows medians.
"""

import http.client
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from . import load
from .contenders import Contender
from .load import Load, Sample
from .machine import BenchError


@dataclass(frozen=True)
class Case:
    """A load, and which figure of it counts; `relays` tells that it is put on relays of TCP connections."""

    name: str
    title: str
    load: Load
    unit: str
    value: Callable[[Sample], float]
    relays: bool = False


CASES = (
    Case("small", "small bodies, 50 keep-alive connections", Load("/", 50), "requests/s", lambda s: s.rate),
    Case(
        "large",
        "10 MB bodies, 8 keep-alive connections",
        Load("/10m", 8),
        "GB/s",
        lambda s: s.bandwidth / 1e9,
    ),
    Case(
        "connections",
        "a new connection for each request, 50 at a time",
        Load("/", 50, close=True),
        "connections/s",
        lambda s: s.rate,
    ),
    Case(
        "http2",
        "small bodies, TLS and HTTP/2, 10 connections with 10 requests at a time",
        Load("/", 10, streams=10),
        "requests/s",
        lambda s: s.rate,
    ),
    Case(
        "tcp-small",
        "TCP: small bodies, 50 kept connections",
        Load("/", 50),
        "requests/s",
        lambda s: s.rate,
        relays=True,
    ),
    Case(
        "tcp-large",
        "TCP: 10 MB bodies, 8 kept connections",
        Load("/10m", 8),
        "GB/s",
        lambda s: s.bandwidth / 1e9,
        relays=True,
    ),
    Case(
        "tcp-connections",
        "TCP: a new connection for each request, 50 at a time",
        Load("/", 50, close=True),
        "connections/s",
        lambda s: s.rate,
        relays=True,
    ),
)


@dataclass(frozen=True)
class Result:
    """All samples of one contender in one case."""

    contender: str
    samples: tuple[Sample, ...]

    def median(self, value: Callable[[Sample], float]) -> float:
        """The median over the rounds."""
        return statistics.median(map(value, self.samples))

    @property
    def errors(self) -> int:
        """Answers that were no 2xx or 3xx, and connections that broke, over all rounds."""
        return sum(sample.errors for sample in self.samples)

    @property
    def cpu_share(self) -> float | None:
        """The median part of one core that the contender used."""
        shares = [sample.cpu_share for sample in self.samples if sample.cpu_share is not None]
        return statistics.median(shares) if shares else None

    @property
    def cpu_us(self) -> float | None:
        """Microseconds of CPU time that the contender spent on a request: other load hardly moves it."""
        spent = [s.cpu_seconds * 1e6 / s.requests for s in self.samples if s.cpu_seconds is not None and s.requests]
        return statistics.median(spent) if spent else None


def run(case: Case, contenders: Sequence[Contender], rounds: int, seconds: int) -> list[Result]:
    """Measure the case in interleaved rounds."""
    samples: dict[str, list[Sample]] = {contender.name: [] for contender in contenders}
    for _ in range(rounds):
        for contender in contenders:
            url = contender.secure_url if case.load.streams else contender.url
            samples[contender.name].append(load.run(case.load, url, seconds, contender.session))
    return [Result(name, tuple(taken)) for name, taken in samples.items()]


def check(contender: Contender) -> None:
    """See that a contender does the work it is measured for. Raises BenchError.

    It must add X-Forwarded-For and speak to the backend over connections that it keeps.
    """
    parts = urlsplit(contender.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        answers = [_get(connection, "/seen") for _ in range(3)]
    except (OSError, http.client.HTTPException) as error:
        raise BenchError(f"{contender.name} does not answer: {error}") from error
    finally:
        connection.close()
    if any(status != 200 for status, _ in answers):
        raise BenchError(f"{contender.name} answers with status {answers[-1][0]} to Host {load.HOST}")
    forwarded, _, requests = answers[-1][1].rpartition(" ")
    if not forwarded:
        raise BenchError(f"{contender.name} does not add X-Forwarded-For")
    if int(requests) < 2:
        raise BenchError(f"{contender.name} does not keep its backend connections")


def _get(connection: http.client.HTTPConnection, path: str) -> tuple[int, str]:
    connection.request("GET", path, headers={"Host": load.HOST})
    response = connection.getresponse()
    return response.status, response.read().decode(errors="replace")
