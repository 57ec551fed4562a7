"""The listener that Prometheus scrapes."""

import asyncio
import ssl
from pathlib import Path

import httpx
import pytest

from cfroute.clock import SystemClock
from cfroute.gorouter.config_sections import PrometheusConfig
from cfroute.gorouter.metrics.listener import MetricsListener, MetricsListenerError
from cfroute.gorouter.metrics.reporter import Reporter
from cfroute.gorouter.metrics.snapshot import Snapshot

from ...prometheus_text import parse


def listener(config: PrometheusConfig, reporter: Reporter) -> MetricsListener:
    async def snapshot() -> Snapshot:
        taken = reporter.snapshot()
        taken.process = {"process_open_fds": 7.0}
        return taken

    return MetricsListener(config, "127.0.0.1", snapshot, SystemClock())


async def fetch(url: str, context: ssl.SSLContext | bool = True, method: str = "GET") -> httpx.Response:
    async with httpx.AsyncClient(verify=context, trust_env=False) as client:
        return await client.request(method, url)


def test_a_scrape(reporter: Reporter) -> None:
    async def scenario() -> None:
        served = listener(PrometheusConfig(), reporter)
        address = await served.start()
        try:
            reporter.count("bad_gateways")
            answer = await fetch(f"http://{address}/metrics")
            assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
            metrics = parse(answer.text)
            assert metrics.value("bad_gateways") == 1
            assert metrics.value("process_open_fds") > 0
            assert metrics.value("promhttp_metric_handler_errors_total", cause="gathering") == 0
            assert (await fetch(f"http://{address}/metrics", method="POST")).status_code == 200
            assert (await fetch(f"http://{address}/")).status_code == 404
        finally:
            await served.close()

    asyncio.run(scenario())


@pytest.fixture
def files(certificate: tuple[str, str], tmp_path: Path) -> PrometheusConfig:
    """TLS with one certificate that is its own authority, for both sides."""
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_text(certificate[0])
    key.write_text(certificate[1])
    return PrometheusConfig(cert_path=str(chain), key_path=str(key), ca_path=str(chain))


def test_tls_demands_a_client_certificate(reporter: Reporter, files: PrometheusConfig) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    stranger.check_hostname = False
    stranger.verify_mode = ssl.CERT_NONE
    context.load_cert_chain(files.cert_path, files.key_path)

    async def scenario() -> None:
        served = listener(files, reporter)
        address = await served.start()
        try:
            parse((await fetch(f"https://{address}/metrics", context)).text)
            with pytest.raises(httpx.TransportError):
                await fetch(f"https://{address}/metrics", stranger)
        finally:
            await served.close()

    asyncio.run(scenario())


def test_what_cannot_be_served(reporter: Reporter, files: PrometheusConfig) -> None:
    async def scenario() -> None:
        first = listener(PrometheusConfig(), reporter)
        port = int((await first.start()).rpartition(":")[2])
        with pytest.raises(MetricsListenerError, match=rf"Unable to setup metrics endpoint \(127.0.0.1:{port}\): .*in use"):
            await listener(PrometheusConfig(port=port), reporter).start()
        await first.close()
        files.ca_path = "/nowhere"
        with pytest.raises(MetricsListenerError, match="unable to generate server TLS Config: "):
            await listener(files, reporter).start()

    asyncio.run(scenario())
