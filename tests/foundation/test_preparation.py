"""A prepared state folder: what is in it, who may read it, and what changes when."""

import os
import socket
import stat
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from cfroute import foundation
from cfroute.cloud_controller import config as cloud_controller
from cfroute.diego.bbs import config as bbs
from cfroute.diego.cell import config as cell
from cfroute.diego.route_emitter import config as route_emitter
from cfroute.errors import ConfigurationError, Conflict
from cfroute.foundation import components, locks, secrets
from cfroute.foundation.client import FoundationClient
from cfroute.foundation.options import Given
from cfroute.foundation.preparation import prepare_up
from cfroute.home import Home
from cfroute.load_balancer import config as load_balancer
from cfroute.locket import config as locket
from cfroute.route_registrar import schema as route_registrar
from cfroute.route_registrar.validation import validate
from cfroute.routing_api import config as routing_api
from cfroute.tcp_router import config as tcp_router
from cfroute.testing.clock import ManualClock
from cfroute.uaa import config as uaa

ANY_PORTS = Given(http_port=0, https_port=0, api_port=0, tcp_ports="0")


def files(home: Home) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in home.root.rglob("*") if path.is_file()}


def gorouter(home: Home, index: int = 0) -> dict[str, Any]:
    text = (home.config / f"gorouter-{index}.yml").read_text()
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def test_only_the_owner_can_read_anything(home: Home) -> None:
    foundation.prepare(home)
    assert stat.S_IMODE(home.root.stat().st_mode) == 0o700
    readable = [path for path in home.root.rglob("*") if path.is_file() and "run" not in path.parts]
    assert len(readable) > 20
    assert {stat.S_IMODE(path.stat().st_mode) for path in readable} == {0o600}


def test_preparing_twice_changes_nothing(home: Home) -> None:
    first = foundation.prepare(home)
    before = files(home)
    assert foundation.prepare(home) == first
    assert files(home) == before


def test_new_secrets_are_those_of_the_configuration_too(home: Home) -> None:
    foundation.prepare(home)
    home.secrets.unlink()
    password = foundation.prepare(home).secrets.admin_password
    assert [user.password for user in uaa.load(home.config / "uaa.yml").users] == [password]


def test_new_secrets_wait_for_the_next_start_while_the_foundation_is_up(home: Home) -> None:
    before = foundation.prepare(home).secrets.admin_password
    lock = locks.acquire(home)
    home.secrets.unlink()
    foundation.prepare(home)
    os.close(lock)
    assert [user.password for user in uaa.load(home.config / "uaa.yml").users] == [before]


def test_a_second_start_with_the_same_options_changes_nothing(home: Home) -> None:
    prepare_up(home, ANY_PORTS)
    before = files(home)
    prepare_up(home, Given())
    assert files(home) == before


def test_every_component_understands_its_file(home: Home) -> None:
    prepare_up(home, Given(http_port=0, https_port=0, api_port=0, gorouters=2, cells=2, tcp_ports="0", tcp_routers=2))
    assert uaa.load(home.config / "uaa.yml").users[0].name == "admin"
    assert cloud_controller.load(home.config / "cloud_controller_ng.yml").organization == "local"
    assert len(load_balancer.load(str(home.config / "load_balancer.yml")).gorouters) == 2
    assert bbs.load(home.config / "bbs.yml").port == 8889
    assert cell.load(home.config / "rep-1.yml").cell_id == "diego_cell/1"
    assert route_emitter.load(home.config / "route_emitter-1.json").cell_id == "diego_cell/1"
    assert (gorouter(home, 1)["index"], gorouter(home, 1)["drain_wait"]) == (1, "2s")
    assert locket.load(home.config / "locket.json").listener[1] == 8891
    registrar = validate(route_registrar.load(str(home.config / "registrar_settings.json")))
    assert [route.name for route in registrar.routes] == ["api", "uaa", "log-cache"]
    emitter = route_emitter.load(home.config / "tcp_emitter.json")
    assert (emitter.uuid, emitter.cfroute.tcp_only, emitter.locket_enabled) == ("diego_brain/0", True, True)
    assert routing_api.load(str(home.config / "routing_api-0.yml"), dev_mode=False).uuid == "routing_api/0"
    assert tcp_router.load(str(home.config / "tcp_router-1.yml"), pid_file_needed=False).cfroute.name == "tcp_router/1"


def test_files_of_components_that_are_gone_are_removed(home: Home) -> None:
    prepare_up(home, Given(http_port=0, https_port=0, api_port=0, tcp_ports="0", gorouters=2, cells=2))
    prepare_up(home, Given(gorouters=1, cells=1))
    assert not (home.config / "gorouter-1.yml").exists()
    assert not (home.config / "rep-1.yml").exists()
    assert gorouter(home)["drain_wait"] == "0s"


def test_another_domain_gets_other_certificates_of_the_same_authority(home: Home) -> None:
    prepare_up(home, ANY_PORTS)
    authority, leaf = home.ca.read_bytes(), home.certificate("load_balancer").read_bytes()
    prepare_up(home, Given(domain="apps.test"))
    assert home.ca.read_bytes() == authority
    assert home.certificate("load_balancer").read_bytes() != leaf
    assert foundation.prepare(home).options.domain == "apps.test"


def test_certificates_are_renewed_before_they_expire(home: Home) -> None:
    clock = ManualClock()
    prepare_up(home, ANY_PORTS, clock)
    leaf = home.certificate("uaa").read_bytes()
    clock.advance(334 * 86_400)
    prepare_up(home, Given(), clock)
    assert home.certificate("uaa").read_bytes() == leaf
    clock.advance(2 * 86_400)
    prepare_up(home, Given(), clock)
    assert home.certificate("uaa").read_bytes() != leaf


def test_secrets_are_made_once(home: Home) -> None:
    made = secrets.load_or_create(home)
    assert secrets.load_or_create(home) == made
    assert len({made.admin_password, made.nats_password, made.route_services_secret, *made.uaa_clients.values()}) == 9


def test_secrets_that_are_new_join_those_of_an_older_folder(home: Home) -> None:
    made = secrets.load_or_create(home)
    fewer = {name: secret for name, secret in made.uaa_clients.items() if name != "tcp_router"}
    secrets.store(home, msgspec.structs.replace(made, uaa_clients=fewer))
    now = secrets.load_or_create(home)
    assert {**now.uaa_clients, "tcp_router": ""} == {**made.uaa_clients, "tcp_router": ""}
    assert now.uaa_clients["tcp_router"]
    assert secrets.load_or_create(home) == now


@pytest.mark.parametrize("name", ["secrets.json", "foundation.json"])
def test_a_damaged_file_is_named(home: Home, name: str) -> None:
    (home.root / name).write_text("{")
    with pytest.raises(ConfigurationError, match=name):
        foundation.prepare(home)


@pytest.mark.parametrize("root", ["/proc/cfroute", "/dev/null/cfroute"])
def test_an_unusable_state_folder(root: str) -> None:
    with pytest.raises(ConfigurationError, match=f"the state folder {root} cannot be used") as caught:
        foundation.prepare(Home(Path(root)))
    assert "--state-dir" in caught.value.hint


def test_a_port_in_use_is_refused_with_its_holder_and_nothing_is_changed(home: Home) -> None:
    prepare_up(home, ANY_PORTS)
    before = files(home)
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        with pytest.raises(Conflict) as caught:
            prepare_up(home, Given(http_port=port, domain="other.test"))
    assert f"port {port} on 127.0.0.1, which load_balancer (http) needs, is in use by " in caught.value.message
    assert f"(pid {os.getpid()})" in caught.value.message
    assert "--http-port" in caught.value.hint
    assert files(home) == before


def test_an_existing_nats_is_used_and_its_password_kept_out_of_sight(home: Home) -> None:
    given = Given(http_port=0, https_port=0, api_port=0, tcp_ports="0", nats="nats://me:hush@10.0.0.5:4222,nats://10.0.0.6")
    prepared = prepare_up(home, given)
    assert not (home.config / "nats.conf").exists()
    nats = gorouter(home)["nats"]
    assert (nats["user"], nats["pass"]) == ("me", "hush")
    assert nats["hosts"] == [{"hostname": "10.0.0.5", "port": 4222}, {"hostname": "10.0.0.6", "port": 4222}]
    assert "hush" not in home.foundation.read_text()
    assert "hush" not in str(FoundationClient(home).info())
    assert [one.state for one in prepared.external()] == ["external", "external"]
    assert prepare_up(home, Given()).secrets.external_nats.password == "hush"
    assert (prepare_up(home, Given(nats="embedded")).home.config / "nats.conf").exists()


def test_information_while_down(home: Home) -> None:
    info = FoundationClient(home).info()
    assert info["running"] is False
    assert info["domain"] == "cf.localhost"
    assert info["tcp_domain"] == "tcp.cf.localhost"
    assert (info["http"], info["https"], info["api"]) == (
        "http://127.0.0.1:8080",
        "https://127.0.0.1:8443",
        "http://127.0.0.1:9022",
    )
    assert info["state_dir"] == str(home.root)
    assert info["nats"].startswith("nats://nats@127.")
    again = FoundationClient(home).info()
    assert {key: again[key] for key in info} == info


def test_instances_have_an_authority_of_their_own_and_gorouter_a_certificate_for_them(home: Home) -> None:
    prepare_up(home, ANY_PORTS)
    config = gorouter(home)
    assert config["ca_certs"] == [home.ca.read_text(), home.instance_identity_ca.read_text()]
    assert config["backends"]["cert_chain"] == home.certificate("gorouter_backends").read_text()
    assert config["backends"]["private_key"] == home.key("gorouter_backends").read_text()
    assert stat.S_IMODE(home.key("instance_identity_ca").stat().st_mode) == 0o600
    secure = cell.load(home.config / "rep-0.yml")
    assert secure.enable_container_proxy
    assert secure.container_proxy_require_and_verify_client_certificates
    assert secure.container_proxy_trusted_ca_certs == (str(home.ca),)
    prepare_up(home, Given(route_integrity=False))
    plain = cell.load(home.config / "rep-0.yml")
    assert not plain.enable_container_proxy
    assert plain.instance_identity_ca_path == str(home.instance_identity_ca)
    assert not foundation.prepare(home).options.route_integrity


def test_a_routing_database_elsewhere(home: Home) -> None:
    url = "mysql://me:hu%2Fsh@db.test/routing"
    prepare_up(home, msgspec.structs.replace(ANY_PORTS, routing_database=url))
    database = routing_api.load(str(home.config / "routing_api-0.yml"), dev_mode=False).sqldb
    assert (database.type, database.host, database.port, database.schema) == ("mysql", "db.test", 3306, "routing")
    assert (database.username, database.password) == ("me", "hu/sh")
    assert "hu/sh" not in home.foundation.read_text()
    prepare_up(home, Given(routing_database="embedded"))
    database = routing_api.load(str(home.config / "routing_api-0.yml"), dev_mode=False).sqldb
    assert (database.type, database.schema) == ("sqlite", str(home.databases / "routing_api.sqlite"))


def test_a_routing_api_elsewhere_over_mutual_tls(home: Home) -> None:
    prepare_up(home, ANY_PORTS)
    pem = {name: str(home.certs / name) for name in ("routing_api_ca.crt", "routing_api_client.crt", "routing_api_client.key")}
    ca, cert, key = pem.values()
    external = Given(routing_api="https://10.0.0.5:3001", external_ca=ca, external_cert=cert, external_key=key)
    prepared = prepare_up(home, external)
    assert [(one.name, one.address) for one in prepared.external()] == [("routing_api", "10.0.0.5:3001")]
    assert gorouter(home)["routing_api"]["uri"] == "https://10.0.0.5"
    emitter = route_emitter.load(home.config / "tcp_emitter.json").routing_api
    assert (emitter.address, emitter.client_cert_file) == ("https://10.0.0.5:3001", cert)
    router = tcp_router.load(str(home.config / "tcp_router-0.yml"), pid_file_needed=False).routing_api
    assert (router.url, router.client_private_key_path) == ("https://10.0.0.5:3001", key)
    controller = cloud_controller.load(home.config / "cloud_controller_ng.yml")
    assert (controller.routing_api_url, controller.routing_api_ca) == ("https://10.0.0.5:3001", ca)
    assert (controller.routing_api_certificate, controller.routing_api_key) == (cert, key)


def test_what_is_left_out_is_external_at_its_own_place(home: Home) -> None:
    prepared = prepare_up(home, msgspec.structs.replace(ANY_PORTS, without=("tcp-router", "locket")))
    shown = {one.name: one.address for one in prepared.external()}
    assert shown == {
        "locket": str(prepared.plan.vms["diego_database/0"].listener("locket")),
        "tcp_router/0": str(prepared.plan.vms["tcp_router/0"].listener("health")),
    }
    started = {component.name for component in components.of(prepared.plan, home, prepared.options)}
    assert "routing_api/0" in started
    assert not started & shown.keys()


def test_without_tcp_routers_nobody_is_told_of_a_routing_api(home: Home) -> None:
    prepared = prepare_up(home, msgspec.structs.replace(ANY_PORTS, tcp_routers=0))
    assert {"routing_api-0.yml", "locket.json", "tcp_emitter.json"}.isdisjoint(path.name for path in home.config.iterdir())
    assert "routing_api" not in gorouter(home)
    assert not route_emitter.load(home.config / "route_emitter-0.json").enable_tcp_emitter
    assert "tcp_ports" not in prepared.info()


def test_single_address(home: Home) -> None:
    prepare_up(home, Given(http_port=0, https_port=0, api_port=0, single_address=True, gorouters=2, tcp_ports="0"))
    addresses = {gorouter(home, index)["cfroute"]["address"] for index in (0, 1)}
    assert addresses == {"127.0.0.1"}
    assert gorouter(home, 0)["port"] != gorouter(home, 1)["port"]


def test_names_lead_to_the_public_ports(home: Home) -> None:
    plan = prepare_up(home, ANY_PORTS).plan
    resolver = gorouter(home)["cfroute"]["resolver"]
    assert {"name": "*.cf.localhost", "port": 443, "address": "127.0.0.1", "to_port": plan.https.port} in resolver
    assert {"name": "cf.localhost", "port": 80, "address": "127.0.0.1", "to_port": plan.http.port} in resolver
