import json
from http.client import HTTPConnection
from typing import Any

import pytest

from .conftest import App, Start

SERVICES = {"db": [{"name": "mydb", "tags": ["mysql"]}]}


def ask(app: App, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", app.port, timeout=30)
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, data


def test_albums_can_be_listed_added_changed_and_deleted(start: Start) -> None:
    app = start("spring-music")
    albums = json.loads(ask(app, "GET", "/albums")[1])
    assert (len(albums), albums[0]["title"]) == (29, "Nevermind")

    added = json.loads(ask(app, "PUT", "/albums", {"title": "Blue", "artist": "Joni Mitchell"})[1])
    changed = json.loads(ask(app, "POST", "/albums", added | {"releaseYear": "1971"})[1])
    assert json.loads(ask(app, "GET", f"/albums/{added['id']}")[1]) == changed
    assert ask(app, "DELETE", f"/albums/{added['id']}") == (200, b"")
    assert ask(app, "GET", f"/albums/{added['id']}") == (200, b"")
    assert ask(app, "PUT", "/albums", [1])[0] == 404
    assert json.loads(ask(app, "GET", "/actuator/health")[1]) == {"status": "UP"}
    assert ask(app, "GET", "/errors/throw")[0] == 500


def test_the_page_shows_who_answered_and_with_which_headers(start: Start) -> None:
    app = start("spring-music", CF_INSTANCE_INDEX="3", CF_INSTANCE_ADDR="127.0.0.60:61003")
    status, page = ask(app, "GET", "/", **{"X-CF-ApplicationID": "<b>", "Accept": "*/*"})

    text = page.decode()
    assert status == 200
    assert "Nevermind" in text
    assert "<strong>3</strong>" in text
    assert "127.0.0.60:61003" in text
    assert "<tr class=routing><th>X-CF-ApplicationID</th><td>&lt;b&gt;</td></tr>" in text
    said = json.loads(ask(app, "GET", "/request")[1])
    assert said["instance"]["index"] == "3"


def test_bound_services_choose_the_profile(start: Start) -> None:
    app = start("spring-music", VCAP_SERVICES=json.dumps(SERVICES))
    assert json.loads(ask(app, "GET", "/appinfo")[1]) == {"profiles": ["mysql"], "services": ["mydb"]}
    assert json.loads(ask(app, "GET", "/service")[1]) == SERVICES["db"]


def test_two_databases_are_one_too_many(start: Start) -> None:
    both = {"db": [{"name": "a", "tags": ["mysql"]}, {"name": "b", "tags": ["redis"]}]}
    with pytest.raises(AssertionError, match="Only one active Spring profile"):
        start("spring-music", VCAP_SERVICES=json.dumps(both))


@pytest.mark.parametrize(("path", "status"), [("/errors/kill", 1), ("/errors/fill-heap", 137)])
def test_it_ends_when_that_is_asked_for(start: Start, path: str, status: int) -> None:
    app = start("spring-music")
    with pytest.raises(ConnectionError):
        ask(app, "GET", path)
    assert app.process.wait(30) == status
