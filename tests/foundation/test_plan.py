"""The address plan, on machines that are made up."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.errors import UsageError
from cfroute.foundation import plan
from cfroute.foundation.options import Options
from cfroute.foundation.plan import Plan


class Imagined:
    """A machine on which `busy` ports of 127.0.0.1 are taken."""

    def __init__(self, *, loopback_net: bool = True, low_ports: bool = True, busy: frozenset[int] = frozenset()) -> None:
        self.loopback_net, self.low_ports, self.busy = loopback_net, low_ports, busy
        self._next = 40_000 + len(busy)

    def has_address(self, address: str) -> bool:
        return self.loopback_net or address == "127.0.0.1"

    def allows_port(self, address: str, port: int) -> bool:
        return self.low_ports or port >= 1024

    def is_free(self, address: str, port: int) -> bool:
        return port not in self.busy

    def pick(self, address: str) -> int:
        self._next += 1
        return self._next if self._next not in self.busy else self.pick(address)


def listeners(made: Plan) -> list[str]:
    return [str(listener) for _, listener in made.listeners()]


def test_every_vm_has_an_address_and_the_documented_ports() -> None:
    made = plan.make(Options(gorouters=2, cells=2), "/home/me/cfroute", Imagined())
    net = plan.prefix("/home/me/cfroute")
    assert made.vms["nats/0"].listener("nats").address == f"{net}.10"
    assert str(made.vms["router/1"].listener("https")) == f"{net}.21:443"
    assert made.vms["router/0"].ports == {"http": 80, "https": 443, "status": 8080, "routes": 8082, "route_services": 7070}
    assert str(made.vms["uaa/0"].listener("tls")) == f"{net}.51:8443"
    assert str(made.vms["diego_database/0"].listener("bbs")) == f"{net}.52:8889"
    assert str(made.vms["diego_database/0"].listener("locket")) == f"{net}.52:8891"
    assert str(made.vms["routing_api/0"].listener("http")) == f"{net}.54:3000"
    assert str(made.vms["tcp_router/0"].listener("health")) == f"{net}.40:80"
    assert str(made.vms["diego_brain/0"].listener("tcp_emitter")) == f"{net}.53:17011"
    assert made.tcp_ports == (1024, 1123)
    assert str(made.vms["diego_cell/1"].listener("rep")) == f"{net}.61:1800"
    assert [str(listener) for listener in (made.http, made.https, made.api)] == [
        "127.0.0.1:8080",
        "127.0.0.1:8443",
        "127.0.0.1:9022",
    ]


def test_low_ports_move_where_they_may_not_be_bound() -> None:
    ports = plan.make(Options(), "/x", Imagined(low_ports=False)).vms["router/0"].ports
    assert ports["https"] == 8443
    assert ports["http"] == 8081  # 8080 is the documented port of its status listener
    assert ports["status"] == 8080


@pytest.mark.parametrize(("options", "net"), [(Options(single_address=True), True), (Options(), False)])
def test_one_address_where_there_is_no_other_or_it_is_asked_for(options: Options, net: bool) -> None:
    made = plan.make(options, "/x", Imagined(loopback_net=net))
    assert made.single_address
    assert {listener.partition(":")[0] for listener in listeners(made)} == {"127.0.0.1"}


def test_no_nats_of_our_own_beside_an_existing_one() -> None:
    assert "nats/0" not in plan.make(Options(nats=("nats://10.0.0.5:4222",)), "/x", Imagined()).vms


def test_picked_ports_are_kept_while_they_are_free() -> None:
    options = Options(http_port=0, https_port=0, api_port=0)
    first = plan.make(options, "/x", Imagined())
    assert plan.make(options, "/x", Imagined(), first) == first
    other = plan.make(options, "/x", Imagined(busy=frozenset({first.http.port, 1, 2, 3, 4})), first)
    assert other.http.port != first.http.port
    assert other.https == first.https


def test_ports_of_tcp_routes_are_kept_while_any_of_them_is_free() -> None:
    options = Options(tcp_ports="0")
    first = plan.make(options, "/x", Imagined())
    assert first.tcp_ports is not None
    begin, end = first.tcp_ports
    assert end - begin == 99
    assert plan.make(options, "/x", Imagined(busy=frozenset(range(begin, end))), first).tcp_ports == first.tcp_ports
    assert plan.make(options, "/x", Imagined(busy=frozenset(range(begin, end + 1))), first).tcp_ports != first.tcp_ports
    assert plan.make(Options(tcp_ports="2000-2001"), "/x", Imagined(), first).tcp_ports == (2000, 2001)


def test_tcp_ports_that_were_picked_come_back_when_tcp_routing_does() -> None:
    options = Options(tcp_ports="0")
    first = plan.make(options, "/x", Imagined())
    without = first
    for _ in range(2):
        without = plan.make(Options(tcp_ports="0", tcp_routers=0), "/x", Imagined(), without)
        assert (without.tcp_ports, without.tcp_ports_before) == (None, first.tcp_ports)
    again = plan.make(options, "/x", Imagined(), without)
    assert (again.tcp_ports, again.tcp_ports_before) == (first.tcp_ports, None)


def test_without_tcp_routers_there_is_nothing_of_tcp_routing() -> None:
    made = plan.make(Options(tcp_routers=0), "/x", Imagined())
    assert made.tcp_ports is None
    assert not list(made.tcp_listeners())
    assert not {name.partition("/")[0] for name in made.vms} & {"tcp_router", "routing_api", "diego_brain"}


def test_one_address_has_room_for_one_tcp_router() -> None:
    with pytest.raises(UsageError, match="--tcp-routers"):
        plan.make(Options(single_address=True, tcp_routers=2), "/x", Imagined())
    assert plan.make(Options(single_address=True), "/x", Imagined()).tcp_ports == (1024, 1123)


def test_the_health_port_of_a_tcp_router_is_none_of_its_routes() -> None:
    made = plan.make(Options(tcp_ports="8070-8085", http_port=0), "/x", Imagined(low_ports=False))
    assert made.vms["tcp_router/0"].ports["health"] == 8086


def test_who_is_left_out_may_be_there_already() -> None:
    made = plan.make(Options(), "/x", Imagined())
    names = {name for name, _ in made.listeners(("routing_api", "load_balancer", "locket"))}
    assert not names & {"routing_api/0 (http)", "load_balancer (http)", "diego_database/0 (locket)"}
    assert {"diego_database/0 (bbs)", "cloud_controller (api)", "diego_cell/0 (route_emitter)"} <= names


def test_the_status_port_gives_way_to_ports_that_were_asked_for() -> None:
    made = plan.make(Options(https_port=8443, http_port=8444), "/x", Imagined())
    assert made.load_balancer_status.port not in {8443, 8444}


@given(st.text())
def test_addresses_stay_within_their_net(path: str) -> None:
    loopback, second, third = plan.prefix(path).split(".")
    assert loopback == "127"
    assert 64 <= int(second) <= 127
    assert 0 <= int(third) <= 255


@given(
    path=st.text(min_size=1),
    routers=st.integers(1, 20),
    cells=st.integers(1, 100),
    single=st.booleans(),
    low=st.booleans(),
    ports=st.lists(st.sampled_from([0, 80, 443, 8080, 8443, 8444, 9022, 20_000, 20_001]), min_size=3, max_size=3),
    busy=st.frozensets(st.integers(20_000, 21_000), max_size=30),
)
def test_nobody_listens_where_somebody_else_does(
    path: str, routers: int, cells: int, single: bool, low: bool, ports: list[int], busy: frozenset[int]
) -> None:
    http, https, api = ports
    options = Options(gorouters=routers, cells=cells, single_address=single, http_port=http, https_port=https, api_port=api)
    made = plan.make(options, path, Imagined(low_ports=low, busy=busy))
    asked = [str(port) for port in ports if port]
    found = [listener for listener in listeners(made) if listener.partition(":")[2] not in asked or single]
    assert len(found) - (len(asked) - len(set(asked))) <= len(set(found))
    chosen = {int(listener.partition(":")[2]) for listener in found} - set(ports)
    assert not (single and chosen & busy)


@given(cells=st.integers(1, 100))
def test_cells_on_one_address_share_no_instance_port(cells: int) -> None:
    made = plan.make(Options(cells=cells, single_address=True), "/x", Imagined())
    ranges = sorted(vm.instance_ports for _, vm in made.named("diego_cell"))
    assert all(first <= last for first, last in ranges)
    assert all(before[1] < after[0] for before, after in pairwise(ranges))
