"""Where a configuration wants the access log."""

from contextlib import ExitStack

from cfroute.clock import Clock
from cfroute.gorouter.config import Config
from cfroute.gorouter.logs.access_file import AccessFile
from cfroute.gorouter.logs.access_json import AccessJson
from cfroute.gorouter.logs.access_log import AccessLog, Listener, Writer
from cfroute.gorouter.logs.dropsonde import Emitter
from cfroute.gorouter.logs.loggregator import app_log
from cfroute.gorouter.logs.syslog import SyslogWriter
from cfroute.logs import Logger


def open_access_log(config: Config, emitter: Emitter, clock: Clock, log: Logger) -> AccessLog:
    """The access log with all its files and connections open. Raises AccessLogError, after logging it."""
    writers: list[Writer] = []
    listeners: list[Listener] = []
    ours = log.session("access-grlog")
    with ExitStack() as opened:
        if config.access_log.file:
            writers.append(AccessFile(config.access_log.file, ours))
            opened.callback(writers[-1].close)
        if config.access_log.enable_streaming:
            writers.append(SyslogWriter(config, clock, ours))
            opened.callback(writers[-1].close)
        if config.cfroute.access_log_json:
            listeners.append(AccessJson(config, ours))
        opened.pop_all()  # from now on the access log closes them
    if writers or config.logging.loggregator_enabled:
        apps = app_log(config, emitter, clock, log)
        if apps is not None:
            listeners.append(apps)
    return AccessLog(config, clock, writers, listeners)
