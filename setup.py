"""Compiles the request path while cfroute is installed, where this machine can: mypyc makes machine code of the same source.

Without a C compiler and Python's headers everything works just as well, at about twice the cost of a request. An editable
install is never compiled, so that what is edited is what runs. CFROUTE_COMPILE=no leaves it out elsewhere, too;
CFROUTE_COMPILE=require makes it an error if it does not succeed.
"""

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from setuptools import Extension, setup

# What runs for each request, and what that touches. Order does not matter.
REQUEST_PATH = (
    "dropsonde", "gorouter/destinations", "gorouter/events", "gorouter/exchange", "gorouter/logs/access_log",
    "gorouter/logs/access_record", "gorouter/logs/dropsonde", "gorouter/logs/http_events", "gorouter/logs/loggregator",
    "gorouter/metrics/meters", "gorouter/metrics/reporter", "gorouter/proxy", "gorouter/route_service_url",
    "gorouter/route_services", "gorouter/routing_table/endpoint", "gorouter/routing_table/hashing", "gorouter/routing_table/pool",
    "gorouter/routing_table/registry", "gorouter/routing_table/route_key", "gorouter/routing_table/routes",
    "gorouter/routing_table/selection", "gorouter/sticky", "grpc/client_connection", "grpc/server_connection",
    "http2/backend", "http2/backend_stream", "http2/budget", "http2/client_stream", "http2/connection", "http2/destination",
    "http2/frames", "http2/front", "http2/hpack_blocks", "http2/messages", "http2/server_side", "http2/stream",
    "http2/transport",
    "load_balancer/balancer", "protobuf", "proxy/answer", "proxy/backend", "proxy/chunked", "proxy/deadline",
    "proxy/exchange", "proxy/front", "proxy/head", "proxy/headers", "proxy/held", "proxy/policy", "proxy/readers",
    "proxy/server", "proxy/sides", "proxy/status", "proxy/target", "proxy/tls_transport", "proxy/wire",
    "relay/counts", "relay/dial", "relay/door", "relay/gear", "relay/inspection", "relay/leg", "relay/pipes", "relay/poller",
    "relay/routes", "relay/session", "relay/tls_leg",
)  # fmt: skip
HANDLERS = "gorouter/handlers"
FOLDER = Path(__file__).parent / "cfroute"
SCRATCH = TemporaryDirectory()


def sources() -> list[str]:
    """The files to compile, as mypyc wants them: relative to this folder."""
    files = [FOLDER / f"{name}.py" for name in REQUEST_PATH]
    files += sorted(path for path in (FOLDER / HANDLERS).glob("*.py") if path.name != "__init__.py")
    return [str(path.relative_to(FOLDER.parent)) for path in files]


def extensions() -> list[Extension]:
    """What to compile; nothing where it is not wanted or mypyc cannot."""
    wish = os.environ.get("CFROUTE_COMPILE", "")
    if wish == "no" or "editable_wheel" in sys.argv or not {"build_ext", "bdist_wheel"} & set(sys.argv):
        return []
    try:
        from mypyc.build import mypycify

        # Libraries may be missing while a package is built; then their types are not known, and not needed.
        options = ["--config-file=", "--ignore-missing-imports", "--follow-imports=silent", "--cache-dir", os.devnull]
        made = mypycify([*options, *sources()], opt_level="2", debug_level="0", multi_file=True, target_dir=SCRATCH.name)
    except (ImportError, SystemExit) as error:  # no mypyc for this Python, or it found something wrong
        if wish == "require":
            raise
        sys.stderr.write(f"cfroute is installed without being compiled: {error}\n")
        return []
    for extension in made:
        extension.optional = wish != "require"
    return list(made)


os.chdir(FOLDER.parent)
setup(
    ext_modules=extensions(),
    # Nothing is left behind in this folder, and nothing from the last time can get into a package.
    options={"build": {"build_base": SCRATCH.name}, "build_ext": {"parallel": os.cpu_count() or 1}},
)
