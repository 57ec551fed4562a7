"""The certificates of a foundation: which ones there are, whom they name, and when they are made anew.

certs/ca.crt, .key            the authority that people, apps and Gorouters trust
certs/components_ca.crt, .key the authority behind mutual TLS: whoever has a certificate of it may tell the BBS what to run, and
                              the Cloud Controller what was built, so it signs for components alone
certs/routing_api_ca.crt, .key  the authority of the Routing API and those who talk to it over mutual TLS
certs/instance_identity_ca.crt, .key  the authority of the app instances: cells sign with it, Gorouters check endpoints by it
certs/trusted.pem             the system's authorities and the first of ours: what apps trust
certs/NAME.crt, NAME.key      one pair an identity (below); valid for servers and clients
certs/tcp_router_backends.pem the same, both in one file
certs/uaa_signing.key, .pub   RSA key that tokens are signed with, and its public half
certs/index.json              what was issued, so that an unchanged foundation starts without a look at X.509
"""

import ssl
from pathlib import Path

import msgspec

from cfroute import certificates
from cfroute.certificates import AUTHORITY_DAYS, LEAF_DAYS, Pair
from cfroute.foundation.options import Options
from cfroute.foundation.plan import PUBLIC_ADDRESS, Plan
from cfroute.home import Home, write_secretly

_DAY = 86_400.0
_RENEW_BEFORE = 30 * _DAY
_PUBLIC, _COMPONENTS, _ROUTING_API, _INSTANCES = "ca", "components_ca", "routing_api_ca", "instance_identity_ca"
_AUTHORITIES = {
    _PUBLIC: "cfroute CA",
    _COMPONENTS: "cfroute components CA",
    _ROUTING_API: "cfroute Routing API CA",
    _INSTANCES: "cfroute instance identity CA",
}
_SIGNERS = {
    **dict.fromkeys(("cloud_controller", "bbs", "cell", "route_emitter", "locket", "routing_api_locket"), _COMPONENTS),
    **dict.fromkeys(("routing_api", "routing_api_client"), _ROUTING_API),
}
_IN_ONE_FILE = frozenset({"tcp_router_backends"})


class _Issued(msgspec.Struct, frozen=True):
    hosts: list[str]
    expires: float


class _Index(msgspec.Struct):
    authorities: dict[str, float] = {}
    leaves: dict[str, _Issued] = {}


def hosts(options: Options, plan: Plan) -> dict[str, list[str]]:
    """The names and addresses that each identity's certificate is valid for."""
    domain, tcp = options.domain, options.tcp_domain
    public = [domain, f"*.{domain}", tcp, f"*.{tcp}", "localhost", PUBLIC_ADDRESS]
    return {
        "load_balancer": public,
        "gorouter": [*public, *_addresses(plan, "router")],
        "gorouter_backends": ["gorouter.service.cf.internal"],
        "uaa": [f"uaa.{domain}", f"login.{domain}", "uaa.service.cf.internal", *_internal(plan, "uaa")],
        "cloud_controller": [
            f"api.{domain}",
            "cloud-controller-ng.service.cf.internal",
            *_internal(plan, "cloud_controller"),
        ],
        "bbs": ["bbs.service.cf.internal", "*.bbs.service.cf.internal", *_internal(plan, "diego_database")],
        "cell": ["cell.service.cf.internal", *_internal(plan, "diego_cell")],
        "route_emitter": ["route-emitter.service.cf.internal"],
        "locket": ["locket.service.cf.internal", *_internal(plan, "diego_database")],
        "routing_api": ["routing-api.service.cf.internal", *_internal(plan, "routing_api")],
        "routing_api_client": ["routing-api-client.service.cf.internal"],
        "routing_api_locket": ["routing-api.service.cf.internal"],
        "tcp_router_backends": ["tcp-router.service.cf.internal"],
    }


def ensure(home: Home, options: Options, plan: Plan, now: float) -> None:
    """Make what is missing, what names the wrong hosts, and what expires within 30 days of `now`."""
    index = _load(home)
    for name in _AUTHORITIES:
        if not home.certificate(name).exists() or index.authorities.get(name, 0.0) - now < _RENEW_BEFORE:
            _new_authority(home, index, name, now)
    wanted = hosts(options, plan)
    stale = {name: names for name, names in wanted.items() if not _current(home, index.leaves.get(name), name, names, now)}
    for name, names in stale.items():
        authority = _authority(name)
        signer = Pair(home.certificate(authority).read_bytes(), home.key(authority).read_bytes())
        _write(home, name, certificates.issue(signer, name, names, now))
        index.leaves[name] = _Issued(names, now + LEAF_DAYS * _DAY)
    if stale:
        write_secretly(_index_file(home), msgspec.json.encode(index))
    _ensure_signing_key(home)


def _ensure_signing_key(home: Home) -> None:
    if not home.signing_key.exists():
        write_secretly(home.signing_key, certificates.make_signing_key())
        home.verification_key.unlink(missing_ok=True)
    if not home.verification_key.exists():
        write_secretly(home.verification_key, certificates.public_half(home.signing_key.read_bytes()))


def _internal(plan: Plan, kind: str) -> list[str]:
    return ["localhost", PUBLIC_ADDRESS, *_addresses(plan, kind)]


def _addresses(plan: Plan, kind: str) -> list[str]:
    return sorted({vm.address for _, vm in plan.named(kind)} - {PUBLIC_ADDRESS})


def _index_file(home: Home) -> Path:
    return home.certs / "index.json"


def _load(home: Home) -> _Index:
    try:
        return msgspec.json.decode(_index_file(home).read_bytes(), type=_Index)
    except (OSError, msgspec.MsgspecError):  # not there yet, or damaged: everything is made anew
        return _Index()


def _current(home: Home, issued: _Issued | None, name: str, names: list[str], now: float) -> bool:
    return (
        issued is not None
        and issued.hosts == names
        and issued.expires - now >= _RENEW_BEFORE
        and home.certificate(name).exists()
        and home.key(name).exists()
    )


def _authority(name: str) -> str:
    """Who signs the identity of that name."""
    return _SIGNERS.get(name, _PUBLIC)


def _new_authority(home: Home, index: _Index, name: str, now: float) -> None:
    made = certificates.make_authority(_AUTHORITIES[name], now)
    _write(home, name, made)
    if name == _PUBLIC:
        write_secretly(home.trusted, _system_authorities() + made.certificate)
    index.authorities[name] = now + AUTHORITY_DAYS * _DAY
    index.leaves = {leaf: issued for leaf, issued in index.leaves.items() if _authority(leaf) != name}


def _system_authorities() -> bytes:
    bundle = ssl.get_default_verify_paths().cafile
    return Path(bundle).read_bytes() if bundle else b""


def _write(home: Home, name: str, pair: Pair) -> None:
    write_secretly(home.key(name), pair.key)
    write_secretly(home.certificate(name), pair.certificate)
    if name in _IN_ONE_FILE:
        write_secretly(home.pair(name), pair.certificate + pair.key)
