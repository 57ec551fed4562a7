"""Asking Locket, and keeping a lock: what the Routing API and the global route emitter do.

locket = await client.connect(client.Place("10.0.0.1:8891", ca, certificate, key), clock)
lock = client.LockRunner(locket, client.lock_of("routing_api_lock", uuid), log, clock, retry_interval=5.0, new_guid=...)
await lock.acquire()      # we have it
await lock.lost()         # we had it
await lock.release()      # in the other case
"""

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol, TypeVar

from cfroute import daemon, durations
from cfroute.clock import Clock
from cfroute.errors import ConfigurationError
from cfroute.grpc.channel import Channel
from cfroute.grpc.status import Code, RpcError
from cfroute.lager import Lager
from cfroute.locket import api
from cfroute.locket.api import LockRequest, Resource, TypeCode

TTL: Final = 15
"""Seconds that Locket keeps a lock which nobody renews."""
RETRY_INTERVAL: Final = 5.0
"""Seconds between renewals, and between attempts to get a lock that somebody else has."""
_CONNECT: Final = 10.0  # seconds in which Locket has to be there when a process starts
_FETCH: Final = 5.0  # seconds to ask for something that only goes into the log
_RELEASE: Final = 5.0  # seconds to give a lock back; else it expires
_SIGTERM: Final = 15

NewGuid = Callable[[], str]
_T = TypeVar("_T")


class Place(NamedTuple):
    """Where Locket is, and files (PEM): who is trusted to be it, and who we are."""

    address: str
    ca_file: str
    certificate_file: str
    key_file: str


class Locker(Protocol):
    """What a lock runner asks of Locket."""

    async def lock(self, resource: Resource, ttl: int, request_guid: str, timeout: float, *, wait_for_ready: bool = True) -> None:
        """Get or renew. Raises RpcError."""

    async def fetch(self, key: str, timeout: float) -> Resource:
        """Who has it. Raises RpcError."""

    async def release(self, resource: Resource, timeout: float) -> None:
        """Give it back. Raises RpcError."""


class LocketClient:
    """Calls one Locket."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    async def lock(self, resource: Resource, ttl: int, request_guid: str, timeout: float, *, wait_for_ready: bool = True) -> None:
        """Get a resource for `ttl` seconds, or keep it for so long again; request_guid is for Locket's log.

        Raises RpcError: ALREADY_EXISTS while somebody else has it.
        """
        request = api.encode_lock_request(LockRequest(resource, ttl))
        metadata = (("uuid", request_guid),)
        await self._channel.call(api.LOCK_METHOD, request, metadata=metadata, timeout=timeout, wait_for_ready=wait_for_ready)

    async def fetch(self, key: str, timeout: float) -> Resource:
        """Who has it. Raises RpcError: NOT_FOUND if nobody does."""
        answer = await self._channel.call(api.FETCH_METHOD, api.encode_fetch_request(key), timeout=timeout)
        return _decoded(api.decode_holder, answer)

    async def fetch_all(self, type_code: TypeCode, timeout: float) -> list[Resource]:
        """All resources of this type. Raises RpcError."""
        answer = await self._channel.call(api.FETCH_ALL_METHOD, api.encode_fetch_all_request(type_code), timeout=timeout)
        return _decoded(api.decode_fetch_all_response, answer)

    async def release(self, resource: Resource, timeout: float) -> None:
        """Give a resource back. Raises RpcError: ALREADY_EXISTS if somebody else has it."""
        await self._channel.call(api.RELEASE_METHOD, api.encode_holder(resource), timeout=timeout)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._channel.aclose()


async def connect(place: Place, clock: Clock, timeout: float = _CONNECT) -> LocketClient:
    """A client that has its connection. Raises ConfigurationError for unusable files, RpcError when Locket is not there."""
    channel = Channel(place.address, _tls_context(place), clock)
    await channel.connect(timeout)
    return LocketClient(channel)


def lock_of(key: str, owner: str) -> Resource:
    """The lock that this owner wants to have."""
    return Resource(key=key, owner=owner, type_code=TypeCode.LOCK)


class LockRunner:
    """Gets a lock, and keeps it until it is released or lost. A renewal that fails is a loss: somebody else may have it by then.

    Each call has to be answered within the retry interval, or a third of the lock's time to live where that is longer: so a
    Locket that is away is noticed before the lock expires, and one that is slow for a moment costs nothing.
    """

    contended = True
    """Others may wait for it, and need time to take over."""

    def __init__(
        self,
        locker: Locker,
        lock: Resource,
        log: Lager,
        clock: Clock,
        *,
        new_guid: NewGuid,
        retry_interval: float = RETRY_INTERVAL,
        ttl: int = TTL,
    ) -> None:
        """`ttl` and `retry_interval` are in seconds; `new_guid` makes the names of requests."""
        self._locker = locker
        self._lock = lock
        told = {"key": lock.key, "owner": lock.owner, "type_code": int(lock.type_code)}
        self._log = log.session("locket-lock", lock=told, ttl_in_seconds=ttl)
        self._clock = clock
        self._new_guid = new_guid
        self._interval = retry_interval
        self._ttl = ttl
        self._patience = max(retry_interval, ttl / 3)
        self._keeping: asyncio.Task[None] | None = None
        self._lost = asyncio.Event()
        self._over = False  # whether it was released

    async def acquire(self) -> None:
        """Return once it is ours; then it is renewed."""
        self._log.info("started")
        if not await self._attempt(first=True):
            await self._clock.sleep(self._interval)
            while not await self._attempt():
                await self._clock.sleep(self._interval)
        self._log.info("acquired-lock")
        self._keeping = daemon.spawn(self._keep(), name=f"keep {self._lock.key}")

    async def lost(self) -> None:
        """Return when it is ours no more."""
        await self._lost.wait()

    async def release(self) -> None:
        """Give it back, or wait for it no longer: one that was asked for just before may have been granted.

        A second time means nothing.
        """
        if self._over:
            return
        self._over = True
        self._log.info("signalled", signal=_SIGTERM)
        if self._keeping is not None:
            self._keeping.cancel()
        try:
            await self._locker.release(self._lock, _RELEASE)
        except RpcError as error:
            self._log.error("failed-to-release-lock", error=str(error))
        else:
            self._log.info("released-lock")
        self._log.info("completed")

    async def _attempt(self, *, first: bool = False) -> bool:
        """Whether it is ours now."""
        request, began = self._new_guid(), self._clock.monotonic()
        try:
            await self._locker.lock(self._lock, self._ttl, request, self._patience, wait_for_ready=not first)
        except RpcError as error:
            collision = error.code is Code.ALREADY_EXISTS
            if first or not collision:  # who waits for long need not say so all the time
                owner = {"lock-owner": await self._owner()} if collision else {}
                told = {"request-uuid": request, "duration": self._since(began), **owner}
                self._log.error("failed-to-acquire-lock", error=str(error), **told)
            return False
        return True

    async def _owner(self) -> str:
        """Who has it; empty if that cannot be known."""
        with contextlib.suppress(RpcError):
            return (await self._locker.fetch(self._lock.key, _FETCH)).owner
        return ""

    async def _keep(self) -> None:
        """Renew until that fails."""
        while True:
            await self._clock.sleep(self._interval)
            request, began = self._new_guid(), self._clock.monotonic()
            try:
                await self._locker.lock(self._lock, self._ttl, request, self._patience)
            except RpcError as error:
                told = {"request-uuid": request, "duration": self._since(began)}
                self._log.error("lost-lock", error=str(error), **told)
                break
        self._log.info("completed")
        self._lost.set()

    def _since(self, began: float) -> str:
        return durations.format(self._clock.monotonic() - began)


def _tls_context(place: Place) -> ssl.SSLContext:
    """Raises ConfigurationError."""
    try:
        context = ssl.create_default_context(cafile=place.ca_file or None)
        context.load_cert_chain(place.certificate_file, place.key_file)
    except OSError as error:  # SSLError is one
        files = ", ".join(place[1:])
        raise ConfigurationError(f"the certificates {files} cannot be used: {error}") from error
    return context


def _decoded(decode: Callable[[bytes], _T], answer: bytes) -> _T:
    """Raises RpcError."""
    try:
        return decode(answer)
    except ValueError as error:
        raise RpcError(Code.INTERNAL, f"grpc: failed to unmarshal the received message: {error}") from error
