"""A Cloud Controller in process, on a real SQLite file, with a clock that stands still and tokens of a key of its own."""

import asyncio
import contextlib
import itertools
import random
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.requests import Request
from starlette.responses import Response

from cfroute import certificates
from cfroute.cloud_controller import app, seed
from cfroute.cloud_controller.bits.blobs import Blobs
from cfroute.cloud_controller.brokers.none import NoBrokers
from cfroute.cloud_controller.config import Config
from cfroute.cloud_controller.db import Database
from cfroute.cloud_controller.deployments.none import NoDeployments
from cfroute.cloud_controller.errors import UAA_UNAVAILABLE, ApiError, not_found
from cfroute.cloud_controller.platform import Platform
from cfroute.cloud_controller.routing import NoRoutingApi
from cfroute.cloud_controller.uaa.keys import FileKeys
from cfroute.cloud_controller.uaa.names import Name
from cfroute.cloud_controller.uaa.tokens import TokenChecker
from cfroute.diego.api import ActualLRP
from cfroute.log_cache import LogWriter
from cfroute.logs import Logger
from cfroute.testing import ManualClock

from .world import World

ISSUER = "https://uaa.test/oauth/token"
CONFIG = Config(
    database="",
    blobs="",
    app_logs="",
    domain="cf.localhost",
    tcp_domain="tcp.cf.localhost",
    uaa_url="https://uaa.test",
    uaa_issuer=ISSUER,
    external_url="http://api.cf.localhost:9022",
    internal_address="127.0.0.9",
    system_hosts=["api", "uaa"],
)
ADMIN = ["cloud_controller.admin", "cloud_controller.read", "cloud_controller.write", "openid", "routing.router_groups.read"]
DEVELOPER = ["cloud_controller.read", "cloud_controller.write", "openid"]


class Log:
    """A stream that keeps what is written."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        pass


@dataclass
class FakeDiego:
    """Notes what it is told, and knows the instances that a test gives it."""

    present: bool = True
    pushed: list[set[str]] = field(default_factory=list)
    staged: list[str] = field(default_factory=list)
    actual: list[ActualLRP] = field(default_factory=list)
    retired: list[tuple[str, int]] = field(default_factory=list)

    async def push(self, app_guids: set[str]) -> None:
        self.pushed.append(app_guids)

    async def stage(self, build_guids: Sequence[str]) -> None:
        self.staged += build_guids

    async def actual_lrps(self, process_guid: str) -> list[ActualLRP]:
        return [lrp for lrp in self.actual if lrp.process_guid == process_guid]

    async def running(self, process_guid: str) -> list[ActualLRP]:
        return await self.actual_lrps(process_guid)

    async def retire(self, process_guid: str, index: int) -> None:
        if not any(lrp.index == index for lrp in await self.actual_lrps(process_guid)):
            raise not_found("Instance")
        self.retired.append((process_guid, index))


@dataclass
class FakeNames:
    """A UAA that knows these people; `away` it knows nobody."""

    people: list[Name] = field(default_factory=lambda: [Name("guid-of-admin", "admin", "uaa")])
    away: bool = False

    async def of(self, guids: Collection[str]) -> dict[str, Name]:
        return {name.guid: name for name in self._all() if name.guid in guids}

    async def called(self, usernames: Collection[str], origins: Collection[str] = ()) -> list[Name]:
        wanted = {name.lower() for name in usernames}
        return [name for name in self._all() if name.username.lower() in wanted and (not origins or name.origin in origins)]

    def _all(self) -> list[Name]:
        if self.away:
            raise ApiError(UAA_UNAVAILABLE)
        return self.people


class NoUaa:
    """Nobody is asked for tokens here."""

    async def forward(self, request: Request, body: bytes, prefix: str) -> Response:
        raise ApiError(UAA_UNAVAILABLE)


@pytest.fixture(scope="session")
def verification_key(signing_pem: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of the public half."""
    path = tmp_path_factory.mktemp("key") / "signing.pub"
    path.write_bytes(certificates.public_half(signing_pem))
    return path


@pytest.fixture(scope="session")
def sign(signing_pem: bytes) -> Callable[..., str]:
    """Make a bearer token: `sign(scopes, name=…, exp=…)`."""
    key = RSAKey.import_key(signing_pem)

    def make(scopes: list[str], *, name: str = "admin", exp: float = 1_700_003_600, **claims: Any) -> str:
        said = {"iss": ISSUER, "exp": exp, "scope": scopes, "user_id": f"guid-of-{name}", "user_name": name, "jti": "j"}
        said["aud"] = ["cloud_controller", "routing.router_groups"]
        return "bearer " + jwt.encode({"alg": "RS256", "kid": "k1"}, said | claims, key, algorithms=["RS256"])

    return make


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def configured(folder: Path) -> Config:
    """The configuration of a Cloud Controller that keeps everything in the folder."""
    apps = folder / "apps"
    apps.mkdir(exist_ok=True)
    return msgspec.structs.replace(CONFIG, database=str(folder / "ccdb.sqlite"), blobs=str(folder / "blobs"), app_logs=str(apps))


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return configured(tmp_path)


@dataclass(eq=False)
class CloudController:
    """The app under test, and everything around it that tests look at."""

    platform: Platform
    diego: FakeDiego
    clock: ManualClock
    log: Log
    sign: Callable[..., str]
    runner: asyncio.Runner
    scopes: list[str] = field(default_factory=lambda: list(ADMIN))
    who: str = "admin"
    _tokens: dict[tuple[str, tuple[str, ...]], str] = field(default_factory=dict)

    def __call__(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        """Send one request with a good token, unless `headers` say otherwise."""
        headers = {"Authorization": self.token(*self.scopes, name=self.who), **options.pop("headers", {})}
        return self.send(self._external, method, path, body, headers=headers, **options)

    def internal(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        return self.send(self._internal, method, path, body, **options)

    def token(self, *scopes: str, name: str = "admin") -> str:
        """Signing takes a millisecond, and most tests need the same token for all that they ask."""
        if (name, scopes) not in self._tokens:
            self._tokens[name, scopes] = self.sign(list(scopes), name=name)
        return self._tokens[name, scopes]

    @property
    def names(self) -> FakeNames:
        assert isinstance(self.platform.names, FakeNames)
        return self.platform.names

    def become(self, name: str, *scopes: str) -> None:
        """Send the following requests as that user: admin is one, everybody else is an ordinary user unless scopes say more."""
        self.who = name
        self.scopes = list(scopes) or (ADMIN if name == "admin" else DEVELOPER)

    @contextlib.contextmanager
    def being(self, name: str, *scopes: str) -> Iterator[None]:
        """Send the requests of the block as that user."""
        before = self.who, self.scopes
        self.become(name, *scopes)
        yield
        self.who, self.scopes = before

    def person(self, name: str, origin: str = "uaa") -> str:
        """Have the UAA know somebody; the guid."""
        guid = f"guid-of-{name}"
        self.names.people.append(Name(guid, name, origin))
        return guid

    def grant(self, name: str, kind: str, place: str) -> str:
        """Give somebody a role in an organization or space; before one in a space, the organization's."""
        if kind.startswith("space_"):
            owner = self.ok("GET", f"/v3/spaces/{place}")["relationships"]["organization"]["data"]["guid"]
            self("POST", "/v3/roles", role_body("organization_user", name, owner))
        return str(self.ok("POST", "/v3/roles", role_body(kind, name, place))["guid"])

    @cached_property
    def _external(self) -> Any:
        return app.external_app(self.platform)

    @cached_property
    def _internal(self) -> Any:
        return app.internal_app(self.platform)

    def send(self, target: Any, method: str, path: str, body: Any, **options: Any) -> httpx.Response:
        async def one() -> httpx.Response:
            transport = httpx.ASGITransport(target)
            async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as client:
                json = {"json": body} if body is not None else {}
                return await client.request(method, path, **json, **options)

        return self.runner.run(one())

    def ok(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """The JSON of a request that has to succeed (None when the answer has no body)."""
        response = self(method, path, body, **options)
        assert response.status_code < 300, response.text
        return response.json() if response.content else None

    def detail(self, method: str, path: str, body: Any = None, *, status: int = 422, **options: Any) -> str:
        """The text of the only error of a request that has to fail with `status`."""
        response = self(method, path, body, **options)
        assert response.status_code == status, response.text
        (error,) = response.json()["errors"]
        return str(error["detail"])

    # things that many tests need

    @cached_property
    def organization(self) -> str:
        return str(self.ok("GET", "/v3/organizations?names=local")["resources"][0]["guid"])

    @cached_property
    def space(self) -> str:
        return str(self.ok("GET", "/v3/spaces?names=dev")["resources"][0]["guid"])

    def domain(self, name: str = "cf.localhost") -> str:
        return str(self.ok("GET", f"/v3/domains?names={name}")["resources"][0]["guid"])

    def new_space(self, name: str, organization: str | None = None) -> str:
        relationships = {"organization": {"data": {"guid": organization or self.organization}}}
        return str(self.ok("POST", "/v3/spaces", {"name": name, "relationships": relationships})["guid"])

    def new_organization(self, name: str) -> str:
        return str(self.ok("POST", "/v3/organizations", {"name": name})["guid"])

    def app(self, name: str = "music", space: str | None = None) -> str:
        relationships = {"space": {"data": {"guid": space or self.space}}}
        return str(self.ok("POST", "/v3/apps", {"name": name, "relationships": relationships})["guid"])

    def route_body(self, domain: str | None = None, space: str | None = None, **fields: Any) -> dict[str, Any]:
        relationships = {
            "space": {"data": {"guid": space or self.space}},
            "domain": {"data": {"guid": domain or self.domain()}},
        }
        return {**fields, "relationships": relationships}

    def route(self, host: str = "music", **fields: Any) -> str:
        return str(self.ok("POST", "/v3/routes", self.route_body(host=host, **fields))["guid"])

    def map(self, route: str, app: str, **fields: Any) -> str:
        body = {"destinations": [{"app": {"guid": app}, **fields}]}
        return str(self.ok("POST", f"/v3/routes/{route}/destinations", body)["destinations"][-1]["guid"])

    def service(self, name: str = "logger", url: str | None = "https://logger.cf.localhost", **fields: Any) -> str:
        body = {
            "type": "user-provided",
            "name": name,
            "route_service_url": url,
            "relationships": {"space": {"data": {"guid": fields.pop("space", None) or self.space}}},
            **fields,
        }
        return str(self.ok("POST", "/v3/service_instances", body)["guid"])

    def bind_body(self, route: str, service: str, **fields: Any) -> dict[str, Any]:
        relationships = {"route": {"data": {"guid": route}}, "service_instance": {"data": {"guid": service}}}
        return {"relationships": relationships, **fields}

    def package(self, app: str, bits: bytes = b"PK\x05\x06" + bytes(18)) -> str:
        relationships = {"app": {"data": {"guid": app}}}
        guid = str(self.ok("POST", "/v3/packages", {"type": "bits", "relationships": relationships})["guid"])
        self.ok("POST", f"/v3/packages/{guid}/upload", data={"resources": "[]"}, files={"bits": ("p.zip", bits)})
        return guid

    def droplet(self, app: str, result: str = '{"process_types": {"web": "python app.py"}}') -> str:
        """Push, stage and assign: what `cf push` does up to the start."""
        build = self.ok("POST", "/v3/builds", {"package": {"guid": self.package(app)}})["guid"]
        assert self.internal("PUT", f"/internal/v4/builds/{build}/droplet", content=b"tgz").status_code == 201
        task = {"task_guid": build, "app_guid": app, "package_url": "", "droplet_upload_url": "", "completion_url": ""}
        task |= {"state": "COMPLETED", "result": result}
        assert self.internal("POST", f"/internal/v4/builds/{build}/completed", task).status_code == 204
        droplet = str(self.ok("GET", f"/v3/builds/{build}")["droplet"]["guid"])
        self.ok("PATCH", f"/v3/apps/{app}/relationships/current_droplet", {"data": {"guid": droplet}})
        return droplet

    def started(self, name: str = "music") -> str:
        """The guid of an app that is started."""
        app = self.app(name)
        self.droplet(app)
        self.ok("POST", f"/v3/apps/{app}/actions/start")
        return app

    def desired(self, app: str) -> list[dict[str, Any]]:
        """What Diego is to run of the app."""
        found = self.internal("GET", "/internal/v4/desired_lrps").json()["desired_lrps"]
        return [lrp for lrp in found if lrp["app_guid"] == app]


def role_body(kind: str, name: str, place: str) -> dict[str, Any]:
    """What `POST /v3/roles` takes."""
    relationships = {
        "user": {"data": {"guid": f"guid-of-{name}"}},
        "space" if kind.startswith("space_") else "organization": {"data": {"guid": place}},
    }
    return {"type": kind, "relationships": relationships}


@contextlib.contextmanager
def controller(
    config: Config, clock: ManualClock, key: Path, sign: Callable[..., str], named: str = "guid"
) -> Iterator[CloudController]:
    """A Cloud Controller on the files that `config` names; its guids are `named` and numbered."""
    numbers = itertools.count(1)
    new_guid = lambda: f"{named}-{next(numbers):04}"  # noqa: E731
    database = Database.open(config.database, clock, new_guid)
    log, diego = Log(), FakeDiego()
    platform = Platform(
        config=config,
        database=database,
        blobs=Blobs(config.blobs),
        tokens=TokenChecker(FileKeys(key), ISSUER, clock),
        diego=diego,
        routing=NoRoutingApi(),
        brokers=NoBrokers(),
        deployments=NoDeployments(),
        names=FakeNames(),
        uaa=NoUaa(),
        app_logs=LogWriter(config.app_logs, clock=clock),
        clock=clock,
        new_guid=new_guid,
        chance=random.Random(1),
        log=Logger("cloud_controller", stream=log, clock=clock),
    )
    with asyncio.Runner() as runner:
        yield CloudController(platform, diego, clock, log, sign, runner)
    platform.writer.shutdown()
    platform.readers.shutdown()
    database.close()


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files as every foundation begins with them; making them for each test would take most of the time."""
    folder = tmp_path_factory.mktemp("seeded")
    config, numbers = configured(folder), itertools.count(1)
    database = Database.open(config.database, ManualClock(), lambda: f"seed-{next(numbers)}")
    seed.seed(database, config)
    database.close()
    return folder


@pytest.fixture(scope="session")
def settled(
    seeded: Path, verification_key: Path, sign: Callable[..., str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, World]:
    """The same with a world in them."""
    folder = tmp_path_factory.mktemp("settled")
    shutil.copytree(seeded, folder, dirs_exist_ok=True)
    with controller(configured(folder), ManualClock(), verification_key, sign, "settled") as cc:
        return folder, World(cc)


@pytest.fixture
def cc(
    config: Config,
    clock: ManualClock,
    verification_key: Path,
    sign: Callable[..., str],
    no_power_cuts: None,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Iterator[CloudController]:
    """A Cloud Controller of the test's own. It begins with the world where the test asks for that as well."""
    begin = request.getfixturevalue("settled")[0] if "world" in request.fixturenames else request.getfixturevalue("seeded")
    shutil.copytree(begin, tmp_path, dirs_exist_ok=True)
    with controller(config, clock, verification_key, sign) as begun:
        yield begun


@pytest.fixture
def world(cc: CloudController, settled: tuple[Path, World]) -> World:
    """Two organizations that know nothing of each other, in `cc`."""
    return settled[1].moved(cc)


__all__ = ["ADMIN", "DEVELOPER", "ISSUER", "ApiError", "CloudController"]
