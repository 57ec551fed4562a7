"""The line of NATS servers."""

from random import Random

from cfroute.nats.cluster import Servers


def addresses(servers: Servers) -> list[str]:
    return [servers.present.address, *(servers.turn().address for _ in range(len(servers) - 1))]


def test_the_order_is_random() -> None:
    configured = [(f"h{number}", 4222) for number in range(5)]
    firsts = {Servers(configured, Random(seed)).present.host for seed in range(50)}
    assert firsts == {host for host, _ in configured}


def test_one_after_the_other() -> None:
    servers = Servers([("a", 1), ("b", 2), ("c", 3)], Random(1))
    line = addresses(servers)
    assert sorted(line) == ["a:1", "b:2", "c:3"]
    assert servers.turn().address == line[0]


class TestWhatAServerTells:
    def test_is_added_behind(self) -> None:
        servers = Servers([("10.0.0.1", 4222)], Random(1))
        servers.told(["10.0.0.2:4222", "10.0.0.1:4222", "[::1]:4222", "nonsense", "h:x"], by_name="nats.test")
        assert servers.present.address == "10.0.0.1:4222"
        assert sorted(addresses(servers)) == ["10.0.0.1:4222", "10.0.0.2:4222", "[::1]:4222"]

    def test_shows_the_certificate_of_who_told(self) -> None:
        servers = Servers([("nats.test", 4222)], Random(1))
        servers.told(["10.0.0.2:4222", "other.test:4222"], by_name="nats.test")
        names = {servers.turn().host: servers.present.name for _ in range(3)}
        assert names == {"nats.test": "nats.test", "10.0.0.2": "nats.test", "other.test": "other.test"}

    def test_leaves_when_it_is_not_named_any_more(self) -> None:
        servers = Servers([("a", 1), ("b", 1)], Random(1))
        servers.told(["c:1"])
        servers.told(["d:1"])
        assert sorted(addresses(servers)) == ["a:1", "b:1", "d:1"]
        servers.told([])
        assert len(servers) == 3

    def test_but_not_while_it_is_the_present_one(self) -> None:
        servers = Servers([("a", 1)], Random(1))
        servers.told(["c:1"])
        servers.turn()
        servers.told(["d:1"])
        assert sorted(addresses(servers)) == ["a:1", "c:1", "d:1"]
