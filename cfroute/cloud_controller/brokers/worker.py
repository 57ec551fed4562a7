"""The one who asks the brokers: for what the API has promised, how far it has come, and to be rid of what nobody wants.

All that is to be done stands in the database (`Operation`, `Orphan`), so the work goes on after any end of the process. An
operation that was begun is not asked for twice at once; one that may have been asked for before a crash is asked for again,
which brokers have to bear.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol, TypeVar

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from cfroute.clock import Clock
from cfroute.cloud_controller.brokers import given, orphans, requests, results, unbinding
from cfroute.cloud_controller.brokers.client import BrokerClient
from cfroute.cloud_controller.brokers.outcomes import Failed, Outcome, Succeeded
from cfroute.cloud_controller.brokers.progress import Limits, Verdict, judge
from cfroute.cloud_controller.brokers.steps import Step, next_step
from cfroute.cloud_controller.brokers.subjects import Question
from cfroute.cloud_controller.config import Config
from cfroute.cloud_controller.db import Database
from cfroute.cloud_controller.models import Operation, Orphan
from cfroute.cloud_controller.work import in_transaction, nap
from cfroute.daemon import spawn
from cfroute.http_client import Client
from cfroute.logs import Logger

PATIENCE = 2.0
"""Seconds that a request waits for a broker; the operation itself goes on."""
_RETRY = 5.0  # seconds until what the database refused is tried again
_LONGEST_NAP = 30.0  # seconds

T = TypeVar("T")


class Pusher(Protocol):
    """Whoever tells Diego of changed routes."""

    async def push(self, app_guids: set[str]) -> None: ...


class BrokerWorker:
    """`run` has to be running; `begin` hurries the operations of a request."""

    present = True

    def __init__(
        self,
        client: Client,
        database: Database,
        diego: Pusher,
        config: Config,
        clock: Clock,
        new_guid: Callable[[], str],
        log: Logger,
    ) -> None:
        self._client = client
        self._database = database
        self._diego = diego
        self._config = config
        self._clock = clock
        self._new_guid = new_guid
        self._log = log
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._woken = asyncio.Event()
        self._limits = Limits(
            config.broker_client_default_async_poll_interval_seconds,
            config.broker_client_max_async_poll_duration_minutes * 60,
        )

    async def run(self) -> None:
        """Do what is due, for ever."""
        await self._safely(self._write(results.forget_the_gone))
        while True:
            self._woken.clear()
            await self._safely(self._begin_what_is_due())
            await self._nap()

    async def begin(self, operations: Sequence[str]) -> None:
        """Begin them, and wait a while for the brokers to answer."""
        tasks = {self._start(guid, self._advance(guid)) for guid in operations}
        if tasks:
            await asyncio.wait(tasks, timeout=PATIENCE)

    async def ask(self, question: Question) -> Outcome:
        """One question; a broker that is away is an outcome like others."""
        where = question.access
        broker = BrokerClient(self._client, where.url, where.username, where.password, self._config.broker_client_timeout_seconds)
        headers = requests.headers(question.user_guid, self._new_guid(), self._config.external_url)
        return await broker.ask(question.request, headers, requires=question.requires)

    def _start(self, guid: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        if (running := self._busy.get(guid)) is not None:
            work.close()
            return running
        task = self._busy[guid] = spawn(self._safely(work), name="ask a service broker")
        task.add_done_callback(lambda _done: self._ended(guid))
        return task

    def _ended(self, guid: str) -> None:
        del self._busy[guid]
        self._woken.set()

    async def _begin_what_is_due(self) -> None:
        now = self._clock.now()

        def read(session: Session) -> tuple[list[str], list[str]]:
            pending = Operation.state.in_(("initial", "in progress"))
            return list(session.scalars(select(Operation.guid).where(pending, Operation.due_at <= now))), orphans.due(
                session, now
            )

        operations, unwanted = await self._read(read)
        for guid in operations:
            self._start(guid, self._advance(guid))
        for guid in unwanted:
            self._start(guid, self._remove(guid))

    async def _nap(self) -> None:
        pause = _RETRY
        with contextlib.suppress(SQLAlchemyError):  # it was told of, and is tried again
            pause = await self._read(self._until_next)
        await nap(self._clock, pause, self._woken)

    def _until_next(self, session: Session) -> float:
        pending = Operation.state.in_(("initial", "in progress")) & Operation.guid.not_in(list(self._busy))
        moments = (
            session.scalar(select(func.min(Operation.due_at)).where(pending)),
            session.scalar(select(func.min(Orphan.due_at)).where(Orphan.guid.not_in(list(self._busy)))),
        )
        known = [moment - self._clock.now() for moment in moments if moment is not None]
        return min(max(0.05, min(known, default=_LONGEST_NAP)), _LONGEST_NAP)

    async def _advance(self, guid: str) -> None:
        """One step of the operation; before an instance goes, its bindings do."""
        children = await self._write(lambda session: unbinding.begin(session, guid, self._clock.now()))
        if children:
            await asyncio.gather(*(self._start(child, self._advance(child)) for child in children))
            again_at = self._clock.now() + self._limits.interval
            if not await self._write(lambda session: unbinding.is_over(session, guid, again_at)):
                return
        step = await self._read(lambda session: next_step(session, guid))
        if step is None:
            await self._write(lambda session: results.forget(session, guid))
            return
        outcome = await self.ask(step.question)
        verdict = judge(step.standing, outcome, self._clock.now(), self._limits.within(step.longest))
        if verdict.state == "succeeded" and step.fetch is not None:
            verdict = await self._fetched(step.fetch, verdict)
        await self._settle(guid, step, verdict)

    async def _fetched(self, question: Question, verdict: Verdict) -> Verdict:
        outcome = await self.ask(question)
        flaw = given.flaw(outcome.values, question.requires) if isinstance(outcome, Succeeded) else None
        if isinstance(outcome, Succeeded) and flaw is None:
            return Verdict("succeeded", verdict.description, outcome.values)
        told = outcome.detail if isinstance(outcome, Failed) else flaw.detail if flaw else ""
        return Verdict("failed", told or "The service broker returned an invalid binding", orphan=True)

    async def _settle(self, guid: str, step: Step, verdict: Verdict) -> None:
        now, standing = self._clock.now(), step.standing
        if verdict.state == "failed":
            self._log.info("broker-operation-failed", kind=standing.kind, type=standing.type, description=verdict.description)
        if standing.kind == "broker":
            await self._write(lambda session: results.settle_catalog(session, guid, verdict))
            return
        apps = await self._write(lambda session: results.settle(session, guid, verdict, now))
        if apps:
            await self._diego.push(apps)

    async def _remove(self, guid: str) -> None:
        question = await self._read(lambda session: orphans.question(session, guid))
        if question is None:
            return
        outcome = await self.ask(question)
        given_up = await self._write(lambda session: orphans.settle(session, guid, outcome, self._clock.now()))
        if isinstance(outcome, Failed):
            told = "orphan-given-up" if given_up else "orphan-not-removed"
            self._log.warn(told, broker=question.access.url, path=question.request.path, error=outcome.detail)

    async def _safely(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except SQLAlchemyError as error:  # what is to be done stands in the database, and is done when it is back
            self._log.error("broker-work-not-done", error=str(error))
            await self._clock.sleep(_RETRY)

    async def _read(self, work: Callable[[Session], T]) -> T:
        return await in_transaction(self._database.reading, work)

    async def _write(self, work: Callable[[Session], T]) -> T:
        return await in_transaction(self._database.writing, work)
