import asyncio
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cfroute import certificates
from cfroute.logs import Logger
from cfroute.testing import ManualClock
from cfroute.uaa import app
from cfroute.uaa.config import Client, Config, User
from cfroute.uaa.keys import Keys
from cfroute.uaa.store import Store

ISSUER = "https://uaa.cf.localhost/oauth/token"
USER_SCOPES = [
    "cloud_controller.read",
    "cloud_controller.write",
    "cloud_controller.admin",
    "openid",
    "password.write",
    "scim.read",
    "scim.write",
    "clients.read",
]


@pytest.fixture(scope="session")
def signing_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "signing.pem"
    path.write_bytes(certificates.make_signing_key())
    return path


@pytest.fixture
def config(tmp_path: Path, signing_key: Path) -> Config:
    return Config(
        issuer=ISSUER,
        database=str(tmp_path / "uaa.sqlite"),
        signing_key=str(signing_key),
        port=0,
        default_groups=["openid", "password.write"],
        clients={
            "cf": Client(
                scope=USER_SCOPES,
                authorities=["uaa.none"],
                grants=["password", "refresh_token"],
                access_token_validity=1200,
            ),
            "gorouter": Client(secret="s:e&c r%t", authorities=["routing.routes.read"]),
            "tcp_router": Client(
                secret="generated", generated=True, authorities=["routing.routes.read", "routing.router_groups.read"]
            ),
            "resource": Client(secret="r", generated=True, authorities=["uaa.resource", "scim.userids"]),
            "admin": Client(secret="a", generated=True, authorities=["uaa.admin", "clients.read", "scim.read", "password.write"]),
        },
        users=[
            User("admin", "pw", USER_SCOPES),
            User("dev", "pw2", ["cloud_controller.read"]),
        ],
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def keys(config: Config) -> Keys:
    return Keys(config)


@pytest.fixture
def store(config: Config, clock: ManualClock) -> Iterator[Store]:
    store = Store.open(config.database)
    seed(store, config, clock)
    yield store
    store.close()


def seed(store: Store, config: Config, clock: ManualClock, prefix: str = "user") -> None:
    """Everybody whom the configuration names; the guids are user-0, user-1, …"""
    guids, groups = (f"{prefix}-{number}" for number in range(100)), (f"group-{number}" for number in range(100))
    store.groups.ensure([*config.default_groups, *USER_SCOPES], lambda: next(groups))
    store.clients.seed(config.clients)
    store.users.seed(config.users, config.default_groups, lambda: next(guids), clock.now())


class Uaa:
    """The app under test, in process."""

    def __init__(self, config: Config, store: Store, keys: Keys, clock: ManualClock) -> None:
        guids, ids = (f"guid-{number}" for number in range(1000)), (f"id-{number}" for number in range(1000))
        codes = (f"code-{number}" for number in range(1000))
        chance = app.Chance(lambda: next(guids), lambda: next(ids), lambda: next(codes))
        self.config, self.store, self.keys, self.clock = config, store, keys, clock
        self._app = app.build(config, store, keys, clock, chance, Logger("uaa"))

    def __call__(self, method: str, path: str, *, token: str = "", **options: Any) -> httpx.Response:
        """Send one request, with a bearer token if there is one."""
        headers = {"Authorization": f"bearer {token}"} if token else {}
        headers |= options.pop("headers", {})

        async def one() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="https://login.test") as client:
                return await client.request(method, path, headers=headers, **options)

        return asyncio.run(one())

    def login(self, name: str = "admin", password: str = "pw", **form: str) -> httpx.Response:
        """The password grant, as the cf CLI asks for it."""
        form = {"grant_type": "password", "username": name, "password": password, **form}
        return self("POST", "/oauth/token", headers=CF, data=form)

    def token(self, name: str = "admin", password: str = "pw", **form: str) -> str:
        """A user's access token."""
        return str(self.login(name, password, **form).json()["access_token"])

    def client_token(self, name: str, secret: str, **form: str) -> str:
        """A client's access token."""
        form = {"grant_type": "client_credentials", "token_format": "jwt", **form}
        answer = self("POST", "/oauth/token", headers=basic(name, secret), data=form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def user(self, name: str = "bob", password: str = "s3cret", **more: Any) -> str:
        """Create a user as the cf CLI does; the guid."""
        answer = self("POST", "/Users", token=self.token(), json=new_user(name, password, **more))
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])


def basic(name: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{name}:{secret}".encode()).decode()}


def new_user(name: str = "bob", password: str = "s3cret", **more: Any) -> dict[str, Any]:
    """What `cf create-user` posts."""
    names = {"familyName": name, "givenName": name}
    emails = [{"value": name, "primary": True}]
    return {"userName": name, "password": password, "origin": "", "name": names, "emails": emails, **more}


CF = basic("cf", "")


@pytest.fixture
def uaa(config: Config, store: Store, keys: Keys, clock: ManualClock) -> Uaa:
    return Uaa(config, store, keys, clock)
