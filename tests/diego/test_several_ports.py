"""Apps that listen on more than one port."""

import json
import socket
from typing import Any

import pytest

from cfroute.diego.api import HealthCheck
from cfroute.diego.cell.health import checks
from cfroute.diego.cell.sidecar import _container_tls_ports

from .conftest import SERVER, Bench, eventually
from .test_cell import ask, logs
from .test_cell_proxy import add_cell
from .tls import Authorities

# Says on each port which one of the container's it is.
SEVERAL = """\
import json, os, socket, threading
def serve(place):
    listener = socket.create_server((os.environ.get("LISTEN", ""), place["external"]))
    while True:
        connection, _ = listener.accept()
        connection.sendall(str(place["internal"]).encode())
        connection.close()
for place in json.loads(os.environ["CF_INSTANCE_PORTS"]):
    threading.Thread(target=serve, args=(place,)).start()
"""


def answer(connection: socket.socket) -> str:
    with connection:
        return connection.recv(100).decode()


def test_each_port_has_its_own_place_and_its_own_proxy(bench: Bench, tmp_path: Any) -> None:
    authorities = Authorities(tmp_path)
    add_cell(bench, authorities)
    lrp = bench.lrp("web", {"server.py": SEVERAL}, ports=(8080, 5222, 61001), environment={"LISTEN": "127.0.0.1"})
    bench.call(lambda bbs: bbs.desire(lrp))
    [instance] = eventually(lambda: bench.instances("web"))

    assert [port.container_port for port in instance.ports] == [8080, 5222, 61001]
    assert [port.container_tls_proxy_port for port in instance.ports] == [61002, 61003, 61004]
    everything = [number for port in instance.ports for number in (port.host_port, port.host_tls_proxy_port)]
    assert len(set(everything)) == 6
    assert (instance.instance_address, instance.preferred_address) == (instance.address, "HOST")
    for port in instance.ports:
        plain = socket.create_connection((instance.address, port.host_port), 5)
        assert answer(plain) == str(port.container_port)
        raw = socket.create_connection((instance.address, port.host_tls_proxy_port), 5)
        secure = authorities.router().wrap_socket(raw, server_hostname=instance.instance_guid)
        assert answer(secure) == str(port.container_port)

    bench.call(lambda bbs: bbs.remove("web"))
    eventually(lambda: bench.call(lambda bbs: bbs.actual_lrps()) == [])
    for number in everything:
        eventually(lambda number=number: refused(instance.address, number))  # type: ignore[misc]


def refused(address: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) != 0


def test_port_is_the_first_one(bench: Bench) -> None:
    bench.add_cell()
    lrp = bench.lrp("web", {"server.py": SERVER}, ports=(8080, 5222), health_check=HealthCheck("process"))
    bench.call(lambda bbs: bbs.desire(lrp))
    [instance] = eventually(lambda: bench.instances("web"))
    environment = eventually(lambda: ask(instance))
    assert environment["PORT"] == str(instance.ports[0].host_port)
    listed = json.loads(environment["CF_INSTANCE_PORTS"])
    assert listed == [{"external": port.host_port, "internal": port.container_port} for port in instance.ports]


def test_an_app_that_does_not_listen_on_all_of_its_ports_is_not_healthy(bench: Bench) -> None:
    bench.add_cell()
    lrp = bench.lrp("web", {"server.py": SERVER}, ports=(8080, 5222), health_check=HealthCheck("http", timeout=1))
    bench.call(lambda bbs: bbs.desire(lrp))
    eventually(lambda: any("Instance never healthy after 1s: Failed to make TCP connection" in line for line in logs(bench)))
    assert not bench.instances("web")


def test_the_first_port_is_checked_as_configured_and_the_others_for_whether_somebody_listens() -> None:
    check = HealthCheck("http", "/health", 3, 2)
    assert checks(check, [1, 2]) == [(check, 1), (HealthCheck("port", "/health", 3, 2), 2)]
    assert checks(HealthCheck("port"), [1]) == [(HealthCheck("port"), 1)]


@pytest.mark.parametrize(("taken", "given"), [({8080}, 61001), ({8080, 61001, 61002}, 61003)])
def test_proxies_take_no_port_that_the_app_has(taken: set[int], given: int) -> None:
    assert next(_container_tls_ports(taken)) == given
