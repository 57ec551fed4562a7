"""Any set of roles: what somebody may do is what one of his roles allows, and what he sees what one of them shows."""

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from typing import Any, NamedTuple

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete
from sqlalchemy.orm import Session

from cfroute.cloud_controller import app
from cfroute.cloud_controller.endpoints import Endpoint
from cfroute.cloud_controller.models import Person, Role
from cfroute.cloud_controller.openapi import document as described
from cfroute.cloud_controller.openapi.parameters import query_of
from cfroute.cloud_controller.permissions import ORGANIZATION_ROLES, SPACE_ROLES

from .world import World

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "50"))
SECURED = [each for each in app.ENDPOINTS if not each.open]
READING = [each for each in SECURED if each.method == "GET" and described.is_described(each)]
WHO = "somebody"


class Given(NamedTuple):
    """A role in ours (the organization or its space) or in theirs."""

    type: str
    ours: bool


class Outcome(IntEnum):
    """What became of a request, the better ones being greater."""

    UNSEEN = 0
    FORBIDDEN = 1
    DONE = 2


ROLE = st.builds(Given, st.sampled_from([*ORGANIZATION_ROLES, *SPACE_ROLES]), st.booleans())
OUR_ROLE = st.builds(Given, st.sampled_from([*ORGANIZATION_ROLES, *SPACE_ROLES]), st.just(True))
PROPERTY = settings(
    max_examples=EXAMPLES,
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)


class Somebody:
    """Somebody in a world, whose roles come and go, and whose requests change nothing."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = world
        self._writing = world.cc.platform.database.writing
        self._guid = f"guid-of-{WHO}"
        with self._writing() as session:
            session.add(Person(guid=self._guid))
        monkeypatch.setattr(world.cc.platform.database, "writing", self._taken_back)

    @contextlib.contextmanager
    def _taken_back(self) -> Iterator[Session]:
        with self._writing() as session:
            yield session
            session.rollback()

    def hold(self, roles: Iterable[Given]) -> None:
        """Have these roles and no others."""
        with self._writing() as session:
            session.execute(delete(Role).where(Role.user_guid == self._guid))
            for role in set(roles):
                place = self.world.organization if role.ours else self.world.theirs
                owner = {"organization_guid": place}
                if role.type in SPACE_ROLES:
                    owner = {"space_guid": self.world.things[place]["spaces"]}
                session.add(Role(guid=f"own-{role.type}-{role.ours}", type=role.type, user_guid=self._guid, **owner))

    def ask(self, roles: Iterable[Given], endpoint: Endpoint, organization: str, **options: Any) -> httpx.Response:
        """What is said to him while he holds these roles."""
        self.hold(roles)
        path = self.world.path(endpoint.path, organization) or endpoint.path.format(guid="unknown", feature="ssh")
        with self.world.cc.being(WHO):
            return self.world.cc(endpoint.method, path, self.world.body(endpoint, organization), **options)


@pytest.fixture
def somebody(world: World, monkeypatch: pytest.MonkeyPatch) -> Somebody:
    return Somebody(world, monkeypatch)


def outcome(answer: httpx.Response) -> Outcome:
    return {404: Outcome.UNSEEN, 403: Outcome.FORBIDDEN}.get(answer.status_code, Outcome.DONE)


def test_roles_add_up(somebody: Somebody) -> None:
    @PROPERTY
    @given(st.lists(ROLE, max_size=4), st.sampled_from(SECURED), st.booleans())
    def look(roles: list[Given], endpoint: Endpoint, ours: bool) -> None:
        place = somebody.world.organization if ours else somebody.world.theirs
        alone = [outcome(somebody.ask(held, endpoint, place)) for held in ([], *([role] for role in roles))]
        assert outcome(somebody.ask(roles, endpoint, place)) == max(alone), (endpoint, alone)

    look()


def test_sights_add_up(somebody: Somebody) -> None:
    """A list shows what the lists of each single role show, and nothing else."""
    lists = [each for each in READING if "{" not in each.path]

    def seen(roles: Sequence[Given], endpoint: Endpoint) -> set[str]:
        shown = somebody.ask(roles, endpoint, somebody.world.organization)
        guids = {each["guid"] for each in shown.json().get("resources", []) if "guid" in each}
        return {guid for guid in guids if not guid.startswith("own-")}  # those differ

    @PROPERTY
    @given(st.lists(ROLE, max_size=4), st.sampled_from(lists))
    def look(roles: list[Given], endpoint: Endpoint) -> None:
        alone = [seen(held, endpoint) for held in ([], *([role] for role in roles))]
        assert seen(roles, endpoint) == set.union(*alone), endpoint

    look()


def test_nothing_of_others_is_shown_by_any_way(somebody: Somebody) -> None:
    """No list, include, field or filter has a guid of theirs for whoever has roles only among us."""
    theirs = somebody.world.guids(somebody.world.theirs)

    @PROPERTY
    @given(st.lists(OUR_ROLE, max_size=4), st.sampled_from(READING), st.booleans(), st.data())
    def look(roles: list[Given], endpoint: Endpoint, ours: bool, data: st.DataObject) -> None:
        query = {name: data.draw(parameter(name, schema, theirs)) for name, schema in some(data, endpoint)}
        answer = somebody.ask(roles, endpoint, somebody.world.organization if ours else somebody.world.theirs, params=query)
        told = answer.json() if answer.headers.get("content-type", "").startswith("application/json") else {}
        shown = str({key: value for key, value in told.items() if key not in ("pagination", "errors", "links")})
        assert not [guid for guid in theirs if guid in shown], (endpoint, query, shown)

    look()


def some(data: st.DataObject, endpoint: Endpoint) -> list[tuple[str, Any]]:
    """Some of the parameters that an endpoint takes."""
    known = list(query_of(described.OPERATIONS[f"{endpoint.method} {endpoint.path}"]).items())
    return data.draw(st.lists(st.sampled_from(known), max_size=3, unique_by=lambda each: each[0])) if known else []


def parameter(name: str, schema: dict[str, Any], theirs: set[str]) -> st.SearchStrategy[str]:
    """Values that lead to things of theirs."""
    words = schema.get("enum") or schema.get("items", {}).get("enum")
    if name.startswith("fields["):
        return st.just(",".join(words))
    if words:
        return st.sampled_from(words)
    if name.endswith("guids"):
        return st.sampled_from(sorted(theirs))
    simple = {"integer": "1", "boolean": "true"}
    return st.just(simple.get(str(schema.get("type")), "x"))


def test_the_one_role_is_enough(somebody: Somebody) -> None:
    """What the properties count on: roles are given and taken here, and make a difference."""
    show = next(each for each in SECURED if each.path == "/v3/spaces/{guid}" and each.method == "PATCH")
    tried = {
        (): Outcome.UNSEEN,
        (Given("space_auditor", True),): Outcome.FORBIDDEN,
        (Given("space_manager", True),): Outcome.DONE,
        (Given("space_manager", False),): Outcome.UNSEEN,
    }
    for roles, wanted in tried.items():
        assert outcome(somebody.ask(roles, show, somebody.world.organization)) == wanted
