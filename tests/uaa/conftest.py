import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cfroute import certificates
from cfroute.testing import ManualClock
from cfroute.uaa import app
from cfroute.uaa.config import Client, Config, User
from cfroute.uaa.keys import SigningKey
from cfroute.uaa.store import Store

ISSUER = "https://uaa.cf.localhost/oauth/token"


@pytest.fixture(scope="session")
def signing_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "signing.pem"
    path.write_bytes(certificates.make_signing_key())
    return path


@pytest.fixture(scope="session")
def key(signing_key: Path) -> SigningKey:
    return SigningKey.load(str(signing_key))


@pytest.fixture
def config(tmp_path: Path, signing_key: Path) -> Config:
    return Config(
        issuer=ISSUER,
        database=str(tmp_path / "uaa.sqlite"),
        signing_key=str(signing_key),
        port=0,
        clients={
            "cf": Client(
                scope=["cloud_controller.read", "cloud_controller.write", "cloud_controller.admin", "openid"],
                grants=["password", "refresh_token"],
            ),
            "gorouter": Client(secret="s:e&c r%t", authorities=["routing.routes.read"]),
        },
        users=[
            User("admin", "pw", ["cloud_controller.admin", "cloud_controller.read", "openid", "scim.read"]),
            User("dev", "pw2", ["cloud_controller.read", "openid"]),
        ],
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(config: Config) -> Iterator[Store]:
    store = Store.open(config.database)
    guids = (f"user-{number}" for number in range(100))
    store.seed(config.clients, config.users, lambda: next(guids))
    yield store
    store.close()


@pytest.fixture
def call(config: Config, store: Store, key: SigningKey, clock: ManualClock) -> Callable[..., httpx.Response]:
    """Send one request to the app, in process."""
    ids = (f"id-{number}" for number in range(1000))
    application = app.build(config, store, key, clock, lambda: next(ids))

    def send(method: str, path: str, **options: Any) -> httpx.Response:
        async def one() -> httpx.Response:
            transport = httpx.ASGITransport(application)
            async with httpx.AsyncClient(transport=transport, base_url="https://login.test") as client:
                return await client.request(method, path, **options)

        return asyncio.run(one())

    return send
