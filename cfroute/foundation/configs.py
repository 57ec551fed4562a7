"""The configuration files: one for every component, rendered from the plan and the secrets.

Each is exactly what the component reads when it is run alone; `gorouter-N.yml`, `route_emitter-N.json`, `routing_api-N.yml`,
`tcp_router-N.yml`, `registrar_settings.json` and `locket.json` have the keys of the upstream components (gorouter.yml with the
values that its BOSH job renders), so that the real ones can read them too. A component that somebody else starts has its file
as well.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from cfroute.foundation.options import Options
from cfroute.foundation.plan import Plan
from cfroute.foundation.rendering import control, diego, http, registrar, tcp
from cfroute.foundation.rendering.basis import Basis, Document
from cfroute.foundation.secrets import Secrets
from cfroute.home import Home, write_secretly
from cfroute.nats import server


def files(basis: Basis) -> Iterator[tuple[str, str]]:
    """Name and text of each file in `config/`."""
    plan, secrets = basis.plan, basis.secrets
    yield "uaa.yml", _yaml(control.uaa(basis))
    yield "cloud_controller_ng.yml", _yaml(control.cloud_controller(basis))
    yield "registrar_settings.json", _json(registrar.route_registrar(basis))
    yield "bbs.yml", _yaml(diego.bbs(basis))
    yield "load_balancer.yml", _yaml(http.load_balancer(basis))
    for index, vm in plan.named("nats"):
        login = (secrets.nats_user, secrets.nats_password)
        yield "nats.conf", server.render(f"nats/{index}", vm.address, vm.ports["nats"], *login)
    for index, vm in plan.named("router"):
        yield f"gorouter-{index}.yml", _yaml(http.gorouter(basis, index, vm))
    for index, vm in plan.named("diego_cell"):
        yield f"rep-{index}.yml", _yaml(diego.cell(basis, index, vm))
        yield f"route_emitter-{index}.json", _json(diego.route_emitter(basis, index, vm))
    if plan.tcp_ports is not None:
        yield from _tcp_files(basis)


def _tcp_files(basis: Basis) -> Iterator[tuple[str, str]]:
    yield "locket.json", _json(diego.locket(basis))
    yield "tcp_emitter.json", _json(diego.tcp_emitter(basis))
    for index, vm in basis.plan.named("routing_api"):
        yield f"routing_api-{index}.yml", _yaml(tcp.routing_api(basis, index, vm))
    for index, vm in basis.plan.named("tcp_router"):
        yield f"tcp_router-{index}.yml", _yaml(tcp.tcp_router(basis, index, vm))


def write(home: Home, options: Options, plan: Plan, secrets: Secrets) -> None:
    """Write every file that is new or different, and remove those of components that are gone."""
    rendered = dict(files(Basis(home, options, plan, secrets)))
    for name, text in rendered.items():
        path = home.config / name
        if not _holds(path, text):
            write_secretly(path, text.encode())
    for path in home.config.iterdir():
        if path.name not in rendered:
            path.unlink()


def _holds(path: Path, text: str) -> bool:
    return path.exists() and path.read_text() == text


def _yaml(document: Document) -> str:
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text = yaml.dump(document, Dumper=dumper, sort_keys=False, default_flow_style=False, allow_unicode=True, width=1000)
    return f"# Written by `cfroute up`; changes are lost.\n{text}"


def _json(document: Document) -> str:
    return msgspec.json.format(msgspec.json.encode(document)).decode() + "\n"
