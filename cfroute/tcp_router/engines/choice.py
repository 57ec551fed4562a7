"""Which engine there is, and its files."""

import contextlib
import tempfile
from pathlib import Path

from cfroute.clock import Clock
from cfroute.lager import Lager
from cfroute.tcp_router.config import Config
from cfroute.tcp_router.engines import Engine, EngineError
from cfroute.tcp_router.flags import EMBEDDED, Flags


def engine(config: Config, flags: Flags, stack: contextlib.ExitStack, log: Lager, clock: Clock) -> Engine:
    """The engine that the flags ask for; what is made for it goes away with `stack`.

    Raises EngineError when a file is missing. The engines are imported here: each has what the other has no use for.
    """
    for path in (config.backend_tls.ca_cert_path, config.backend_tls.client_cert_and_key_path):
        if path:
            _need("CA file" if path == config.backend_tls.ca_cert_path else "Client certificate and key file", path)
    if flags.engine == EMBEDDED:
        from cfroute.tcp_router.engines.embedded import Embedded

        return Embedded(config, log, clock)
    return _own_haproxy(config, stack, log, clock) if flags.own_haproxy else _reloaded(config, flags, log, clock)


def _reloaded(config: Config, flags: Flags, log: Lager, clock: Clock) -> Engine:
    """An HAProxy that a script reloads: ports are opened everywhere, as upstream's file says."""
    from cfroute.tcp_router.engines.haproxy import Files, HAProxy
    from cfroute.tcp_router.engines.monitor import Monitor
    from cfroute.tcp_router.engines.script import Script

    for path in (flags.tcp_load_balancer_base_config, flags.tcp_load_balancer_config):
        _need("Configuration file", path)
    paths = Path(flags.tcp_load_balancer_base_config), Path(flags.tcp_load_balancer_config)
    files = Files(*paths, flags.tcp_load_balancer_stats_unix_socket)
    monitor = Monitor(config.haproxy_pid_file, clock)
    return HAProxy(files, config.backend_tls, "", Script(flags.haproxy_reloader, log), monitor, log)


def _own_haproxy(config: Config, stack: contextlib.ExitStack, log: Lager, clock: Clock) -> Engine:
    """An HAProxy of our own, at the address of the configuration."""
    from cfroute.tcp_router.engines.haproxy import Files, HAProxy
    from cfroute.tcp_router.engines.monitor import Monitor
    from cfroute.tcp_router.engines.own_folder import own_folder
    from cfroute.tcp_router.engines.own_haproxy import OwnHAProxy, base

    extensions = config.cfroute
    try:
        folder = Path(extensions.haproxy_folder or stack.enter_context(own_folder(Path(tempfile.gettempdir()))))
        folder.mkdir(parents=True, exist_ok=True)
        files = Files(folder / "haproxy.base.cfg", folder / "haproxy.cfg", str(folder / "haproxy.sock"))
        files.base.write_text(base(files.socket, extensions), encoding="utf-8")
        files.config.write_bytes(files.base.read_bytes())
    except OSError as error:
        raise EngineError(str(error)) from error
    pid_file = folder / "haproxy.pid"
    process = OwnHAProxy(extensions.haproxy, files.config, pid_file, files.socket, clock, log)
    return HAProxy(files, config.backend_tls, extensions.address, process, Monitor(str(pid_file), clock), log)


def _need(what: str, path: str) -> None:
    if not Path(path).is_file():
        raise EngineError(f"{what} not found: [{path}]")
