"""The program: one server for the route service, for its broker (/v2), and for /stats."""

import argparse
import http.client
import json
import os
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from cfroute_broker.forwarding import NoTarget, Target, connect, forward
from cfroute_broker.osbapi import Broker
from cfroute_broker.serving import Handler, Keeper, locked, say, serve, server
from cfroute_ratelimit import failures
from cfroute_ratelimit.buckets import HIGHEST, Buckets
from cfroute_ratelimit.offer import WAYS, Limit, RateLimits

FORWARDED_URL = "X-CF-Forwarded-Url"
RATE = 10


def rate(text: str) -> int:
    """RATE_LIMIT; what makes no sense is 10. The original takes 0 and more than 1000, and fails with every request."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= HIGHEST else RATE


def switch(text: str) -> bool:
    """A switch of the environment, as Go reads one."""
    return text.lower() in ("1", "t", "true")


def service_url(environment: Mapping[str, str], port: int) -> str:
    """Where Gorouter finds the service: SERVICE_URL, or the app's first route."""
    if url := environment.get("SERVICE_URL"):
        return url
    routes = json.loads(environment.get("VCAP_APPLICATION", "{}")).get("application_uris") or [f"localhost:{port}"]
    return f"https://{routes[0]}"


def log(text: str) -> None:
    """One line, as Go's log package writes it."""
    say(f"{datetime.now().astimezone():%Y/%m/%d %H:%M:%S} {text}")


class RateLimiter:
    """Answers every request; several threads call it."""

    def __init__(self, options: argparse.Namespace, broker: Broker) -> None:
        self._options = options
        self._ask = locked(broker)
        self._default = Limit(options.rate, options.by)
        self._buckets = Buckets(lambda client: say(f"removing expired key [{client}]"))
        self._lock = threading.Lock()

    def handle(self, handler: Handler) -> None:
        """Route service, broker or statistics: what Gorouter forwards is known by its header."""
        if FORWARDED_URL in handler.headers:
            self._limit(handler)
        elif handler.path.startswith("/v2/"):
            self._broke(handler)
        elif handler.path == "/stats":
            with self._lock:
                stats = self._buckets.stats(_milliseconds())
            handler.answer(200, json.dumps(stats).encode(), "application/json")
        else:
            handler.answer(404, b"no route service's request\n")

    def _limit(self, handler: Handler) -> None:
        limit = Limit.of_path(handler.path) or self._default
        client = handler.client_address[0]
        if limit.by == "forwarded-for":
            client = handler.headers.get("X-Forwarded-For", client).split(",")[0].strip()
        log(f"request from [{client}]")
        with self._lock:
            may = self._buckets.take(handler.path, client, limit.rate, _milliseconds())
        if not may:
            say(f"rate limit exceeded for {client}")
            return handler.answer(429, b"Too many requests")
        return self._forward(handler)

    def _forward(self, handler: Handler) -> None:
        try:
            target = Target.parse(handler.headers[FORWARDED_URL])
            forward(handler, connect(target, skip_validation=self._options.skip_ssl_validation), target)
        except (NoTarget, OSError, http.client.HTTPException) as error:
            log(f"http: proxy error: {error}")
            handler.answer(502)

    def _broke(self, handler: Handler) -> None:
        request = handler.to_broker()
        if request is None:
            return
        answer = self._ask(request)
        if self._options.fail and failures.is_bind(request):
            failures.answer_wrongly(self._options.fail, handler, answer, self._options.delay)
        else:
            handler.answer_json(answer)


def _milliseconds() -> int:
    return time.monotonic_ns() // 1_000_000


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    def given(name: str, default: str) -> str:
        return environment.get(name, default)

    parser = argparse.ArgumentParser("cfroute-ratelimit", description=__doc__)
    parser.add_argument("--port", type=int, default=int(given("PORT", "8080")), help="PORT; default 8080")
    parser.add_argument("--rate", type=rate, default=given("RATE_LIMIT", str(RATE)), help="RATE_LIMIT, a second; default 10")
    parser.add_argument(
        "--by", choices=WAYS, default=given("LIMIT_BY", WAYS[0]), help="LIMIT_BY; who a client is: the TCP peer, which is "
        "the Gorouter, as in the original (default), or who X-Forwarded-For begins with",
    )  # fmt: skip
    parser.add_argument(
        "--skip-ssl-validation", action=argparse.BooleanOptionalAction, default=switch(given("SKIP_SSL_VALIDATION", "true")),
        help="SKIP_SSL_VALIDATION; whether to trust any certificate (default)",
    )  # fmt: skip
    parser.add_argument("--url", default="", help="SERVICE_URL: where Gorouter finds the service (default: the app's route)")
    parser.add_argument("--user", default=given("BROKER_USER", "admin"), help="BROKER_USER, of the broker; default admin")
    parser.add_argument("--password", default=given("BROKER_PASSWORD", "secret"), help="BROKER_PASSWORD; default secret")
    parser.add_argument("--state", type=Path, default=None, help="file that the broker keeps instances and bindings in")
    parser.add_argument(
        "--delay", type=float, default=float(given("BROKER_DELAY", "5")), help="BROKER_DELAY: seconds that an operation of "
        "the plan `slow` takes; default 5",
    )  # fmt: skip
    parser.add_argument(
        "--fail", choices=list(failures.WAYS), default=given("BROKER_FAIL", "") or None,
        help="BROKER_FAIL: what goes wrong with each bind, on purpose",
    )  # fmt: skip
    return parser


def main(arguments: Sequence[str]) -> int:
    """Serve until SIGTERM; returns the exit status."""
    options = _parser(os.environ).parse_args(arguments)
    try:
        keeper = Keeper(options.state)
        service = RateLimits(options.url or service_url(os.environ, options.port), Limit(options.rate, options.by))
        broker = Broker(service, (options.user, options.password), time.monotonic, options.delay, keeper.save)
        broker.restore(keeper.load())
        listening = server(RateLimiter(options, broker).handle, options.port)
    except (OSError, ValueError) as error:
        say(f"cfroute-ratelimit: {error}")
        return 1
    log(f"limit per sec [{options.rate}]")
    serve(listening)
    return 0


def run() -> NoReturn:
    """The program as a process."""
    sys.exit(main(sys.argv[1:]))
