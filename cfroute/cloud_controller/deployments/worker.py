"""The one who carries deployments on: looks what runs of them, has the next step decided, and writes it down.

All that is to be done stands in the database, so the work goes on after any end of the process.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from cfroute.clock import Clock
from cfroute.cloud_controller.config import Config
from cfroute.cloud_controller.db import Database
from cfroute.cloud_controller.deployments import rows
from cfroute.cloud_controller.deployments.progress import Step, next_step
from cfroute.cloud_controller.deployments.rows import Seen
from cfroute.cloud_controller.deployments.states import WORKING
from cfroute.cloud_controller.models import Deployment
from cfroute.cloud_controller.work import in_transaction, nap
from cfroute.diego.api import ActualLRP
from cfroute.diego.client import BBSError, BBSUnavailable
from cfroute.logs import Logger

# Seconds. While there are deployments, what runs of them is looked at so often; without any, the next one is waited for.
LOOK = 0.5
NAP = 30.0
_LATER = (SQLAlchemyError, BBSUnavailable, BBSError)


class Diego(Protocol):
    """What is needed of Diego."""

    async def push(self, app_guids: set[str]) -> None: ...

    async def running(self, process_guid: str) -> list[ActualLRP]: ...


class DeploymentWorker:
    """`run` has to be running; `wake` tells it of a deployment that has changed."""

    def __init__(
        self, database: Database, diego: Diego, config: Config, clock: Clock, new_guid: Callable[[], str], log: Logger
    ) -> None:
        self._database = database
        self._diego = diego
        self._config = config
        self._clock = clock
        self._new_guid = new_guid
        self._log = log
        self._woken = asyncio.Event()
        self._complaint = ""
        self._stuck: dict[str, str] = {}  # what was wrong with a deployment when it was last looked at

    def wake(self) -> None:
        self._woken.set()

    async def run(self) -> None:
        """Carry on what there is, for ever."""
        while True:
            self._woken.clear()
            await nap(self._clock, LOOK if await self.look() else NAP, self._woken)

    async def look(self) -> bool:
        """Take the steps that are due; whether there is anything to look at again soon."""
        try:
            found = await in_transaction(self._database.reading, rows.working)
            for guid, lrps in found:
                await self._try(guid, lrps)
            self._complaint = ""
        except _LATER as error:  # all stands in the database, and goes on when they are back
            if self._complaint != str(error):
                self._complaint = str(error)
                self._log.warn("deployments-wait", error=str(error))
            return True
        return bool(found)

    async def _try(self, guid: str, lrps: Sequence[str]) -> None:
        try:
            await self._advance(guid, lrps)
            self._stuck.pop(guid, None)
        except _LATER:
            raise
        except Exception as error:  # a fault of ours, and no reason to leave the others where they are
            if self._stuck.get(guid) != repr(error):
                self._stuck[guid] = repr(error)
                self._log.error("deployment-stuck", guid=guid, error=repr(error))

    async def _advance(self, guid: str, lrps: Sequence[str]) -> None:
        seen = dict(zip(lrps, await asyncio.gather(*map(self._diego.running, lrps)), strict=True))
        if not await in_transaction(self._database.reading, lambda session: self._differs(session, guid, seen)):
            return
        if app := await in_transaction(self._database.writing, lambda session: self._take(session, guid, seen)):
            await self._diego.push({app})

    def _differs(self, session: Session, guid: str, seen: Seen) -> bool:
        """Whether there is anything to write."""
        deployment = _going_on(session, guid)
        if deployment is None:
            return False
        step, error = _due(session, deployment, seen)
        return bool(step.wanted) or step.state != deployment.state or error != deployment.error

    def _take(self, session: Session, guid: str, seen: Seen) -> str | None:
        """Write the next step down; the app, if Diego has to hear of it."""
        deployment = _going_on(session, guid)
        if deployment is None:
            return None
        before = deployment.state
        step, error = _due(session, deployment, seen)
        changed = rows.take(session, deployment, step, self._clock.now(), error)
        if deployment.state != before:
            self._log.info("deployment", guid=guid, app=deployment.app_guid, state=deployment.state)
            if deployment.state == "DEPLOYED" and not step.lost:
                rows.restart_others(session, deployment, self._new_guid, self._config.external_url)
        return deployment.app_guid if changed else None


def _going_on(session: Session, guid: str) -> Deployment | None:
    """The deployment, unless it was deleted, or another one has taken its place, since it was looked at."""
    deployment = session.get(Deployment, guid)
    return deployment if deployment is not None and deployment.state in WORKING else None


def _due(session: Session, deployment: Deployment, seen: Seen) -> tuple[Step, str | None]:
    """The next step, and what keeps the deployment from going on. While a quota has no room for it, nothing changes at all."""
    standing = rows.standing(deployment)
    step = next_step(standing, rows.processes(session, deployment, seen))
    if excess := rows.excess(session, deployment, step):
        return Step(standing.state), excess
    return step, rows.trouble(deployment, seen)
