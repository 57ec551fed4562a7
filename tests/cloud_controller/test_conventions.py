"""What holds for every request: tokens, errors, lists, pages, links."""

from collections.abc import Callable
from typing import Any

import pytest

from cfroute.cloud_controller.errors import ApiError
from cfroute.cloud_controller.resources import ENDPOINTS


def errors(response: Any) -> list[tuple[int, str, str]]:
    return [(each["code"], each["title"], each["detail"]) for each in response.json()["errors"]]


def test_the_root_links_where_clients_go(cc: Any) -> None:
    links = cc.ok("GET", "/", headers={"Authorization": ""})["links"]
    assert links["cloud_controller_v3"] == {"href": "http://api.test/v3", "meta": {"version": "3.211.0"}}
    assert links["login"] == links["uaa"] == {"href": "http://api.test/uaa"}
    assert links["log_cache"] == {"href": "http://api.test"}


def test_links_lead_back_the_way_the_request_came(cc: Any) -> None:
    headers = {"Host": "api.elsewhere:8443", "X-Forwarded-Proto": "https"}
    assert cc.ok("GET", "/v3", headers=headers)["links"]["apps"] == {"href": "https://api.elsewhere:8443/v3/apps"}


def test_the_root_of_v3_links_every_collection(cc: Any) -> None:
    links = cc.ok("GET", "/v3")["links"]
    singles = {"info"}
    collections = {each.path.removeprefix("/v3/") for each in ENDPOINTS if each.path.startswith("/v3/")}
    assert links.keys() == {"self"} | {name for name in collections if "/" not in name} - singles


@pytest.mark.parametrize("path", ["/", "/v3", "/v3/info", "/healthz"])
def test_roots_and_health_need_no_token(cc: Any, path: str) -> None:
    assert cc("GET", path, headers={"Authorization": ""}).status_code == 200


def test_everything_else_needs_one(cc: Any) -> None:
    for endpoint in ENDPOINTS:
        path = endpoint.path.replace("{", "").replace("}", "")
        if not (endpoint.open or endpoint.public):
            response = cc(endpoint.method, path, headers={"Authorization": ""})
            assert (response.status_code, errors(response)) == (
                401,
                [(10002, "CF-NotAuthenticated", "Authentication error")],
            )


def test_tokens_that_are_no_good(cc: Any, sign: Callable[..., str]) -> None:
    scopes = ["cloud_controller.admin"]
    good = sign(scopes)
    bad = [
        "bearer x",
        "basic " + good.partition(" ")[2],
        good[:-6] + "AAAAAA",
        sign(scopes, exp=1_700_000_000),
        sign(scopes, iss="https://elsewhere"),
        sign(scopes, jti="abc-r"),
        sign(scopes, scope="cloud_controller.admin"),
    ]
    for authorization in bad:
        response = cc("GET", "/v3/apps", headers={"Authorization": authorization})
        assert (response.status_code, errors(response)) == (
            401,
            [(1000, "CF-InvalidAuthToken", "Invalid Auth Token")],
        ), authorization
    assert cc("GET", "/v3/apps", headers={"Authorization": good.replace("bearer", "Bearer")}).status_code == 200


@pytest.mark.parametrize(
    ("scopes", "read", "write"),
    [
        (["cloud_controller.admin"], 200, 201),
        (["cloud_controller.read"], 200, 403),
        (["cloud_controller.admin_read_only"], 200, 403),
        (["cloud_controller.write"], 403, 201),
        (["openid"], 403, 403),
    ],
)
def test_scopes(cc: Any, scopes: list[str], read: int, write: int) -> None:
    body = {"name": "new", "relationships": {"organization": {"data": {"guid": cc.organization}}}}
    cc.grant("admin", "organization_manager", cc.organization)
    cc.scopes = scopes
    assert cc("GET", "/v3/apps").status_code == read
    response = cc("POST", "/v3/spaces", body)
    assert response.status_code == write
    if write == 403:
        assert errors(response) == [(10003, "CF-NotAuthorized", "You are not authorized to perform the requested action")]


@pytest.mark.parametrize(("method", "path"), [("GET", "/v3/nothing"), ("PUT", "/v3/apps"), ("GET", "/v2/info")])
def test_unknown_requests(cc: Any, method: str, path: str) -> None:
    response = cc(method, path)
    assert (response.status_code, errors(response)) == (404, [(10000, "CF-NotFound", "Unknown request")])


def test_a_slash_at_the_end_does_not_matter(cc: Any) -> None:
    assert cc.ok("GET", f"/v3/organizations/{cc.organization}/")["name"] == "local"


@pytest.mark.parametrize("content", [b"{", b"[1]", b'"x"', b"\xff", b"null", pytest.param(b'{"a":' + b"[" * 60_000, id="deep")])
def test_bodies_that_are_no_objects(cc: Any, content: bytes) -> None:
    response = cc("POST", "/v3/organizations", content=content)
    assert response.status_code == 400
    assert errors(response)[0][:2] == (1001, "CF-MessageParseError")


def test_bodies_that_do_not_end(cc: Any) -> None:
    assert cc("POST", "/v3/organizations", content=b" " * 5_000_000).status_code == 413


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("routes", "Route"),
        ("domains", "Domain"),
        ("apps", "App"),
        ("processes", "Process"),
        ("droplets", "Droplet"),
        ("organizations", "Organization"),
        ("spaces", "Space"),
        ("service_instances", "Service instance"),
        ("service_route_bindings", "Service route binding"),
        ("service_credential_bindings", "Service credential binding"),
        ("jobs", "Job"),
        ("packages", "Package"),
        ("builds", "Build"),
        ("feature_flags", "Feature flag"),
        ("audit_events", "Event"),
    ],
)
def test_things_that_are_not_there(cc: Any, kind: str, name: str) -> None:
    response = cc("GET", f"/v3/{kind}/nobody")
    assert (response.status_code, errors(response)) == (404, [(10010, "CF-ResourceNotFound", f"{name} not found")])


def test_pages(cc: Any) -> None:
    for name in ("b", "c", "d"):
        cc.new_organization(name)
    first = cc.ok("GET", "/v3/organizations?order_by=-name&per_page=2&names=b,c,d")
    assert [each["name"] for each in first["resources"]] == ["d", "c"]
    pagination = first["pagination"]
    assert (pagination["total_results"], pagination["total_pages"], pagination["previous"]) == (3, 2, None)
    second = cc.ok("GET", pagination["next"]["href"])
    assert [each["name"] for each in second["resources"]] == ["b"]
    assert second["pagination"]["next"] is None
    assert second["pagination"]["last"]["href"] == pagination["next"]["href"]
    assert cc.ok("GET", second["pagination"]["previous"]["href"])["resources"] == first["resources"]


def test_lists_are_in_the_order_of_creation(cc: Any) -> None:
    names = ["z", "a", "m"]
    for name in names:
        cc.new_organization(name)
    found = cc.ok("GET", "/v3/organizations")["resources"]
    assert [each["name"] for each in found] == ["local", *names]


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("page=0", "Page must be a positive integer"),
        ("per_page=5001", "Per page must be between 1 and 5000"),
        ("order_by=color", "Order by can only be: created_at, updated_at, name"),
        ("label_selector=", "Missing label_selector value"),
        pytest.param("label_selector=" + "a," * 500 + "a", "label_selector may have at most 500 keys and values", id="too many"),
        ("label_selector=a+b", "Invalid label_selector value"),
        ("created_ats=yesterday", "Created ats has an invalid timestamp format."),
        (
            "color=red",
            (
                "Unknown query parameter(s): 'color'. Valid parameters are: 'page', 'per_page', 'order_by', "
                "'created_ats', 'updated_ats', 'guids', 'label_selector', 'include', 'names', 'organization_guids'"
            ),
        ),
        (
            "include=color",
            "Invalid included resource: 'color'. Valid included resources are: 'organization', 'org'",
        ),
    ],
)
def test_bad_queries(cc: Any, query: str, problem: str) -> None:
    response = cc("GET", f"/v3/spaces?{query}")
    assert (response.status_code, errors(response)) == (
        400,
        [(10005, "CF-BadQueryParameter", f"The query parameter is invalid: {problem}")],
    )


def test_labels_and_annotations(cc: Any) -> None:
    labels = {"env": "dev", "example.org/tier": "a"}
    body = {"name": "b", "metadata": {"labels": labels, "annotations": {"note": "x y"}}}
    guid = cc.ok("POST", "/v3/organizations", body)["guid"]
    patch = {"metadata": {"labels": {"env": "prod", "example.org/tier": None}}}
    updated = cc.ok("PATCH", f"/v3/organizations/{guid}", patch)
    assert updated["metadata"] == {"labels": {"env": "prod"}, "annotations": {"note": "x y"}}

    def found(selector: str) -> list[str]:
        listed = cc.ok("GET", "/v3/organizations", params={"label_selector": selector})
        return [each["name"] for each in listed["resources"]]

    assert found("env=prod") == found("env") == found("env in (x,prod)") == ["b"]
    assert found("!env") == found("env!=prod") == ["local"]
    assert found("env,env=dev") == []


def test_times(cc: Any) -> None:
    cc.clock.advance(100)
    guid = cc.new_organization("late")
    cc.clock.advance(100.4)
    cc.ok("PATCH", f"/v3/organizations/{guid}", {"name": "later"})
    shown = cc.ok("GET", f"/v3/organizations/{guid}")
    assert (shown["created_at"], shown["updated_at"]) == ("2023-11-14T22:15:00Z", "2023-11-14T22:16:40Z")

    def found(query: str) -> list[str]:
        return [each["name"] for each in cc.ok("GET", f"/v3/organizations?{query}")["resources"]]

    assert found("created_ats[gt]=2023-11-14T22:13:20Z") == ["later"]
    assert found("created_ats[lte]=2023-11-14T22:13:20Z") == ["local"]
    assert found("created_ats=2023-11-14T22:15:00Z") == ["later"]
    assert found("updated_ats[gte]=2023-11-14T22:16:40Z") == ["later"]
    assert found("updated_ats[lt]=2023-11-14T22:16:40Z") == ["local"]


def test_a_database_that_does_not_take_it_is_said_and_logged_in_one_line(cc: Any) -> None:
    cc.platform.database.close()  # the limit is set on the one connection that is opened next
    with cc.platform.database.writing() as session:
        session.connection().exec_driver_sql("PRAGMA max_page_count = 1")
    body = {"name": "x" * 200, "metadata": {"annotations": {"a": "y" * 100_000}}}
    response = cc("POST", "/v3/organizations", body)
    assert response.status_code == 503
    ((code, title, detail),) = errors(response)
    assert (code, title) == (10015, "CF-ServiceUnavailable")
    assert "database or disk is full" in detail
    assert "Traceback" not in response.text
    assert cc.log.text.count("\n") == 1
    assert "database or disk is full" in cc.log.text
    assert [each["name"] for each in cc.ok("GET", "/v3/organizations")["resources"]] == ["local"]


def test_an_error_of_ours_shows_no_traceback(cc: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_options: object) -> None:
        raise RuntimeError("oh")

    monkeypatch.setattr(type(cc.platform.database), "reading", broken)
    response = cc("GET", "/v3/apps")
    assert (response.status_code, errors(response)) == (500, [(10001, "UnknownError", "An unknown error occurred.")])
    assert cc.log.text.count("\n") == 1
    assert "RuntimeError" in cc.log.text


def test_errors_list_their_details() -> None:
    from cfroute.cloud_controller.errors import unprocessable

    error: ApiError = unprocessable("a", "b")
    assert [each["detail"] for each in error.entries] == ["a", "b"]
    assert str(error) == "a; b"
