"""Locket's calls: each is one transaction, and answered when that is on the disk."""

from collections.abc import Callable
from typing import Final, TypeVar

from cfroute import daemon
from cfroute.clock import Clock
from cfroute.grpc.server_connection import Handler
from cfroute.grpc.status import Code, RpcError
from cfroute.lager import Lager
from cfroute.locket import api, locks
from cfroute.locket.api import Resource
from cfroute.locket.lock_pick import LockPick
from cfroute.locket.locks import Row
from cfroute.locket.store import Rows, Store, StoreError

SWEEP_INTERVAL: Final = 5.0
"""Seconds after which all rows are looked at again: another Locket may have written some, or have died with its timers."""

_T = TypeVar("_T")


class Service:
    """Grants locks, and takes them back when they expire."""

    def __init__(self, store: Store, clock: Clock, new_guid: Callable[[], str], log: Lager) -> None:
        self._store = store
        self._clock = clock
        self._new_guid = new_guid
        self._log = log
        self._sessions = {name: log.session(name) for name in ("lock", "release", "fetch", "fetch-all", "lock-pick", "burglar")}
        self._lock_pick = LockPick(clock, lambda row: daemon.spawn(self._expire(row), name=f"expire {row.path}"))

    @property
    def methods(self) -> dict[str, Handler]:
        """The handlers of the gRPC service `models.Locket`."""
        return {
            api.LOCK_METHOD: self._lock,
            api.RELEASE_METHOD: self._release,
            api.FETCH_METHOD: self._fetch,
            api.FETCH_ALL_METHOD: self._fetch_all,
        }

    async def _lock(self, message: bytes) -> bytes:
        request = _decoded(api.decode_lock_request, message)
        locks.check(request)
        new_id = self._new_guid()

        def work(rows: Rows) -> Row:
            row = locks.granted(rows.get(request.resource.key), request, new_id)
            rows.put(row)
            return row

        row = await self._run("lock", request.resource, work)
        if row.modified_id == new_id:
            self._sessions["lock"].info("acquired-lock", key=row.path, owner=row.owner, type=row.type)
        self._lock_pick.register(row)
        return b""

    async def _release(self, message: bytes) -> bytes:
        resource = _decoded(api.decode_holder, message)

        def work(rows: Rows) -> bool:
            there = locks.released(rows.get(resource.key), resource)
            if there:
                rows.delete(resource.key)
            return there

        if await self._run("release", resource, work):
            self._sessions["release"].info("released-lock", key=resource.key, owner=resource.owner)
        return b""

    async def _fetch(self, message: bytes) -> bytes:
        key = _decoded(api.decode_fetch_request, message)
        held = await self._run("fetch", Resource(key), lambda rows: rows.get(key))
        return api.encode_holder(locks.found(held))

    async def _fetch_all(self, message: bytes) -> bytes:
        type_ = locks.check_type(_decoded(api.decode_fetch_all_request, message))
        rows = await self._run("fetch-all", Resource(), lambda rows: rows.all())
        return api.encode_fetch_all_response(row.resource for row in rows if row.type == type_ and row.owner)

    async def _run(self, session: str, about: Resource, work: Callable[[Rows], _T]) -> _T:
        """One transaction. Raises RpcError."""
        log = self._sessions[session]
        try:
            return await self._store.run(work)
        except RpcError as refused:
            if refused.code is Code.ALREADY_EXISTS:
                log.debug("lock-collision", key=about.key, owner=about.owner)
            raise
        except StoreError as error:
            log.error("failed-transaction", key=about.key, owner=about.owner, error=error.message)
            raise RpcError(Code.UNKNOWN, error.message) from error

    # What expires

    async def sweep(self) -> None:
        """Let every row expire that nobody renews. Raises StoreError."""
        for row in await self._store.run(lambda rows: rows.all()):
            if row.owner:
                self._lock_pick.register(row)

    async def sweep_for_ever(self) -> None:
        """Sweep every now and then."""
        while True:
            await self._clock.sleep(SWEEP_INTERVAL)
            try:
                await self.sweep()
            except StoreError as error:
                self._sessions["burglar"].error("failed-fetching-locks", error=error.message)

    async def _expire(self, seen: Row) -> None:
        """Its time to live is over. One that cannot be deleted now is registered again by the next sweep."""

        def work(rows: Rows) -> bool:
            over = locks.expired(rows.get(seen.path), seen)
            if over:
                rows.delete(seen.path)
            return over

        log = self._sessions["lock-pick"]
        told = {"key": seen.path, "owner": seen.owner, "type": seen.type, "modified-index": seen.modified_index}
        try:
            if await self._store.run(work):
                log.info("lock-expired", **told)
        except StoreError as error:
            log.error("failed-compare-and-release", error=error.message, **told)

    def stop(self) -> None:
        """Nothing expires any more: that is for the next Locket."""
        self._lock_pick.stop()


def _decoded(decode: Callable[[bytes], _T], message: bytes) -> _T:
    try:
        return decode(message)
    except ValueError as error:
        raise RpcError(Code.INTERNAL, f"grpc: error unmarshalling request: {error}") from error
