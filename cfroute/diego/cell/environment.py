"""The environment that an instance sees: what its container's would be in Cloud Foundry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from cfroute.diego.api import DesiredLRP, Port

# `localhost` is not in it on purpose: curl, Python and Node take it for a suffix, and would then look for
# *.cf.localhost without the proxy that knows where it is.
NO_PROXY = "127.0.0.1,127.0.0.0/8,::1"


@dataclass(frozen=True)
class Surroundings:
    """What all instances of a cell have in common.

    proxy is the URL of the cell's egress proxy; certificates the folder with the foundation's CA; bundle the file with
    every CA to trust; path the PATH.
    """

    address: str
    proxy: str
    certificates: str
    bundle: str
    path: str


def base_environment(surroundings: Surroundings, root: str) -> dict[str, str]:
    """What every process in a container gets; `root` is the folder of the container."""
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), surroundings.proxy)
    bundles = dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"), surroundings.bundle)
    return {
        "PATH": surroundings.path,
        "LANG": "C.UTF-8",
        "USER": "vcap",
        "HOME": f"{root}/app",
        "PWD": f"{root}/app",
        "TMPDIR": f"{root}/tmp",  # noqa: S108 - the container's own
        "DEPS_DIR": f"{root}/deps",
        "NO_PROXY": NO_PROXY,
        "no_proxy": NO_PROXY,
        "CF_SYSTEM_CERT_PATH": surroundings.certificates,
        **proxies,
        **bundles,
    }


def instance_environment(
    lrp: DesiredLRP, index: int, instance_guid: str, places: Sequence[Port], surroundings: Surroundings, root: str, now: float
) -> dict[str, str]:
    """The environment of one instance; `places` say where it is to listen, first of all on `PORT`; `now` when it is started.

    What the user has set wins over what makes life easier (proxies, PATH), not over what identifies the instance.
    """
    port = places[0].host_port
    identity = {
        "PORT": str(port),
        "MEMORY_LIMIT": f"{lrp.memory_mb}m",
        "CF_INSTANCE_INDEX": str(index),
        "CF_INSTANCE_GUID": instance_guid,
        "CF_INSTANCE_IP": surroundings.address,
        "CF_INSTANCE_INTERNAL_IP": surroundings.address,
        "CF_INSTANCE_PORT": str(port),
        "CF_INSTANCE_ADDR": f"{surroundings.address}:{port}",
        "CF_INSTANCE_PORTS": msgspec.json.encode([_instance_port(place) for place in places]).decode(),
        "INSTANCE_GUID": instance_guid,
        "INSTANCE_INDEX": str(index),
        "VCAP_APPLICATION": _vcap_application(lrp.environment.get("VCAP_APPLICATION", ""), index, instance_guid, port, now),
    }
    services = {"VCAP_SERVICES": "{}"}
    return base_environment(surroundings, root) | services | lrp.environment | identity


def _instance_port(place: Port) -> dict[str, int]:
    plain = {"external": place.host_port, "internal": place.container_port}
    if not place.host_tls_proxy_port:
        return plain
    secure = {"external_tls_proxy": place.host_tls_proxy_port, "internal_tls_proxy": place.container_tls_proxy_port}
    return plain | secure


def _vcap_application(base: str, index: int, instance_guid: str, port: int, now: float) -> str:
    try:
        application: dict[str, Any] = msgspec.json.decode(base or "{}", type=dict[str, Any])
    except msgspec.MsgspecError:
        application = {}  # somebody else's text; the instance still has to learn who it is
    started = datetime.fromtimestamp(now, UTC)
    application |= {
        "instance_id": instance_guid,
        "instance_index": index,
        "host": "0.0.0.0",  # noqa: S104 - what an app in a container is told to listen on
        "port": port,
        "started_at": f"{started:%Y-%m-%d %H:%M:%S} +0000",
        "started_at_timestamp": int(now),
        "start": f"{started:%Y-%m-%d %H:%M:%S} +0000",
        "state_timestamp": int(now),
    }
    return msgspec.json.encode(application).decode()
