"""UAA, Routing API and Gorouter, all of them real: what the API is told is routed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ..conformance.conftest import Backend, Nats, Router
from ..waiting import eventually
from .daemons import Process, settings, write_identities
from .uaas import Uaa


@pytest.fixture
def uaa(tmp_path: Path) -> Iterator[Uaa]:
    write_identities(tmp_path)
    uaa = Uaa(tmp_path)
    yield uaa
    uaa.stop()


@pytest.fixture
def routing_api(tmp_path: Path, uaa: Uaa) -> Iterator[Process]:
    process = Process(tmp_path, settings(tmp_path, oauth=uaa.oauth())).started()
    yield process
    assert process.end() == 0


@pytest.fixture
def router(tmp_path: Path, uaa: Uaa, routing_api: Process) -> Iterator[Router]:
    folder = tmp_path / "gorouter"
    folder.mkdir()
    nats = Nats()
    identity = {name: (tmp_path / file).read_text() for name, file in (("cert_chain", "id.pem"), ("private_key", "id.key"))}
    sections = {
        "oauth": uaa.oauth("gorouter"),
        "routing_api": {
            "uri": "https://127.0.0.1",
            "port": routing_api.mtls_port,
            "ca_certs": (tmp_path / "ca.pem").read_text(),
            **identity,
        },
    }
    router = Router(folder, nats, {"prune_stale_droplets_interval": "30s", **sections})
    yield router
    assert router.stop() == 0
    nats.stop()


@pytest.mark.statement("Routing API 14", "a Gorouter serves what is upserted, until it is deleted")
def test_what_is_upserted_is_served_until_it_is_deleted(uaa: Uaa, routing_api: Process, router: Router) -> None:
    eventually(lambda: router.log("Successfully-subscribed-to-routing-api-event-stream"), "a subscription")
    assert "api.sys.test/routing" in router.routes()  # what was there before
    backend = Backend()
    route = {"route": "hello.test", "port": backend.port, "ip": "127.0.0.1", "ttl": 60, "log_guid": "app"}
    token = uaa.token("emitter")
    with routing_api.client() as api:
        assert api.post("/routes", json=[route], headers=token).status_code == 201
        eventually(lambda: "hello.test" in router.routes(), "the route")
        assert router.get("hello.test").status == 200
        assert b"\r\nX-Cf-Applicationid: app\r\n" in backend.seen[0]
        assert api.request("DELETE", "/routes", json=[route], headers=token).status_code == 204
        eventually(lambda: "hello.test" not in router.routes(), "its end")
    assert router.get("hello.test").status == 404
    own = router.get("api.sys.test", "/routing/v1/routes")  # through its own route
    assert (own.status, b'"Invalid token format"' in own.body) == (401, True)
    backend.close()
