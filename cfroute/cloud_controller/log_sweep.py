"""Forgetting what deleted apps have logged.

That cannot be a part of the deletion: the instances still run then, and have their last words to say.
"""

from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from cfroute import log_cache
from cfroute.clock import Clock
from cfroute.cloud_controller.db import Database
from cfroute.cloud_controller.models import App
from cfroute.logs import Logger

INTERVAL = 60.0  # seconds


async def run(folder: str, database: Database, clock: Clock, log: Logger) -> None:
    """Sweep for ever. What goes wrong is logged, and tried again."""
    while True:
        try:
            await run_in_threadpool(sweep, folder, database)
        except (OSError, SQLAlchemyError) as error:
            log.warn("app-logs-not-swept", error=str(error))
        await clock.sleep(INTERVAL)


def sweep(folder: str, database: Database) -> None:
    """Remove the logs of all apps that are not in the database. Raises OSError, SQLAlchemyError."""
    # The files are listed first: an app is in the database before its first line is written.
    logged = {path.name.partition(".log")[0] for path in Path(folder).glob("[0-9A-Za-z]*.log*")}
    with database.reading() as session:
        known = set(session.scalars(select(App.guid)))
    for guid in logged - known:
        log_cache.remove(folder, guid)
