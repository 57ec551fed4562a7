"""Routes and their destinations."""

from typing import Any

import pytest


def test_a_route_as_the_clients_read_it(cc: Any) -> None:
    body = cc.route_body(host="music", path="/albums", options={"loadbalancing": "least-connection"})
    route = cc.ok("POST", "/v3/routes", body)
    assert route["url"] == "music.cf.localhost/albums"
    assert (route["host"], route["path"], route["port"], route["protocol"]) == ("music", "/albums", None, "http")
    assert route["options"] == {"loadbalancing": "least-connection"}
    assert route["destinations"] == []
    assert route["relationships"] == body["relationships"]
    assert route["links"]["destinations"]["href"] == f"http://api.test/v3/routes/{route['guid']}/destinations"
    assert cc.ok("GET", f"/v3/routes/{route['guid']}") == route


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"host": "a.b"}, 'Host must be either "*" or contain only alphanumeric characters, "_", or "-"'),
        ({"host": "x", "path": "p"}, "Path must begin with /"),
        ({"host": "x", "color": 1}, "Unknown field(s): 'color'"),
        ({"host": "MUSIC"}, "Route already exists with host 'MUSIC' for domain 'cf.localhost'."),
        ({"host": "api"}, "Route conflicts with a reserved system route."),
        ({"host": "tcp"}, "Route conflicts with domain 'tcp.cf.localhost'."),
        ({}, "Missing host. Routes in shared domains must have a host defined."),
        ({"host": "x", "port": 1024}, "Routes with protocol 'http' do not support ports."),
        ({"host": "x", "space": "nobody"}, "Invalid space. Ensure that the space exists and you have access to it."),
        ({"host": "x", "domain": "nobody"}, "Invalid domain. Ensure that the domain exists and you have access to it."),
    ],
)
def test_routes_that_cannot_be(cc: Any, fields: dict[str, Any], text: str) -> None:
    cc.route("music")
    assert cc.detail("POST", "/v3/routes", cc.route_body(**fields)) == text


def test_a_twin_in_another_space_gives_the_same_text(cc: Any) -> None:
    cc.route("music")
    space = cc.new_space("s")
    text = cc.detail("POST", "/v3/routes", cc.route_body(space=space, host="music"))
    assert text == "Route already exists with host 'music' for domain 'cf.localhost'."
    text = cc.detail("POST", "/v3/routes", cc.route_body(space=space, host="music", path="/other"))
    assert text == "domain_id and host host_and_domain_taken_different_space"


def test_private_domains(cc: Any) -> None:
    other = cc.new_organization("other")
    relationships = {"organization": {"data": {"guid": other}}}
    domain = cc.ok("POST", "/v3/domains", {"name": "p.test", "relationships": relationships})["guid"]
    assert cc.detail("POST", "/v3/routes", cc.route_body(domain, host="x")) == (
        "Invalid domain. Domain 'p.test' is not available in organization 'local'."
    )
    space = cc.new_space("s", other)
    cc.grant("admin", "space_developer", space)
    cc.scopes = ["cloud_controller.read", "cloud_controller.write"]
    for host in ("", "*"):
        cc.ok("POST", "/v3/routes", cc.route_body(domain, space, host=host))


def test_wildcards_on_shared_domains_are_for_admins(cc: Any) -> None:
    body = cc.route_body(host="*")
    cc.grant("admin", "space_developer", cc.space)
    cc.scopes = ["cloud_controller.read", "cloud_controller.write"]
    assert "sufficient permissions" in cc.detail("POST", "/v3/routes", body)
    cc.scopes = ["cloud_controller.admin"]
    cc.ok("POST", "/v3/routes", body)


def test_internal_domains(cc: Any) -> None:
    domain = cc.domain("apps.internal")
    wildcard = cc.route_body(domain, host="*")
    assert cc.detail("POST", "/v3/routes", wildcard) == "Wildcard hosts are not supported for internal domains."
    with_path = cc.route_body(domain, host="a", path="/p")
    assert cc.detail("POST", "/v3/routes", with_path) == "Paths are not supported for internal domains."
    cc.ok("POST", "/v3/routes", cc.route_body(domain, host="a"))


def test_tcp_routes(cc: Any) -> None:
    domain = cc.domain("tcp.cf.localhost")
    route = cc.ok("POST", "/v3/routes", cc.route_body(domain, port=1024))
    assert (route["url"], route["port"], route["protocol"]) == ("tcp.cf.localhost:1024", 1024, "tcp")
    picked = cc.ok("POST", "/v3/routes", cc.route_body(domain))
    assert 1024 < picked["port"] <= 1123
    for fields, text in (
        ({"host": "h", "port": 1025}, "Hosts are not supported for TCP routes."),
        ({"path": "/p", "port": 1025}, "Paths are not supported for TCP routes."),
        ({"port": 0}, "Routes with protocol 'tcp' must specify a port."),
        ({"port": 80}, "Port '80' is not available. Try a different port or use a different domain."),
        ({"port": 1024}, "Route already exists with port '1024' for domain 'tcp.cf.localhost'."),
    ):
        assert cc.detail("POST", "/v3/routes", cc.route_body(domain, **fields)) == text
    group = cc.ok("GET", f"/v3/domains/{domain}")["router_group"]
    other = cc.ok("POST", "/v3/domains", {"name": "t.test", "router_group": group})["guid"]
    assert "is not available" in cc.detail("POST", "/v3/routes", cc.route_body(other, port=1024))


def test_no_port_is_left(cc: Any) -> None:
    domain = cc.domain("tcp.cf.localhost")
    for port in range(1024, 1124):
        cc.ok("POST", "/v3/routes", cc.route_body(domain, port=port))
    assert cc.detail("POST", "/v3/routes", cc.route_body(domain)) == ("There are no more ports available for this domain.")


def test_the_flag_for_creating_routes(cc: Any) -> None:
    body = cc.route_body(host="x")
    cc.ok("PATCH", "/v3/feature_flags/route_creation", {"enabled": False})
    cc.scopes = ["cloud_controller.read", "cloud_controller.write"]
    response = cc("POST", "/v3/routes", body)
    assert response.status_code == 403
    assert response.json()["errors"] == [
        {"code": 330002, "title": "CF-FeatureDisabled", "detail": "Feature Disabled: route_creation"}
    ]
    cc.scopes = ["cloud_controller.admin"]
    cc.ok("POST", "/v3/routes", body)


def test_filters(cc: Any) -> None:
    app = cc.app()
    plain, with_path, other = cc.route("music"), cc.route("music", path="/p"), cc.route("other")
    cc.map(other, app)
    tcp = cc.ok("POST", "/v3/routes", cc.route_body(cc.domain("tcp.cf.localhost"), port=1024))["guid"]
    service = cc.service()
    cc.ok("POST", "/v3/service_route_bindings", cc.bind_body(plain, service))
    domain = cc.domain()

    def found(query: str) -> list[str]:
        return [each["guid"] for each in cc.ok("GET", f"/v3/routes?{query}")["resources"]]

    assert found(f"domain_guids={domain}&hosts=music&paths=") == [plain]
    assert found(f"domain_guids={domain}&hosts=Music&paths=%2Fp") == [with_path]
    assert found("hosts=music,other") == [plain, with_path, other]
    assert found("hosts=") == [tcp]
    assert found("ports=1024") == [tcp]
    assert found("hosts=&ports=0") == []
    assert found(f"app_guids={app}") == [other]
    assert found(f"space_guids={cc.space}") == [plain, with_path, other, tcp]
    assert found(f"organization_guids={cc.organization}&guids={tcp},{plain}") == [plain, tcp]
    assert found("organization_guids=nobody") == []
    assert found(f"service_instance_guids={service}") == [plain]
    assert [each["guid"] for each in cc.ok("GET", f"/v3/apps/{app}/routes")["resources"]] == [other]
    included = cc.ok("GET", f"/v3/routes/{plain}?include=domain,space,space.organization")["included"]
    assert {kind: [each["name"] for each in things] for kind, things in included.items()} == {
        "domains": ["cf.localhost"],
        "spaces": ["dev"],
        "organizations": ["local"],
    }


def test_options_are_merged_and_reach_diego(cc: Any) -> None:
    app, route = cc.started(), cc.route()
    cc.map(route, app)
    path = f"/v3/routes/{route}"
    assert cc.ok("PATCH", path, {"options": {"loadbalancing": "least-connection"}})["options"] == {
        "loadbalancing": "least-connection"
    }
    assert cc.desired(app)[0]["routes"]["cf-router"][0]["options"] == {"loadbalancing": "least-connection"}
    assert cc.diego.pushed[-1] == {app}
    assert cc.ok("PATCH", path, {"options": {"loadbalancing": None}})["options"] == {}
    assert "must be one of" in cc.detail("PATCH", path, {"options": {"loadbalancing": "x"}})
    cc.ok("PATCH", "/v3/feature_flags/hash_based_routing", {"enabled": True})
    hashed = {"loadbalancing": "hash", "hash_header": "X-A", "hash_balance": 1.5}
    assert cc.ok("PATCH", path, {"options": hashed})["options"]["hash_balance"] == "1.5"


def test_destinations(cc: Any) -> None:
    app, route = cc.app(), cc.route()
    path = f"/v3/routes/{route}/destinations"
    body = {"destinations": [{"app": {"guid": app}}]}
    added = cc.ok("POST", path, body)
    assert added["links"]["route"]["href"] == f"http://api.test/v3/routes/{route}"
    (first,) = added["destinations"]
    assert (first["app"], first["port"], first["protocol"], first["weight"]) == (
        {"guid": app, "process": {"type": "web"}},
        8080,
        "http1",
        None,
    )
    assert cc.ok("POST", path, body) == added
    cc.map(route, app, port=9090, protocol="http2")
    assert [each["port"] for each in cc.ok("GET", path)["destinations"]] == [8080, 9090]
    assert cc.ok("GET", f"{path}?guids={first['guid']}")["destinations"] == [first]
    assert cc.ok("GET", f"{path}?app_guids=nobody")["destinations"] == []
    assert cc.ok("PATCH", f"{path}/{first['guid']}", {"protocol": "http2"})["protocol"] == "http2"
    assert cc.ok("PATCH", f"{path}/{first['guid']}", {"protocol": None})["protocol"] == "http1"
    assert "Cannot use 'tcp'" in cc.detail("PATCH", f"{path}/{first['guid']}", {"protocol": "tcp"})
    assert cc("DELETE", f"{path}/{first['guid']}").status_code == 204
    assert cc.detail("DELETE", f"{path}/{first['guid']}") == (
        "Unable to unmap route from destination. Ensure the route has a destination with this guid."
    )
    assert [each["port"] for each in cc.ok("GET", path)["destinations"]] == [9090]


def test_replacing_destinations_keeps_what_stays(cc: Any) -> None:
    one, two, route = cc.app("one"), cc.app("two"), cc.route()
    kept = cc.map(route, one)
    cc.map(route, two)
    path = f"/v3/routes/{route}/destinations"
    replaced = cc.ok("PATCH", path, {"destinations": [{"app": {"guid": one}}]})["destinations"]
    assert [each["guid"] for each in replaced] == [kept]
    weighted = [{"app": {"guid": one}, "weight": 30}, {"app": {"guid": two}, "weight": 70}]
    weighed = cc.ok("PATCH", path, {"destinations": weighted})["destinations"]
    assert sorted(each["weight"] for each in weighed) == [30, 70]
    assert cc.detail("DELETE", f"{path}/{weighed[0]['guid']}") == ("Weighted destinations cannot be deleted individually.")
    assert cc.ok("PATCH", path, {"destinations": []})["destinations"] == []


def test_destinations_that_cannot_be(cc: Any) -> None:
    route, elsewhere = cc.route(), cc.app(space=cc.new_space("s"))
    path = f"/v3/routes/{route}/destinations"
    assert cc.detail("POST", path, {"destinations": [{"app": {"guid": "x"}}, {"app": {"guid": "y"}}]}) == (
        'App(s) with guid(s) "x", "y" do not exist.'
    )
    assert cc.detail("POST", path, {"destinations": [{"app": {"guid": elsewhere}}]}) == (
        "Routes destinations must be in either the route's space or the route's shared spaces"
    )
    assert cc.detail("POST", path, {"destinations": []}) == (
        "Destinations must be an array containing between 1 and 100 destination objects."
    )


def test_deleting_routes(cc: Any) -> None:
    app, mapped, orphan, bound = cc.started(), cc.route("a"), cc.route("b"), cc.route("c")
    cc.map(mapped, app)
    cc.ok("POST", "/v3/service_route_bindings", cc.bind_body(bound, cc.service()))
    path = f"/v3/spaces/{cc.space}/routes"
    assert "unmapped=true" in cc.detail("DELETE", path)
    response = cc("DELETE", f"{path}?unmapped=true")
    assert cc.ok("GET", response.headers["location"])["operation"] == "space.delete_unmapped_routes"
    assert cc("GET", f"/v3/routes/{orphan}").status_code == 404
    assert cc("GET", f"/v3/routes/{bound}").status_code == 200
    response = cc("DELETE", f"/v3/routes/{mapped}")
    assert cc.ok("GET", response.headers["location"])["operation"] == "route.delete"
    assert cc.desired(app)[0]["routes"] == {}


def test_new_ports_restart_a_started_process(cc: Any) -> None:
    app, route = cc.started(), cc.route()
    (before,) = cc.desired(app)
    cc.map(route, app)
    assert cc.desired(app)[0]["process_guid"] == before["process_guid"]
    cc.map(route, app, port=9090)
    (after,) = cc.desired(app)
    assert after["process_guid"] != before["process_guid"]
    assert after["ports"] == [8080, 9090]
    assert [each["port"] for each in after["routes"]["cf-router"]] == [8080, 9090]
