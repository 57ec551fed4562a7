"""Cells that put a TLS proxy in front of each instance."""

import json
import os
import signal
import socket
import ssl
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from .conftest import SERVER, Bench, eventually
from .daemons import Daemon
from .test_cell import instance_processes
from .tls import Authorities

linux = pytest.mark.skipif(not Path("/proc").is_dir(), reason="only Linux has all of 127.0.0.0/8")


@pytest.fixture
def authorities(tmp_path: Path) -> Authorities:
    return Authorities(tmp_path)


def add_cell(bench: Bench, authorities: Authorities, **changes: Any) -> Daemon:
    proxy = {
        "instance_identity_ca_path": authorities.instance_ca,
        "instance_identity_private_key_path": authorities.instance_key,
        "enable_container_proxy": True,
        "container_proxy_require_and_verify_client_certificates": True,
        "container_proxy_trusted_ca_certs": [authorities.router_ca],
    }
    return bench.add_cell(**(proxy | changes))


class Secure(HTTPConnection):
    """A request as a router sends it: to the TLS port, and with the instance's guid as the name."""

    def __init__(self, lrp: Any, guid: str, context: ssl.SSLContext) -> None:
        super().__init__(lrp.address, lrp.ports[0].host_tls_proxy_port, timeout=30)
        self._context = context
        self._guid = guid

    def connect(self) -> None:
        super().connect()
        self.sock = self._context.wrap_socket(self.sock, server_hostname=self._guid)


def ask(lrp: Any, authorities: Authorities, guid: str = "", *, known: bool = True) -> dict[str, str]:
    connection = Secure(lrp, guid or lrp.instance_guid, authorities.router(known=known))
    try:
        connection.request("GET", "/")
        answer: dict[str, str] = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    return answer


def refused(lrp: Any) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((lrp.address, lrp.ports[0].host_tls_proxy_port)) != 0


@linux
@pytest.mark.parametrize("listen", ["", "127.0.0.1", "127.0.0.77"])
def test_an_instance_is_reached_by_its_name_wherever_it_listens(bench: Bench, authorities: Authorities, listen: str) -> None:
    add_cell(bench, authorities, address="127.0.0.77")
    bench.call(lambda bbs: bbs.desire(bench.lrp("web", {"server.py": SERVER}, environment={"LISTEN": listen})))
    [lrp] = eventually(lambda: bench.instances("web"))
    [port] = lrp.ports
    assert (lrp.address, port.container_tls_proxy_port) == ("127.0.0.77", 61001)
    environment = ask(lrp, authorities)
    assert json.loads(environment["CF_INSTANCE_PORTS"]) == [
        {
            "external": port.host_port,
            "internal": 8080,
            "external_tls_proxy": port.host_tls_proxy_port,
            "internal_tls_proxy": 61001,
        }
    ]
    assert environment["PORT"] == str(port.host_port)
    own = ssl.create_default_context(cafile=f"{environment['CF_SYSTEM_CERT_PATH']}/instance-identity-ca.crt")
    own.load_cert_chain(environment["CF_INSTANCE_CERT"], environment["CF_INSTANCE_KEY"])
    assert b"BEGIN CERTIFICATE" in Path(environment["SSL_CERT_FILE"]).read_bytes()


def test_another_instance_is_not_taken_for_it_and_nobody_unknown_is_let_in(bench: Bench, authorities: Authorities) -> None:
    add_cell(bench, authorities)
    bench.call(lambda bbs: bbs.desire(bench.lrp("web", {"server.py": SERVER})))
    [lrp] = eventually(lambda: bench.instances("web"))
    with pytest.raises(ssl.SSLCertVerificationError, match="not valid for 'somebody-else'"):
        ask(lrp, authorities, "somebody-else")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        ask(lrp, authorities, known=False)


def test_a_proxy_goes_with_its_instance_and_an_instance_with_its_cell(bench: Bench, authorities: Authorities) -> None:
    cell = add_cell(bench, authorities)
    bench.call(lambda bbs: bbs.desire(bench.lrp("web", {"server.py": SERVER})))
    [first] = eventually(lambda: bench.instances("web"))
    os.killpg(os.getpgid(instance_processes(first.instance_guid)[0]), signal.SIGKILL)
    eventually(lambda: refused(first))
    [second] = eventually(lambda: [each for each in bench.instances("web") if each.instance_guid != first.instance_guid])
    assert ask(second, authorities)["CF_INSTANCE_GUID"] == second.instance_guid

    cell.kill()
    eventually(lambda: refused(second))


def test_identity_without_a_proxy(bench: Bench, authorities: Authorities) -> None:
    add_cell(bench, authorities, enable_container_proxy=False)
    bench.call(lambda bbs: bbs.desire(bench.lrp("web", {"server.py": SERVER})))
    [lrp] = eventually(lambda: bench.instances("web"))
    assert (lrp.ports[0].host_tls_proxy_port, lrp.ports[0].container_tls_proxy_port) == (0, 0)
    connection = HTTPConnection(lrp.address, lrp.ports[0].host_port, timeout=30)
    connection.request("GET", "/")
    assert Path(json.loads(connection.getresponse().read())["CF_INSTANCE_CERT"]).is_file()
    connection.close()
