"""Servers that answer nonsense: a command says in one line whose answer it could not read, and what of it.

Real answers of a Cloud Controller are damaged in one place each. `FUZZ_EXAMPLES=100` damages more of them.
"""

import json
import os
import random
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from cfroute.cli.access import connection, transport
from cfroute.cli.access.transport import Links
from cfroute.cli.settings import Endpoint, load, save
from cfroute.foundation import secrets
from cfroute.home import Home

from ..conftest import Outcome, Run

TIMES = int(os.environ.get("FUZZ_EXAMPLES", "1"))
"""How often each command is run with a damaged answer."""
SETTING = """
create-org acme
target -o acme
create-space dev
target -s dev
create-app web
create-route cf.localhost --hostname web
map-route web cf.localhost --hostname web
create-user-provided-service logger -r https://logger.cf.localhost
bind-service web logger
"""
COMMANDS = """
api
target
orgs
org acme
spaces
space dev
apps
app web
env web
events web
droplets web
packages web
revisions web
routes
route cf.localhost --hostname web
domains
services
service logger
marketplace
service-brokers
service-access
buildpacks
stacks
feature-flags
org-quotas
org-quota default
space-quotas
org-users acme
space-users acme dev
labels app web
create-app-manifest web -p -
logs web --recent
check-route cf.localhost --hostname web
router-groups
set-env web COLOR blue
scale web -i 1
create-route cf.localhost --hostname web
map-route web cf.localhost --hostname web
unmap-route web cf.localhost --hostname no
bind-service web logger
bind-route-service cf.localhost logger --hostname web
create-domain acme web.test
stop web
update-user-provided-service logger -t a
delete-route cf.localhost --hostname no -f
curl /v3/apps
"""
ODD: tuple[Any, ...] = (None, True, 5, -1, 1e300, "odd", "", [], {}, [5], [[]], {"odd": {"odd": 1}}, 10**30, "9" * 40)
BODIES = (b"", b"<html>\n<h1>503</h1>\n</html>", b'{"resources": [', b"\xff\xfe", b"[" * 100_000, b"null", b"[]", b'"text"', b"5")


def damaged(body: bytes, chance: random.Random) -> bytes:
    """A JSON text with one value that is another, or is missing; or something else altogether."""
    value = json.loads(body) if body else None
    places = list(_places(value))
    if not places or chance.random() < 0.15:
        return chance.choice(BODIES)
    owner, key = chance.choice(places)
    if isinstance(owner, dict) and chance.random() < 0.4:
        del owner[key]
    else:
        owner[key] = chance.choice(ODD)
    return json.dumps(value).encode()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield value, key
        yield from _places(each)


class Damaging(httpx.AsyncBaseTransport):
    """Damages one answer of those that a command gets, chosen by chance."""

    def __init__(self, inner: httpx.AsyncBaseTransport, chance: random.Random) -> None:
        self._inner, self._chance = inner, chance

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        if self._chance.random() < 0.5:
            return answer
        body = await answer.aread()
        kind = answer.headers.get("content-type", "")
        if "json" in kind:
            body = damaged(body, self._chance)
        headers = [(name, value) for name, value in answer.headers.items() if name != "content-length"]
        status = answer.status_code if self._chance.random() < 0.9 else self._chance.choice((202, 401, 404, 422, 500))
        return httpx.Response(status, headers=headers, content=body)


@pytest.fixture
def elsewhere(cfroute: Run, home: Home, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, random.Random], Outcome]:
    """Runs a command line on a Cloud Controller that seems to be somewhere else, and damages some of its answers."""
    for line in SETTING.strip().splitlines():
        assert cfroute(*line.split()).status == 0
    settings = load(home)
    place = Endpoint(
        url="http://api.test", login="http://api.test", uaa="", log_cache="http://api.test", routing="http://api.test"
    )
    target = settings.organization, settings.space
    settings.retarget(place)
    settings.organization, settings.space = target
    save(home, settings)
    near = connection._in_process
    chance = random.Random()
    damages = False

    def reached(_endpoint: Endpoint, hooks: Any) -> Links:
        links = near(home, hooks)
        inner = links.cloud_controller._transport
        wrapped = Damaging(inner, chance) if damages else inner
        client = httpx.AsyncClient(base_url="http://api.test", transport=wrapped)
        return links._replace(cloud_controller=client, unreachable=connection.request_error)

    monkeypatch.setattr(connection, "_elsewhere", reached)
    monkeypatch.setattr(transport, "PATIENCE", 0.0)
    assert cfroute("auth", "admin", secrets.load_or_create(home).admin_password).status == 0
    settings = load(home)
    settings.organization, settings.space = target
    save(home, settings)
    kept = home.cli.read_bytes()

    def run(line: str, given: random.Random) -> Outcome:
        nonlocal chance, damages
        home.cli.write_bytes(kept)
        chance, damages = given, True
        return cfroute(*line.split())

    return run


def test_whoever_answers_nonsense_is_told_of_in_one_line(elsewhere: Callable[[str, random.Random], Outcome]) -> None:
    told, commands = 0, COMMANDS.strip().splitlines()
    for number in range(TIMES):
        for line in commands:
            outcome = elsewhere(line, random.Random(f"{line} {number}"))
            where = f"{line}, number {number}: {outcome}"
            assert "Traceback" not in outcome.err, where
            assert "internal error" not in outcome.err, where
            told += "the answer cannot be read" in outcome.err
    assert told > len(commands) * TIMES / 10
