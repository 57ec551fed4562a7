"""What metron is told (section 10.6), and the values that are looked at as seldom (10.5, 2.2)."""

import ssl

import pytest

from ..ports import free_port
from ..prometheus_text import parse
from ..waiting import eventually
from .metering import Authority, Metron, fetch_secured

UNITS = {
    "latency": "ms",
    "latency.envelope-app": "ms",
    "gorouter_time": "ms",
    "route_lookup_time": "ns",
    "route_registration_latency": "ms",
    "total_routes": "",
    "ms_since_last_registry_update": "ms",
    "uptime": "seconds",
    "file_descriptors": "file",
    "buffered_messages": "message",
    "total_dropped_messages": "message",
}
COUNTERS = [
    "total_requests",
    "requests.envelope-app",
    "requests.dea-1",
    "routed_app_requests",
    "responses",
    "responses.2xx",
    "responses.5xx",
    "registry_message.envelope-app",
    "unregistry_message.envelope-app",
    "rejected_requests",
    "bad_gateways",
    "routes_pruned",
]


@pytest.mark.statement("10.6", "values come one by one, each with its unit")
@pytest.mark.statement("10.6", "counters come as what was added, with dots where Prometheus has labels")
@pytest.mark.statement("2.2", "waiting and dropped NATS messages are told to metron, too")
def test_names(metered, backend):
    router, metron = metered.router, metered.metron
    before = dict(metron.counters)
    app, gone = backend(), backend()
    tags = {"component": "envelope-app"}
    router.register("envelope.test", app, tags=tags, endpoint_updated_at_ns=1)
    router.register("dea.test", app, tags={"component": "dea-1"})
    router.register("envelope-gone.test", gone, tags=tags)
    gone.close()
    for host, status in (("envelope.test", 200), ("dea.test", 200), ("envelope-gone.test", 502), ("nowhere.test", 404)):
        assert router.get(host).status == status
    router.nats.publish(
        "router.unregister", {"host": "127.0.0.1", "port": gone.port, "uris": ["envelope-gone.test"], "tags": tags}
    )
    stale = {"host": "127.0.0.1", "port": app.port, "uris": ["envelope-stale.test"], "stale_threshold_in_seconds": -1}
    router.nats.publish("router.register", stale)
    eventually(lambda: all(metron.counters[name] > before.get(name, 0) for name in COUNTERS), "all counters")
    grown = {name: metron.counters[name] - before.get(name, 0) for name in COUNTERS}
    assert grown["requests.envelope-app"] == 2
    assert grown["requests.dea-1"] == grown["routed_app_requests"] == grown["unregistry_message.envelope-app"] == 1
    eventually(lambda: UNITS.keys() <= metron.names(), "all values")
    units = metron.units()
    assert {name: units[name] for name in UNITS} == UNITS
    assert metron.origins == {"gorouter"}


@pytest.mark.statement("2.2", "waiting and dropped NATS messages are shown, looked at every five seconds")
@pytest.mark.statement("10.5", "file_descriptors is looked at every five seconds")
def test_what_is_looked_at(metered):
    eventually(lambda: metered.scrape().value("file_descriptors") > 5, "the number of descriptors")
    assert metered.scrape().value("total_dropped_messages") == 0
    assert metered.scrape().value("buffered_messages") >= 0


@pytest.mark.statement("1.2", "enable_envelope_v1_metrics: false keeps metrics from metron")
@pytest.mark.statement("1.2", "per_request_metrics_reporting: false leaves out what is measured at each request")
@pytest.mark.statement("10.5", "with certificate, key and authority the listener speaks TLS and demands a client certificate")
def test_less(metered, start, backend, tmp_path):
    authority, metron, port = Authority(tmp_path), Metron(), free_port()
    certificate, key = authority.files("localhost")
    files = {"cert_path": str(certificate), "key_path": str(key), "ca_path": str(authority.file)}
    router = start(
        enable_envelope_v1_metrics=False,
        per_request_metrics_reporting=False,
        prometheus={"enabled": True, "port": port, **files},
        logging={"metron_address": metron.address},
    )
    router.register("less.test", backend(), tags={"component": "less"})
    assert router.get("less.test").status == 200
    context = ssl.create_default_context(cadata=authority.pem)

    def scrape():
        with router.connect(port) as connection:
            return fetch_secured(connection, context, b"GET /metrics HTTP/1.0\r\n\r\n").partition(b"\r\n\r\n")[2].decode()

    assert scrape() == ""
    context.load_cert_chain(certificate, key)
    eventually(lambda: parse(scrape()).value("responses", status_group="2xx") == 1, "the response")
    seen = parse(scrape())
    assert seen.value("total_requests", component="less") == 1
    assert [seen.value(f"{name}_count") for name in ("gorouter_time", "route_lookup_time")] == [0, 0]
    assert seen.series("latency_count") == []
    assert router.stop() == 0
    assert (metron.names(), dict(metron.counters)) == (set(), {})
    metron.close()
