"""`cfroute cell -c rep-0.yml`: a Diego cell, which runs the instances of apps and stages them."""

import argparse
import asyncio
import contextlib
import fcntl
import os
import random
import ssl
import sys
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

from cfroute import daemon, health
from cfroute.clock import Clock, SystemClock
from cfroute.diego.cell.config import Config, load
from cfroute.diego.cell.egress import Egress
from cfroute.diego.cell.environment import Surroundings
from cfroute.diego.cell.guard import Guard
from cfroute.diego.cell.instance import Host
from cfroute.diego.cell.ports import Ports
from cfroute.diego.cell.rep import Rep
from cfroute.diego.cell.sidecar import Sidecars
from cfroute.diego.cell.transfer import Droplets
from cfroute.diego.client import BBSClient, tls_context
from cfroute.errors import ConfigurationError
from cfroute.http_client import Client
from cfroute.log_cache import LogWriter
from cfroute.logs import Logger

AT_ONCE = 4  # containers that are created at the same time
DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"
SYSTEM_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")


def main(argv: Sequence[str]) -> int:
    """Run a cell until SIGTERM. Raises ConfigurationError for an unusable configuration."""
    parser = argparse.ArgumentParser(prog="cfroute cell", description=__doc__)
    parser.add_argument("-c", dest="config", required=True, metavar="FILE", help="rep-N.yml")
    config = load(parser.parse_args(argv).config)
    return daemon.run(lambda stop: serve(config, stop, SystemClock()))


async def serve(config: Config, stop: daemon.Stop, clock: Clock) -> int:
    """Run the cell until asked to stop; the exit status."""
    log = Logger("rep", clock=clock)
    folder = Path(config.directory).absolute()
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(_alone_in(folder))
        guard = Guard(log.session("guard"))
        guard.start()
        stack.push_async_callback(guard.close)
        bbs = BBSClient(config.bbs_url, config.ca, config.client_certificate, config.client_key)
        stack.push_async_callback(bbs.aclose)
        trust = tls_context(config.ca, config.client_certificate, config.client_key)
        http = Client(trust, timeout=60)
        stack.push_async_callback(http.aclose)
        egress = Egress(config.resolver, log.session("egress"))
        proxy = await stack.enter_async_context(egress.serving(config.address))
        chance = random.Random()  # noqa: S311
        ports = Ports(config.port_range, config.cell_id, offset=chance.randrange(4096))
        sidecars = Sidecars(config, ports, clock, chance, log)
        stack.push_async_callback(sidecars.close)
        host = Host(
            config=config,
            folder=_folder(folder / "containers"),
            bbs=bbs,
            http=http,
            droplets=Droplets(folder / "droplets", http, clock),
            ports=ports,
            guard=guard,
            surroundings=_surroundings(config, folder, proxy),
            logs=LogWriter(config.app_logs, clock=clock),
            clock=clock,
            log=log,
            new_guid=lambda: str(uuid.uuid4()),
            creating=asyncio.Semaphore(AT_ONCE),
            sidecars=sidecars,
        )
        return await _run(host, stop)


async def _run(host: Host, stop: daemon.Stop) -> int:
    rep = Rep(host)
    await asyncio.to_thread(rep.clean_up)
    async with health.answering(host.config.address, host.config.health_port, b"OK", path="/ping"):
        life = daemon.spawn(rep.live(), name="rep")
        host.log.info("started", cell_id=host.config.cell_id, address=host.config.address)
        await stop.wait_or(life)
        await rep.evacuate()
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)
        host.log.info("exited")
    return 0 if stop.asked else 1


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold the cell's folder. Raises ConfigurationError when another cell does.

    It would take what runs there for left behind, and end it.
    """
    with open(_folder(folder) / "lock", "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigurationError(f"another cell works in {folder}") from error
        yield


def apps_path() -> str:
    """The PATH of apps: first the interpreter that this program runs with, without its virtual environment.

    An app must not find this program's libraries: it would not find them in Cloud Foundry either.
    """
    python = Path(sys.executable).resolve().parent
    mine = Path(sys.executable).parent
    inherited = os.environ.get("PATH", DEFAULT_PATH).split(":")
    folders = [str(python), *(each for each in inherited if each and Path(each) != mine), *DEFAULT_PATH.split(":")]
    return ":".join(dict.fromkeys(folders))


def _surroundings(config: Config, folder: Path, proxy: str) -> Surroundings:
    certificates = _folder(folder / "certificates")
    ours = {"foundation-ca.crt": config.system_ca, "instance-identity-ca.crt": config.instance_identity_ca_path}
    trusted = {name: Path(file).read_bytes() for name, file in ours.items() if file}
    for name, pem in trusted.items():
        (certificates / name).write_bytes(pem)
    bundle = folder / "ca-bundle.pem"
    bundle.write_bytes(b"\n".join([*trusted.values(), _system_roots()]))
    return Surroundings(config.address, proxy, str(certificates), str(bundle), apps_path())


def _system_roots() -> bytes:
    known = (ssl.get_default_verify_paths().cafile, *SYSTEM_BUNDLES)
    found = next((path for path in known if path and Path(path).is_file()), None)
    return Path(found).read_bytes() if found else b""


def _folder(path: Path) -> Path:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path
