"""The core decides, the shell does: the modules that decide do no IO and read neither time nor chance."""

from fnmatch import fnmatchcase

import pytest

from . import source
from .source import within

# Globs over dotted names without the leading "cfroute."; each has to match something.
CORE = (
    "diego.api",
    "durations",
    "foundation.plan",
    "foundation.policy",
    "gorouter.endpoint",
    "gorouter.failures",
    "gorouter.handlers.*",
    "gorouter.messages",
    "gorouter.pool",
    "gorouter.registry",
    "gorouter.route_key",
    "gorouter.signature",
    "proxy.chunked",
    "proxy.head",
    "proxy.headers",
    "proxy.status",
    "proxy.target",
)
# Chance is handed in: the name of its type may be imported, an instance may not be made.
HANDED_IN = ("random.Random",)
FORBIDDEN = (
    "asyncio",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "httpx",
    "multiprocessing",
    "nats",
    "os",
    "random",
    "secrets",
    "socket",
    "sqlalchemy",
    "ssl",
    "starlette",
    "subprocess",
    "threading",
    "time",
    "uuid",
    "uvicorn",
    "uvloop",
)


def core(pattern: str) -> list[source.Module]:
    return [m for m in source.modules() if fnmatchcase(m.name.removeprefix("cfroute."), pattern)]


@pytest.mark.parametrize("pattern", CORE)
def test_the_core_only_decides(pattern: str) -> None:
    matching = core(pattern)
    assert matching, f"no module is called cfroute.{pattern} any more: change the list"
    found = [
        f"{module.at(node)}: imports {name}"
        for module in matching
        for name, node in source.imports(module, typing_too=False)
        if within(name, *FORBIDDEN) and name not in HANDED_IN
    ]
    found += [
        f"{module.at(call)}: calls {name}"
        for module in matching
        for name, call in source.calls(module)
        if within(name, *FORBIDDEN)
    ]
    assert not found, "\n".join(found)
