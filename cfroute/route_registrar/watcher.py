"""Looks for dynamic routes, again and again."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from cfroute.clock import Clock
from cfroute.go.patterns import PatternError
from cfroute.lager import Lager
from cfroute.route_registrar import globs
from cfroute.route_registrar.config import Config, Route
from cfroute.route_registrar.dynamic import Changes, changes, parse
from cfroute.route_registrar.errors import RegistrationError

INTERVAL: Final = 10.0  # s, also before the first look


class Watcher:
    """Knows which routes the files had at the last look."""

    def __init__(self, config: Config, clock: Clock, log: Lager) -> None:
        self._config = config
        self._clock = clock
        self._log = log.session("routes-config-watcher")
        self._files: dict[str, list[Route]] = {}

    async def run(self, take: Callable[[Changes], Awaitable[None]]) -> None:
        """Have `take` called with what has become different, for ever. Raises RegistrationError for a glob that is none."""
        while True:
            await self._clock.sleep(INTERVAL)
            await take(self.look())

    def look(self) -> Changes:
        """What has become different since the last look. Raises RegistrationError for a glob that is none."""
        now = self._read()
        found = changes(self._files, now)
        for file in found.files:
            self._log.info("removing-routes-from-config-file", file=file)
        self._files = now
        return found

    def _read(self) -> dict[str, list[Route]]:
        """The routes of all files; one that cannot be read just now has those that it had."""
        try:
            names = [name for glob in self._config.dynamic_globs for name in globs.find(glob)]
        except PatternError as error:
            raise RegistrationError(str(error)) from error
        files = {}
        for name in dict.fromkeys(names):
            routes = self._routes(name)
            files[name] = self._files.get(name, []) if routes is None else routes
        return files

    def _routes(self, name: str) -> list[Route] | None:
        try:
            text = Path(name).read_bytes()
        except OSError as error:
            self._log.error("failed-to-parse-file", file=name, error=str(error))
            return None
        return parse(name, text, self._config.host, self._config.extensions.instance_index, self._log)
