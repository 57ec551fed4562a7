"""The service on a real file, with a clock that the test moves."""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from cfroute.grpc.status import Code, RpcError
from cfroute.lager import DEBUG, Lager, Sink
from cfroute.locket import api
from cfroute.locket.api import LockRequest, Resource
from cfroute.locket.health_check import INTERVAL, until_broken
from cfroute.locket.lock_pick import LockPick
from cfroute.locket.locks import Row
from cfroute.locket.service import Service
from cfroute.locket.store import SqliteStore, StoreError
from cfroute.testing import ManualClock


class Lines:
    """The messages that were logged."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def write(self, line: str, /) -> object:
        self.said.append(json.loads(line)["message"].removeprefix("locket."))
        return None

    def flush(self) -> object:
        return None


class Locket:
    """A service, as a client sees it."""

    def __init__(self, path: Path, clock: ManualClock) -> None:
        self.lines = Lines()
        self.clock = clock
        self.store = SqliteStore(str(path))
        guids = iter(map(str, range(1000)))
        log = Lager("locket", Sink(DEBUG, stream=self.lines))
        self.service = Service(self.store, clock, lambda: next(guids), log)

    async def call(self, method: str, message: bytes) -> bytes:
        return await self.service.methods[method](message)

    async def lock(self, key: str, owner: str, ttl: int = 15) -> None:
        request = LockRequest(Resource(key, owner, type_code=1), ttl)
        await self.call(api.LOCK_METHOD, api.encode_lock_request(request))

    async def release(self, key: str, owner: str) -> None:
        await self.call(api.RELEASE_METHOD, api.encode_holder(Resource(key, owner)))

    async def owner(self, key: str) -> str:
        """Empty if nobody has it."""
        try:
            answer = await self.call(api.FETCH_METHOD, api.encode_fetch_request(key))
        except RpcError:
            return ""
        return api.decode_holder(answer).owner

    async def pass_time(self, seconds: float) -> None:
        """Move the clock, and let happen what is due."""
        self.clock.advance(seconds)
        for _ in range(5):
            await asyncio.sleep(0)


def with_locket(tmp_path: Path, scenario: Callable[[Locket], Awaitable[None]]) -> Lines:
    """Run a scenario; what was logged."""

    async def run() -> Lines:
        locket = Locket(tmp_path / "locket.sqlite", ManualClock())
        await scenario(locket)
        await locket.store.close()
        return locket.lines

    return asyncio.run(run())


def test_a_lock_that_nobody_renews_expires_after_its_time(tmp_path: Path) -> None:
    async def scenario(locket: Locket) -> None:
        await locket.lock("key", "me", ttl=10)
        await locket.pass_time(9.9)
        assert await locket.owner("key") == "me"
        await locket.pass_time(0.2)
        assert await locket.owner("key") == ""
        await locket.lock("key", "you")

    assert with_locket(tmp_path, scenario).said == ["lock.acquired-lock", "lock-pick.lock-expired", "lock.acquired-lock"]


def test_each_renewal_counts_from_the_begin_and_with_its_own_time(tmp_path: Path) -> None:
    async def scenario(locket: Locket) -> None:
        await locket.lock("key", "me", ttl=10)
        for _ in range(10):
            await locket.pass_time(9)
            await locket.lock("key", "me", ttl=10)
        await locket.lock("key", "me", ttl=2)
        await locket.pass_time(2)
        assert await locket.owner("key") == ""

    assert with_locket(tmp_path, scenario).said == ["lock.acquired-lock", "lock-pick.lock-expired"]


def test_what_was_released_and_taken_anew_does_not_expire_with_what_it_was(tmp_path: Path) -> None:
    async def scenario(locket: Locket) -> None:
        await locket.lock("key", "me", ttl=10)
        await locket.pass_time(5)
        await locket.release("key", "me")
        await locket.lock("key", "me", ttl=10)
        await locket.pass_time(6)
        assert await locket.owner("key") == "me"
        await locket.pass_time(5)
        assert await locket.owner("key") == ""

    assert "release.released-lock" in with_locket(tmp_path, scenario).said


def test_a_collision_is_told_to_who_asks_for_all(tmp_path: Path) -> None:
    async def scenario(locket: Locket) -> None:
        await locket.lock("key", "me")
        with pytest.raises(RpcError, match=r"code = AlreadyExists desc = lock-collision"):
            await locket.lock("key", "you")

    assert with_locket(tmp_path, scenario).said == ["lock.acquired-lock", "lock.lock-collision"]


@pytest.mark.statement("Locket 2", "locks left by a dead Locket expire one full TTL after the next one has started")
def test_what_a_dead_locket_left_lives_for_its_whole_time(tmp_path: Path) -> None:
    async def scenario(locket: Locket) -> None:
        await locket.lock("key", "me", ttl=10)
        await locket.pass_time(8)
        locket.service.stop()
        after = Locket(tmp_path / "locket.sqlite", locket.clock)
        await after.service.sweep()
        await after.pass_time(9.9)
        assert await after.owner("key") == "me"
        await after.pass_time(0.2)
        assert await after.owner("key") == ""
        await after.store.close()

    with_locket(tmp_path, scenario)


@pytest.mark.statement("Locket 2", "every 5 s all rows are looked at: one that another Locket has written expires, too")
def test_the_sweep_finds_what_others_have_granted(tmp_path: Path) -> None:
    async def scenario(locket: Locket) -> None:
        sweeping = asyncio.create_task(locket.service.sweep_for_ever())
        await locket.pass_time(0)
        other = Locket(tmp_path / "locket.sqlite", ManualClock())
        await other.lock("key", "me", ttl=10)
        await locket.pass_time(5)
        for _ in range(2):  # does not begin anew each time
            await locket.pass_time(4.9)
        assert await locket.owner("key") == "me"
        await locket.pass_time(0.3)
        assert await locket.owner("key") == ""
        await other.store.close()
        sweeping.cancel()

    with_locket(tmp_path, scenario)


def test_a_database_that_fails_grants_nothing_and_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(locket: Locket) -> None:
        await locket.lock("key", "me", ttl=10)
        working = locket.store.run

        async def failing(work: Callable[..., Any]) -> Any:
            raise StoreError("database or disk is full")

        monkeypatch.setattr(locket.store, "run", failing)
        with pytest.raises(RpcError, match="disk is full"):
            await locket.lock("other", "me")
        await locket.pass_time(10)
        monkeypatch.setattr(locket.store, "run", working)
        assert await locket.owner("key") == "me"
        await locket.service.sweep()
        await locket.pass_time(10)
        assert await locket.owner("key") == ""

    said = with_locket(tmp_path, scenario).said
    assert said.count("lock.failed-transaction") == 1
    assert said.count("lock-pick.failed-compare-and-release") == 1


def test_what_is_no_message(tmp_path: Path) -> None:
    async def scenario(locket: Locket) -> None:
        for method in locket.service.methods:
            with pytest.raises(RpcError) as refused:
                await locket.call(method, b"\x07")
            assert refused.value.code is Code.INTERNAL

    with_locket(tmp_path, scenario)


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    async def scenario(locket: Locket) -> None:
        def work(rows: Any) -> None:
            rows.put(Row("key", "me", "", "lock", 1, "id", 15))
            raise RpcError(Code.UNKNOWN, "no")

        with pytest.raises(RpcError):
            await locket.store.run(work)
        assert await locket.owner("key") == ""

    with_locket(tmp_path, scenario)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match="not a database"):
        SqliteStore(str(tmp_path / "file"))
    with pytest.raises(StoreError, match="unable to open"):
        SqliteStore(str(tmp_path / "none" / "file"))


def test_the_table_is_that_of_the_real_one(tmp_path: Path) -> None:
    SqliteStore(str(tmp_path / "file"))
    with sqlite3.connect(tmp_path / "file") as connection:
        columns = [name for _, name, *_ in connection.execute("PRAGMA table_info(locks)")]
    assert columns == ["path", "owner", "value", "type", "modified_index", "modified_id", "ttl"]


def test_timers_are_not_kept_for_what_is_gone() -> None:
    clock, over = ManualClock(), list[Row]()
    pick = LockPick(clock, over.append)
    row = Row("key", "me", "", "lock", 1, "id", 10)
    for index in (1, 3, 2, 3):
        pick.register(row._replace(modified_index=index))
    assert (len(pick), clock.waiting) == (1, 1)
    clock.advance(10)
    assert [each.modified_index for each in over] == [3]
    assert len(pick) == 0
    pick.register(row)
    pick.stop()
    clock.advance(10)
    assert len(over) == 1


def test_a_database_that_cannot_be_written_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(locket: Locket) -> None:
        log = Lager("locket", Sink(DEBUG, stream=locket.lines))
        checking = asyncio.create_task(until_broken(locket.store, locket.clock, log))
        for _ in range(3):
            await locket.pass_time(INTERVAL)
        working, failures = locket.store.run, [StoreError("full")] * 2

        async def failing(work: Callable[..., Any]) -> Any:
            if failures:
                raise failures.pop()
            return await working(work)

        monkeypatch.setattr(locket.store, "run", failing)
        await locket.pass_time(INTERVAL)  # two attempts fail, and the third one does not
        assert not checking.done()
        failures += [StoreError("full")] * 3
        await locket.pass_time(INTERVAL)
        assert str(await checking) == "full"

    said = with_locket(tmp_path, scenario).said
    assert said == ["starting", *["failed-health-check"] * 5, "database-failure-detected-restarting-locket"]
