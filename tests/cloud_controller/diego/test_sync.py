"""The BBS is kept equal to the database, whatever happens to it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any

import pytest

from cfroute.cloud_controller.diego import sync as diego_sync
from cfroute.cloud_controller.diego.sync import DOMAIN, FULL_SYNC, LOOK, RETRY, DiegoSync
from cfroute.cloud_controller.errors import ApiError
from cfroute.diego.api import ActualLRP, DesiredLRP, Task
from cfroute.diego.client import BBSError, BBSUnavailable


class BBS:
    """A BBS that can go away and forget. `calls` are the names of what was asked of it."""

    def __init__(self) -> None:
        self.lrps: dict[str, DesiredLRP] = {}
        self.waiting: dict[str, Task] = {}
        self.fresh: list[str] = []
        self.calls: list[str] = []
        self.away = False

    def lose_everything(self) -> None:
        self.lrps, self.waiting, self.fresh = {}, {}, []

    def _call(self, name: str) -> None:
        if self.away:
            raise BBSUnavailable("the BBS cannot be reached")
        self.calls.append(name)

    async def desire(self, lrp: DesiredLRP) -> None:
        self._call("desire")
        self.lrps[lrp.process_guid] = lrp

    async def update(self, process_guid: str, **fields: Any) -> None:
        self._call(f"update {' '.join(fields)}")
        if process_guid not in self.lrps:
            raise BBSError(404, "ResourceNotFound", "no desired LRP")
        old = {name: getattr(self.lrps[process_guid], name) for name in DesiredLRP.__struct_fields__}
        self.lrps[process_guid] = DesiredLRP(**{**old, **fields})

    async def remove(self, process_guid: str) -> None:
        self._call("remove")
        self.lrps.pop(process_guid, None)

    async def sync(self, lrps: Iterable[DesiredLRP]) -> dict[str, int]:
        self._call("sync")
        before, self.lrps = self.lrps, {lrp.process_guid: lrp for lrp in lrps}
        return {"created": len(self.lrps.keys() - before.keys()), "changed": 0, "removed": 0}

    async def tasks(self) -> list[Task]:
        self._call("tasks")
        return list(self.waiting.values())

    async def desire_task(self, task: Task) -> None:
        self._call("desire_task")
        if task.task_guid in self.waiting:
            raise BBSError(409, "ResourceExists", "taken")
        self.waiting[task.task_guid] = task

    async def upsert_domain(self, name: str, ttl: int) -> None:
        self._call("upsert_domain")
        assert ttl > FULL_SYNC
        self.fresh = [name]

    async def domains(self) -> list[str]:
        self._call("domains")
        return self.fresh

    async def actual_lrps(self, *, process_guid: str) -> list[ActualLRP]:
        self._call("actual_lrps")
        return [ActualLRP(process_guid, 0)]

    async def retire(self, process_guid: str, index: int) -> None:
        self._call("retire")
        if process_guid not in self.lrps:
            raise BBSError(404, "ResourceNotFound", "no such instance")


Body = Callable[[DiegoSync, BBS, Callable[..., Awaitable[None]]], Coroutine[Any, Any, None]]


@pytest.fixture
def sync(cc: Any) -> Callable[[Body], None]:
    """Run a body with a running DiegoSync, its BBS, and a function that lets time pass."""

    def run(body: Body) -> None:
        bbs = BBS()

        async def main() -> None:
            diego = DiegoSync(bbs, cc.platform.database, cc.platform.config, cc.clock, cc.platform.log)  # type: ignore[arg-type]
            running = asyncio.create_task(diego.run())

            async def passes(seconds: float = 0.0) -> None:
                await idle(diego)
                cc.clock.advance(seconds)
                await idle(diego)

            await passes()
            await body(diego, bbs, passes)
            running.cancel()

        asyncio.run(main())

    return run


async def idle(diego: DiegoSync) -> None:
    """Wait until the loop sleeps and nobody pushes."""
    for _ in range(20):
        await asyncio.sleep(0)
    async with diego._turn:
        pass
    for _ in range(5):
        await asyncio.sleep(0)


def test_everything_is_told_at_the_start(cc: Any, sync: Callable[[Body], None]) -> None:
    app = cc.started()

    async def body(_diego: DiegoSync, bbs: BBS, _passes: Any) -> None:
        assert [lrp.app_guid for lrp in bbs.lrps.values()] == [app]
        assert bbs.fresh == [DOMAIN]
        assert bbs.calls == ["tasks", "sync", "upsert_domain"]

    sync(body)


def test_changes_are_pushed_one_by_one(cc: Any, sync: Callable[[Body], None]) -> None:
    app, other = cc.started(), cc.started("other")
    route = cc.route()

    def work(method: str, path: str, body: Any = None) -> Awaitable[Any]:
        # The app under test has an event loop of its own.
        return asyncio.to_thread(cc.ok, method, path, body)

    async def body(diego: DiegoSync, bbs: BBS, _passes: Any) -> None:
        assert {lrp.app_guid for lrp in bbs.lrps.values()} == {app, other}
        bbs.calls.clear()
        await work("POST", f"/v3/apps/{app}/processes/web/actions/scale", {"instances": 3})
        await diego.push({app})
        await work("POST", f"/v3/routes/{route}/destinations", {"destinations": [{"app": {"guid": app}}]})
        await diego.push({app})
        await diego.push({app})
        assert bbs.calls == ["update instances", "update routes"]
        bbs.calls.clear()
        await work("POST", f"/v3/apps/{app}/actions/restart")
        await diego.push({app})
        assert bbs.calls == ["remove", "desire"]
        bbs.calls.clear()
        await work("DELETE", f"/v3/apps/{app}")
        await diego.push({app})
        assert bbs.calls == ["remove"]
        assert [lrp.app_guid for lrp in bbs.lrps.values()] == [other]

    sync(body)


def test_a_bbs_that_was_away_gets_everything_when_it_is_back(cc: Any, sync: Callable[[Body], None]) -> None:
    app = cc.started()

    async def body(diego: DiegoSync, bbs: BBS, passes: Any) -> None:
        bbs.away = True
        await asyncio.to_thread(cc.ok, "POST", f"/v3/apps/{app}/actions/stop")
        await diego.push({app})
        await passes(LOOK)
        assert bbs.lrps
        bbs.away = False
        await passes(RETRY)
        assert bbs.lrps == {}
        assert cc.log.text.count("not-synced") == 1

    sync(body)


def test_the_first_push_after_it_is_back_syncs(cc: Any, sync: Callable[[Body], None]) -> None:
    app = cc.started()

    async def body(diego: DiegoSync, bbs: BBS, passes: Any) -> None:
        bbs.away = True
        await passes(LOOK)
        bbs.away = False
        bbs.lose_everything()
        await diego.push(set())
        assert [lrp.app_guid for lrp in bbs.lrps.values()] == [app]

    sync(body)


def test_a_bbs_that_forgot_is_filled_again(cc: Any, sync: Callable[[Body], None]) -> None:
    app = cc.started()

    async def body(_diego: DiegoSync, bbs: BBS, passes: Any) -> None:
        bbs.lose_everything()
        await passes(LOOK)
        assert [lrp.app_guid for lrp in bbs.lrps.values()] == [app]

    sync(body)


def test_most_looks_are_cheap(cc: Any, sync: Callable[[Body], None]) -> None:
    async def body(_diego: DiegoSync, bbs: BBS, passes: Any) -> None:
        bbs.calls.clear()
        for _ in range(5):
            await passes(LOOK)
        assert bbs.calls == ["domains"] * 5
        await passes(LOOK)
        assert bbs.calls[5:] == ["tasks", "sync", "upsert_domain"]

    sync(body)


def test_a_change_that_the_bbs_refuses_is_mended_by_a_sync(cc: Any, sync: Callable[[Body], None]) -> None:
    app = cc.started()

    async def body(diego: DiegoSync, bbs: BBS, passes: Any) -> None:
        bbs.lrps = {}
        await asyncio.to_thread(cc.ok, "POST", f"/v3/apps/{app}/processes/web/actions/scale", {"instances": 2})
        await diego.push({app})
        await passes(RETRY)
        assert [lrp.instances for lrp in bbs.lrps.values()] == [2]

    sync(body)


def test_builds_become_tasks(cc: Any, sync: Callable[[Body], None]) -> None:
    package = cc.package(cc.app())
    first = cc.ok("POST", "/v3/builds", {"package": {"guid": package}})["guid"]

    async def body(diego: DiegoSync, bbs: BBS, passes: Any) -> None:
        assert list(bbs.waiting) == [first]
        second = (await asyncio.to_thread(cc.ok, "POST", "/v3/builds", {"package": {"guid": package}}))["guid"]
        await diego.stage([second])
        assert list(bbs.waiting) == [first, second]
        await diego.stage([second])  # a task that is there already is no failure
        bbs.lose_everything()
        await passes(LOOK)
        assert sorted(bbs.waiting) == sorted([first, second])
        del bbs.waiting[first]
        await asyncio.to_thread(
            cc.internal,
            "POST",
            f"/internal/v4/builds/{first}/completed",
            {
                "task_guid": first,
                "app_guid": "",
                "package_url": "",
                "droplet_upload_url": "",
                "completion_url": "",
                "failed": True,
            },
        )
        await passes(FULL_SYNC)
        assert list(bbs.waiting) == [second]

    sync(body)


def test_a_bbs_that_hangs_holds_nobody_up(cc: Any, sync: Callable[[Body], None], monkeypatch: pytest.MonkeyPatch) -> None:
    app = cc.started()
    monkeypatch.setattr(diego_sync, "PATIENCE", 0.01)

    async def body(diego: DiegoSync, bbs: BBS, passes: Any) -> None:
        answered = asyncio.Event()

        async def hang(process_guid: str) -> None:
            await answered.wait()
            bbs.lrps.pop(process_guid)

        monkeypatch.setattr(bbs, "remove", hang)
        await asyncio.to_thread(cc.ok, "POST", f"/v3/apps/{app}/actions/stop")
        await diego.push({app})
        assert bbs.lrps
        answered.set()
        await passes()
        assert not bbs.lrps

    sync(body)


def test_many_pushes_to_a_bbs_that_is_away_try_it_once(cc: Any, sync: Callable[[Body], None]) -> None:
    async def body(diego: DiegoSync, bbs: BBS, passes: Any) -> None:
        bbs.away = True
        await passes(LOOK)
        tried = 0

        async def tasks() -> list[Task]:
            nonlocal tried
            tried += 1
            await asyncio.sleep(0)
            raise BBSUnavailable("away")

        bbs.tasks = tasks  # type: ignore[method-assign]
        await asyncio.gather(*(diego.push({"a"}) for _ in range(10)), diego.stage(["b"]))
        assert tried == 1

    sync(body)


def test_what_the_api_asks(cc: Any, sync: Callable[[Body], None]) -> None:
    app = cc.started()
    guid = cc.desired(app)[0]["process_guid"]

    async def body(diego: DiegoSync, bbs: BBS, _passes: Any) -> None:
        assert [lrp.process_guid for lrp in await diego.actual_lrps(guid)] == [guid]
        await diego.retire(guid, 0)
        with pytest.raises(ApiError, match="Instance not found"):
            await diego.retire("other", 0)
        bbs.away = True
        assert await diego.actual_lrps(guid) == []
        with pytest.raises(ApiError, match="unavailable"):
            await diego.retire(guid, 0)

    sync(body)
