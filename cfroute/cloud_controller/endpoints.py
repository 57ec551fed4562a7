"""From HTTP requests to handlers and back.

Each resource has a tuple `ENDPOINTS` of `get(path, handler)`, `post(…)` …. A handler that is a plain function gets a `Call`: it
runs in a thread, in one transaction, which is durable before the answer goes out. A coroutine function gets the
`Exchange`, for what has to wait for others (uploads, Diego), and does its database work through `Exchange.run`.
"""

import asyncio
import inspect
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from sqlalchemy import exc
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from cfroute.cloud_controller.bits.blobs import DISK_FULL, disk_problem
from cfroute.cloud_controller.call import Call, Reply
from cfroute.cloud_controller.errors import INTERNAL, NOT_AUTHORIZED, UNAVAILABLE, ApiError, Kind
from cfroute.cloud_controller.permissions import rule_of
from cfroute.cloud_controller.platform import Platform
from cfroute.cloud_controller.query import Query
from cfroute.cloud_controller.urls import Urls
from cfroute.cloud_controller.user import User

T = TypeVar("T")
_LARGEST_BODY = 4 * 1024 * 1024
# What is larger takes so long to read that everybody else would notice.
_SMALL_BODY = 16 * 1024
_TOO_LARGE = Kind(413, 10001, "CF-RequestEntityTooLarge", "The request body is too large")
NOBODY = User("", "", frozenset())
COMPONENT = User("", "", frozenset({"cloud_controller.admin"}))
"""Whoever has come in by mutual TLS."""


@dataclass(frozen=True)
class Endpoint:
    """One line of the API: a method, a path, and who answers.

    open: without a token. public: who has none is nobody, and sees what anybody may; a token that comes along has to be good.
    """

    method: str
    path: str
    handler: Callable[..., Any]
    open: bool = False
    public: bool = False

    @property
    def looks_up(self) -> bool:
        """Whether it reads one thing by its guid, which takes less time than a thread needs to begin."""
        return self.method == "GET" and self.path.endswith("{guid}")


def get(path: str, handler: Callable[..., Any], *, open: bool = False, public: bool = False) -> Endpoint:  # noqa: A002
    return Endpoint("GET", path, handler, open, public)


def post(path: str, handler: Callable[..., Any], *, open: bool = False) -> Endpoint:  # noqa: A002
    return Endpoint("POST", path, handler, open)


def patch(path: str, handler: Callable[..., Any]) -> Endpoint:
    return Endpoint("PATCH", path, handler)


def put(path: str, handler: Callable[..., Any], *, open: bool = False) -> Endpoint:  # noqa: A002
    return Endpoint("PUT", path, handler, open)


def delete(path: str, handler: Callable[..., Any], *, open: bool = False) -> Endpoint:  # noqa: A002
    return Endpoint("DELETE", path, handler, open)


@dataclass(frozen=True)
class Exchange:
    """One request outside of any transaction."""

    platform: Platform
    request: Request
    user: User
    endpoint: Endpoint

    @property
    def path(self) -> Mapping[str, str]:
        return self.request.path_params

    async def body(self) -> bytes:
        """The whole body. Raises 413 above 4 MiB: only uploads are larger, and they are streamed."""
        parts, size = [], 0
        async for part in self.request.stream():
            size += len(part)
            if size > _LARGEST_BODY:
                raise ApiError(_TOO_LARGE)
            parts.append(part)
        return b"".join(parts)

    async def run(self, work: Callable[[Call], T], *, write: bool, at_once: bool = False, raw: bytes = b"") -> T:
        """Do `work` in one transaction, then what it left to be done after it.

        `at_once`: in this thread, which serves everybody: for reads that take less time than a change of threads.
        """
        platform, request = self.platform, self.request
        rule = rule_of(self.endpoint.method, self.endpoint.path)

        def transaction() -> tuple[T, Call]:
            with platform.database.writing() if write else platform.database.reading() as session:
                call = Call(
                    platform=platform,
                    session=session,
                    user=self.user,
                    urls=Urls.of_request(request.headers, platform.config.external_url),
                    location=request.scope["path"],
                    path=request.path_params,
                    query=Query(request.scope["query_string"].decode(errors="replace")),
                    content_type=request.headers.get("content-type", ""),
                    raw=raw,
                    rule=rule,
                    writes=self.endpoint.method != "GET",
                )
                done = work(call)
                if write:
                    call.refuse_unpermitted()
                return done, call

        if at_once:
            return transaction()[0]
        threads = platform.writer if write else platform.readers
        result, call = await asyncio.get_running_loop().run_in_executor(threads, transaction)
        if write:
            await _carry_out(platform, call)
        return result


def knowing_router_groups(needed: Callable[[Call], bool], handler: Callable[[Call], T]) -> Callable[[Exchange], Awaitable[T]]:
    """The handler, called when the database knows the router groups of this moment, if the request needs them."""

    async def ask_first(exchange: Exchange) -> T:
        raw = await exchange.body()
        if await exchange.run(needed, write=False, at_once=len(raw) <= _SMALL_BODY, raw=raw):
            await exchange.platform.routing.refresh()
        return await exchange.run(handler, write=True, raw=raw)

    return ask_first


async def _carry_out(platform: Platform, call: Call) -> None:
    after = call.after
    try:
        for path in after.files:
            path.unlink(missing_ok=True)
        for app_guid, text in after.lines:
            platform.app_logs.write(app_guid, "API", "0", text)
    except OSError as error:  # the change itself is safe
        platform.log.error("not-tidied-up", error=str(error))
    if after.apps:
        await platform.diego.push(after.apps)
    if after.deployments:
        platform.deployments.wake()
    if after.builds:
        await platform.diego.stage(after.builds)
    if after.operations:
        await platform.brokers.begin(after.operations)


def serve(platform: Platform, endpoint: Endpoint, nobody: User = NOBODY) -> Callable[[Request], Awaitable[Response]]:
    """The Starlette endpoint of one line of the API; `nobody` is whoever needs no token."""
    waits = inspect.iscoroutinefunction(endpoint.handler)
    write = endpoint.method != "GET"

    async def answer(request: Request) -> Response:
        try:
            needless = endpoint.open or (endpoint.public and not request.headers.get("authorization"))
            user = nobody if needless else await _admitted(platform, request, write)
            exchange = Exchange(platform, request, user, endpoint)
            if waits:
                return respond(await endpoint.handler(exchange))
            raw = await exchange.body() if write else b""
            # Long answers are encoded in the thread as well.
            at_once = endpoint.looks_up
            return await exchange.run(lambda call: respond(endpoint.handler(call)), write=write, at_once=at_once, raw=raw)
        except Exception as error:
            return refusal(platform, request, error)

    return answer


async def _admitted(platform: Platform, request: Request, write: bool) -> User:
    user = await platform.tokens.user(request.headers.get("authorization"))
    if not (user.may_write if write else user.may_read):
        raise ApiError(NOT_AUTHORIZED)
    return user


def respond(result: Reply | Response | dict[str, Any]) -> Response:
    """The response for what a handler gave back."""
    if isinstance(result, Response):
        return result
    reply = result if isinstance(result, Reply) else Reply(200, result)
    if isinstance(reply.body, bytes):
        return Response(reply.body, reply.status, dict(reply.headers))
    if reply.body is None:
        return Response(None, reply.status, dict(reply.headers))
    return Response(
        msgspec.json.encode(reply.body), reply.status, dict(reply.headers), media_type="application/json; charset=utf-8"
    )


def refusal(platform: Platform, request: Request, error: Exception) -> Response:
    """The one place where exceptions become answers. What is not the client's fault is logged, in one line."""
    if isinstance(error, ApiError):
        refused = error
    elif isinstance(error, exc.DBAPIError | exc.TimeoutError) and not isinstance(error, exc.IntegrityError):
        reason = str(error.orig if isinstance(error, exc.DBAPIError) else error)
        refused = ApiError(UNAVAILABLE, f"The Cloud Controller's database is unavailable: {reason}. Nothing was changed.")
    elif isinstance(error, OSError) and error.errno in DISK_FULL:
        refused = ApiError(UNAVAILABLE, disk_problem(error))
    elif isinstance(error, ClientDisconnect):
        return Response(None, 499)
    else:
        refused = ApiError(INTERNAL)
    if refused.kind.status >= 500:
        platform.log.error(
            "request-failed",
            method=request.method,
            path=request.url.path,
            error=repr(error.__cause__ or error),
            trace="" if refused.kind is not INTERNAL else traceback.format_exc(),
        )
    return respond(Reply(refused.kind.status, {"errors": refused.entries}))
