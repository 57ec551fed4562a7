"""TCP routes, with a UAA and a Routing API that are real, and with some that are not there."""

import asyncio
import signal
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cfroute.clock import SystemClock
from cfroute.lager import Lager, Sink
from cfroute.route_registrar.errors import RegistrationError, Unusable
from cfroute.route_registrar.schema import RoutingApiSchema
from cfroute.route_registrar.tcp_outlet import tcp_outlet
from cfroute.route_registrar.turns import Verb
from cfroute.testing import ManualClock

from ..ports import free_port
from ..routing_api.uaas import SECRET, Guarded, guarded_routing_api
from ..waiting import eventually
from .daemons import Registrar
from .examples import TCP, tcp_route


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with guarded_routing_api(tmp_path_factory.mktemp("routing")) as found:
        yield found


def section(guarded: Guarded, **changes: Any) -> dict[str, Any]:
    """The configuration's `routing_api`. The client may read router groups and write routes."""
    files = {"client_cert_path": "id.pem", "client_private_key_path": "id.key", "server_ca_cert_path": "ca.pem"}
    return {
        "api_url": f"http://127.0.0.1:{guarded.api.port}",
        "oauth_url": f"https://127.0.0.1:{guarded.uaa.port}",
        "client_id": "registrar",
        "client_secret": SECRET,
        "ca_certs": str(guarded.uaa.folder / "ca.pem"),
        **{key: str(guarded.uaa.folder / name) for key, name in files.items()},
        **changes,
    }


@pytest.mark.statement("route registrar 7", "TCP routes are upserted at the Routing API with a token, and deleted in the end")
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_a_tcp_route(tmp_path: Path, guarded: Guarded, secure: bool) -> None:
    url = {"api_url": f"https://127.0.0.1:{guarded.api.mtls_port}"} if secure else {}
    sni = TCP | {"type": "sni", "sni_port": 99, "sni_routable_san": "x.test", "external_port": 1025}
    routes = [TCP | {"external_port": 1024, "registration_interval": "1s"}, sni]
    registrar = Registrar(tmp_path, {"routing_api": section(guarded, **url), "routes": routes})
    try:
        registrar.until_said("Registered routes successfully", 3)
        plain, named = sorted(guarded.tcp_routes(), key=lambda route: int(route["port"]))
        assert plain.pop("modification_tag")["guid"]
        assert plain == {
            "router_group_guid": named["router_group_guid"],
            "backend_port": 1234,
            "backend_tls_port": -1,
            "backend_ip": "10.0.0.2",
            "instance_id": "",
            "port": 1024,
            "ttl": 2,
            "isolation_segment": "",
        }
        assert (named["backend_port"], named["backend_sni_hostname"], named["ttl"]) == (99, "x.test", 42)
        assert len(registrar.said("Mapped new router group")) == 1
        messages = registrar.messages()
        assert messages[1:4] == ["creating nats connection", "creating routing API connection", "Running"]
        assert "nats-connection-successful" not in messages
        assert registrar.end(signal.SIGTERM) == 0
        assert guarded.tcp_routes() == []
        assert len(registrar.said("Deleted route")) == 2
    finally:
        registrar.process.kill()
        registrar.process.wait()


class Outlet:
    """An outlet in this process, with what it logs."""

    def __init__(self, **schema: Any) -> None:
        self.output = StringIO()
        self.clock = ManualClock()
        self._schema = msgspec.convert(schema, RoutingApiSchema)

    def fail(self, verb: Verb = Verb.REGISTER) -> str:
        """Why a route cannot be told."""

        async def tell() -> str:
            outlet = tcp_outlet(self._schema, 120, self.clock, Lager("Route Registrar", Sink(stream=self.output)))
            try:
                telling = asyncio.ensure_future(outlet.tell(verb, tcp_route()))
                while not telling.done():
                    await asyncio.sleep(0.002)
                    self.clock.advance(0.5)
                return str(telling.exception())
            finally:
                await outlet.aclose()

        return asyncio.run(tell())

    def messages(self) -> list[str]:
        return [
            msgspec.json.decode(line)["message"].removeprefix("Route Registrar.") for line in self.output.getvalue().splitlines()
        ]


@pytest.mark.statement(
    "route registrar 7", "A token that cannot be had is asked for three times more, 500 ms apart; then it ends"
)
def test_no_uaa(guarded: Guarded) -> None:
    outlet = Outlet(**section(guarded, oauth_url=f"https://127.0.0.1:{free_port()}"))
    assert outlet.fail().startswith("oauth2: cannot fetch token: ")
    assert outlet.messages() == [
        "refresh-token",
        *["uaa-client.error-fetching-token"] * 4,
        "token-error",
        "Failed to refresh UAA token",
    ]


def test_a_secret_that_is_wrong(guarded: Guarded) -> None:
    outlet = Outlet(**section(guarded, client_secret="no"))
    assert "oauth2: cannot fetch token: " in outlet.fail()
    assert outlet.messages()[-2:] == ["token-error", "Failed to refresh UAA token"]


@pytest.mark.statement("route registrar 7", "What the Routing API refuses is told, and ends it")
def test_refusals(guarded: Guarded) -> None:
    no_api = Outlet(**section(guarded, api_url=f"http://127.0.0.1:{free_port()}"))
    assert no_api.fail()
    assert no_api.messages()[-1] == "Failed to make route mapping"
    reader = Outlet(**section(guarded, client_id="admin"))  # may read router groups, and nothing else
    assert reader.fail(Verb.REGISTER) == "unauthorized"
    assert reader.messages()[-1] == "Failed to upsert route mapping"
    assert reader.fail(Verb.UNREGISTER) == "unauthorized"
    assert reader.messages()[-1] == "Failed to delete route mapping"


GOOD: dict[str, Any] = {"api_url": "http://a:1", "oauth_url": "https://u:8443", "client_id": "c", "client_secret": "s"}
UNUSABLE: list[tuple[dict[str, Any], str]] = [
    ({"oauth_url": "https://u"}, 'RoutingAPI OAuth port () not an integer: strconv.Atoi: parsing "": invalid syntax'),
    ({"oauth_url": "https://u:x"}, 'RoutingAPI OAuth port (x) not an integer: strconv.Atoi: parsing "x": invalid syntax'),
    ({"oauth_url": "ftp://u:1"}, "RoutingAPI OAuth scheme (ftp) is neither http nor https"),
    ({"ca_certs": "/nothing"}, "failed to read ca cert file /nothing: no such file or directory"),
    ({"api_url": "https://a:1", "server_ca_cert_path": "/nothing"}, "[Errno 2] No such file or directory"),
]


@pytest.mark.statement("route registrar 2", "`oauth_url` has to have a port, and http or https for its scheme")
@pytest.mark.parametrize(("changes", "told"), UNUSABLE, ids=[told[:40] for _, told in UNUSABLE])
def test_what_cannot_be_used(changes: dict[str, Any], told: str) -> None:
    schema = msgspec.convert(GOOD | changes, RoutingApiSchema)
    with pytest.raises(Unusable) as caught:
        tcp_outlet(schema, 120, SystemClock(), Lager("x", Sink(stream=StringIO())))
    assert str(caught.value) == told


@pytest.mark.statement("route registrar 7", "A route that cannot be told ends the process with exit status 2")
def test_the_end_of_the_process(tmp_path: Path, guarded: Guarded) -> None:
    api = section(guarded, client_id="admin")
    registrar = Registrar(tmp_path, {"routing_api": api, "routes": [TCP]})
    eventually(lambda: registrar.process.poll() is not None, "the end")
    assert registrar.ended() == 2
    assert registrar.messages()[-1] == "Exiting with error"
    assert RegistrationError.__name__ not in registrar.errors.read_text()
