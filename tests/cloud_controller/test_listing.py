"""Lists: what they cost does not grow faster than they do."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event

from cfroute.cloud_controller.models import Domain, KnownGroup
from cfroute.cloud_controller.presenters.common import to_one
from tests.cloud_controller.conftest import CloudController

LISTS = (
    "organizations",
    "spaces?include=organization",
    "domains",
    "routes?include=domain,space.organization",
    "apps?include=space.organization",
    "processes",
    "packages",
    "builds",
    "droplets",
    "deployments",
    "service_instances?fields[space]=guid",
    "service_credential_bindings?include=app,service_instance",
    "service_route_bindings?include=route,service_instance",
    "roles?include=user,space,organization",
    "audit_events?per_page=500",
)


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is asked of any database in the block."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def populate(cc: CloudController, name: str) -> None:
    """One more of everything, in places of its own."""
    organization = cc.new_organization(name)
    space = cc.new_space(name, organization)
    relationships = {"organization": to_one(organization), "shared_organizations": {"data": [{"guid": cc.organization}]}}
    domain = cc.ok("POST", "/v3/domains", {"name": f"{name}.example.com", "relationships": relationships})["guid"]
    app = cc.app(name, space)
    cc.droplet(app)
    cc.ok("POST", "/v3/deployments", {"relationships": {"app": to_one(app)}})
    route = cc.route(name, domain=domain, space=space)
    cc.map(route, app)
    service = cc.service(name, space=space)
    cc.ok("POST", "/v3/service_route_bindings", cc.bind_body(route, service))
    bound = {"app": to_one(app), "service_instance": to_one(service)}
    cc.ok("POST", "/v3/service_credential_bindings", {"type": "app", "relationships": bound})
    cc.person(name)
    cc.grant(name, "space_developer", space)


def test_no_list_asks_for_each_of_its_rows(cc: CloudController) -> None:
    populate(cc, "one")
    few = {path: asked(cc, path) for path in LISTS}
    for name in ("two", "three", "four"):
        populate(cc, name)
    many = {path: asked(cc, path) for path in LISTS}
    assert {path: more(few[path], many[path]) for path in LISTS if len(many[path]) > len(few[path])} == {}


def test_what_has_become_of_their_droplets_is_read_with_revisions(cc: CloudController) -> None:
    app = cc.started()
    first = asked(cc, f"apps/{app}/revisions")
    for _ in range(3):
        cc.droplet(app)
        cc.ok("POST", f"/v3/apps/{app}/actions/restart")
    assert len(cc.ok("GET", f"/v3/apps/{app}/revisions")["resources"]) == 4
    assert len(asked(cc, f"apps/{app}/revisions")) <= len(first)


def more(few: list[str], many: list[str]) -> list[str]:
    """From which table what was asked oftener is read."""
    return sorted((Counter(map(table, many)) - Counter(map(table, few))).elements())


def table(statement: str) -> str:
    return statement.partition("FROM ")[2].partition(" ")[0]


def asked(cc: CloudController, path: str) -> list[str]:
    with statements() as noted:
        cc.ok("GET", f"/v3/{path}")
    return noted


@pytest.mark.parametrize(("page", "counted"), [(1, True), (2, True), (3, False), (4, True)], ids=str)
def test_pages_that_are_not_full_need_no_counting(cc: CloudController, page: int, counted: bool) -> None:
    for number in range(5):
        cc.route(f"r{number}")
    with statements() as noted:
        answer = cc.ok("GET", f"/v3/routes?per_page=2&page={page}")
    assert answer["pagination"]["total_results"] == 5
    assert [each["host"] for each in answer["resources"]] == [f"r{number}" for number in range(5)][2 * page - 2 : 2 * page]
    assert any("count(" in statement for statement in noted) == counted


def test_a_list_of_nothing_is_not_counted(cc: CloudController) -> None:
    with statements() as noted:
        assert cc.ok("GET", "/v3/routes?hosts=nobody")["pagination"]["total_results"] == 0
    assert not any("count(" in statement for statement in noted)


def test_router_groups_are_read_with_their_domains(cc: CloudController) -> None:
    """Each of its own group, and some of groups that the Routing API does not know any more."""

    def add(number: int) -> None:
        with cc.platform.database.writing() as session:
            session.add(KnownGroup(guid=f"g{number}", name=f"g{number}", type="tcp", reservable_ports="1024"))
            session.add(Domain(name=f"known-{number}.test", router_group_guid=f"g{number}"))
            session.add(Domain(name=f"lost-{number}.test", router_group_guid=f"lost-{number}"))

    add(0)
    few = asked(cc, "domains")
    for number in range(1, 4):
        add(number)
    assert more(few, asked(cc, "domains")) == []
