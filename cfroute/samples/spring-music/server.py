"""spring-music, as far as one sees it from outside: albums over HTTP, and a page that shows them.

    GET /albums   PUT /albums (add)   POST /albums (update)   GET, DELETE /albums/ID
    GET /appinfo  /service  /request  /errors/{kill,fill-heap,throw}  /actuator/{health,info,env}
    GET /         the page, with the instance that answered and the headers it was asked with
"""

import json
import os
import sys
from typing import Any
from urllib.parse import unquote, urlsplit

import page
from albums import Albums
from serving import Handler, say, serve

PROFILES = ("mysql", "postgres", "mongodb", "redis", "oracle", "sqlserver")
OUT_OF_MEMORY = 137  # what the shell shows for a process that was killed
ALBUMS = Albums()


def services() -> list[dict[str, Any]]:
    """The bound service instances."""
    bound = json.loads(os.environ.get("VCAP_SERVICES") or "{}")
    return [instance for instances in bound.values() for instance in instances]


def profiles() -> list[str]:
    """The databases that the bound services are tagged with."""
    tags = {tag for service in services() for tag in service.get("tags") or []}
    return [profile for profile in PROFILES if profile in tags]


def instance() -> dict[str, str]:
    """Who we are."""
    application = json.loads(os.environ.get("VCAP_APPLICATION") or "{}")
    return {
        "app": str(application.get("application_name") or application.get("name") or "spring-music"),
        "index": os.environ.get("CF_INSTANCE_INDEX", "0"),
        "guid": os.environ.get("CF_INSTANCE_GUID", ""),
        "address": os.environ.get("CF_INSTANCE_ADDR", ""),
    }


class SpringMusic(Handler):
    """One connection."""

    def do_GET(self) -> None:
        path = self._path()
        if path == "/":
            html = page.render(ALBUMS.all(), instance(), self._request())
            self.answer(200, html.encode(), "text/html; charset=utf-8")
        elif path == "/albums":
            self._json(ALBUMS.all())
        elif path.startswith("/albums/"):
            album = ALBUMS.get(path.removeprefix("/albums/"))
            self._json(album) if album else self.answer(200, kind="application/json")
        elif path == "/appinfo":
            self._json({"profiles": profiles(), "services": [each.get("name") for each in services()]})
        elif path == "/service":
            self._json(services())
        elif path == "/request":
            self._json(self._request())
        elif path.startswith("/errors/"):
            self._error(path.removeprefix("/errors/"))
        elif path.startswith("/actuator"):
            self._actuator(path.removeprefix("/actuator").strip("/"))
        else:
            self._not_found(path)

    do_HEAD = do_GET

    def do_PUT(self) -> None:
        """Add an album; POST, which updates one, does the same with its id."""
        path = self._path()
        try:
            given = json.loads(self.body())
        except ValueError as error:
            return self._json({"status": 400, "error": "Bad Request", "message": str(error), "path": path}, 400)
        if path != "/albums" or not isinstance(given, dict):
            return self._not_found(path)
        return self._json(ALBUMS.save(given))

    do_POST = do_PUT

    def do_DELETE(self) -> None:
        path = self._path()
        self.body()
        if not path.startswith("/albums/"):
            return self._not_found(path)
        ALBUMS.delete(path.removeprefix("/albums/"))
        return self.answer(200)

    def _path(self) -> str:
        return unquote(urlsplit(self.path).path)

    def _request(self) -> dict[str, Any]:
        return {
            "method": self.command,
            "path": self.path,
            "headers": [[name, value] for name, value in self.headers.items()],
            "instance": instance(),
        }

    def _error(self, kind: str) -> None:
        if kind == "kill":
            say("forcing this instance to end, as asked")
            os._exit(1)
        if kind == "fill-heap":
            say("java.lang.OutOfMemoryError: Java heap space")
            os._exit(OUT_OF_MEMORY)
        if kind == "throw":
            problem = {"status": 500, "error": "Internal Server Error", "message": "Forcing an exception to be thrown"}
            return self._json(problem | {"path": self.path}, 500)
        return self._not_found(self.path)

    def _actuator(self, what: str) -> None:
        known: dict[str, Any] = {
            "": {"_links": {name: {"href": f"/actuator/{name}"} for name in ("health", "info", "env")}},
            "health": {"status": "UP"},
            "info": {},
            "env": {"activeProfiles": profiles()},
        }
        self._json(known[what]) if what in known else self._not_found(self.path)

    def _not_found(self, path: str) -> None:
        self._json({"status": 404, "error": "Not Found", "message": "", "path": path}, 404)

    def _json(self, value: Any, status: int = 200) -> None:
        self.answer(status, json.dumps(value).encode(), "application/json")


if __name__ == "__main__":
    if len(chosen := profiles()) > 1:
        say(f"Only one active Spring profile may be set among the following: {', '.join(chosen)}")
        sys.exit(1)
    serve(SpringMusic)
