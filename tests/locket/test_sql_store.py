"""Locket on real MariaDB and PostgreSQL servers."""

import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest

from cfroute.locket.sql_store import mysql_url, postgres_url
from cfroute.locket.store import StoreError

from ..routing_api import servers
from ..routing_api.servers import PASSWORD, SCHEMA, USER, MariaDB, PostgreSQL
from ..waiting import eventually
from .daemons import Locket
from .grpcio_locket import GrpcioClient

Database = MariaDB | PostgreSQL
QUOTED = "p%40ss%2Fw%3Ard'"


@pytest.fixture(scope="module", params=list(servers.SERVERS))
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    with servers.running(request.param) as server:
        yield server


def connection(database: Database, password: str = PASSWORD) -> dict[str, Any]:
    """The keys that name this server."""
    place = f"127.0.0.1:{database.port}"
    if database.type == "mysql":
        text = f"{USER}:{password}@tcp({place})/{SCHEMA}?parseTime=true"
    else:
        text = f"postgres://{USER}:{QUOTED if password == PASSWORD else password}@{place}/{SCHEMA}?sslmode=disable"
    return {"database_driver": database.type, "database_connection_string": text}


def owner(client: GrpcioClient, key: str) -> str:
    try:
        return str(client.call("Fetch", key=key).resource.owner)
    except grpc.RpcError as refused:
        return str(refused.details())


def test_locks_are_granted_kept_and_expire_over_tls(database: Database, launch: Callable[..., Locket]) -> None:
    ca = {"sql_ca_cert_file": str(database.folder / "ca.pem")}
    locket = launch(**connection(database), **ca).started()
    client = GrpcioClient(locket.port, locket.output.parent)
    client.lock("key", "me", value="ö" * 4096, ttl=60)
    client.lock("key", "me", value="x", ttl=60)
    client.lock("short", "me", ttl=1)
    with pytest.raises(grpc.RpcError, match="lock-collision"):
        client.lock("key", "you")
    locket.end(signal.SIGKILL)
    client.close()
    locket = launch(**connection(database), **ca, listen_address=locket.config["listen_address"]).started()
    client = GrpcioClient(locket.port, locket.output.parent)
    assert [(each.key, each.value) for each in client.call("FetchAll", type_code=1).resources if each.key == "key"] == [
        ("key", "x")
    ]
    eventually(lambda: owner(client, "short") != "me", "the end of the lock")
    client.release("key", "me")
    assert owner(client, "key") == "resource-not-found"
    client.close()
    assert locket.end() == 0


def test_of_many_who_want_it_at_once_one_gets_it(database: Database, launch: Callable[..., Locket]) -> None:
    lockets = [launch(**connection(database)).started() for _ in range(2)]
    clients = [GrpcioClient(each.port, each.output.parent) for each in lockets]
    for round_ in range(5):
        key, got, said = f"wanted {round_}", list[str](), list[str]()

        def want(who: int, key: str = key, got: list[str] = got, said: list[str] = said) -> None:
            try:
                clients[who % 2].lock(key, str(who))
            except grpc.RpcError as refused:
                said.append(str(refused.details()))
            else:
                got.append(str(who))

        threads = [threading.Thread(target=want, args=(who,)) for who in range(12)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert got == [owner(clients[0], key)]
        assert said == ["lock-collision"] * 11
    for each in clients:
        each.close()


def test_a_database_that_is_away_for_a_moment(database: Database, launch: Callable[..., Locket]) -> None:
    locket = launch(**connection(database), db_operation_timeout="2s").started()
    client = GrpcioClient(locket.port, locket.output.parent)
    client.lock("stays", "me", ttl=60)
    database.crash()
    with pytest.raises(grpc.RpcError) as refused:
        client.lock("stays", "me", ttl=60)
    assert refused.value.code().name == "UNKNOWN"
    database.restart()
    assert owner(client, "stays") == "me"
    client.lock("stays", "me", ttl=60)
    client.close()
    assert locket.end() == 0


def test_a_wrong_password_is_said(database: Database, launch: Callable[..., Locket]) -> None:
    locket = launch(**connection(database, "wrong"))
    assert locket.process.wait(30) == 2
    assert USER in locket.said("locket.sql-failed-to-connect")[0]["error"]


def test_connection_strings() -> None:
    url = mysql_url("a:b@c:d/e@tcp(10.0.0.1:3307)/locket?tls=x&parseTime=true")
    assert (url.username, url.password, url.host, url.port, url.database) == ("a", "b@c:d/e", "10.0.0.1", 3307, "locket")
    assert mysql_url("/locket").render_as_string() == "mysql+pymysql://127.0.0.1:3306/locket"
    assert mysql_url("a@tcp([::1]:1)/x").host == "::1"
    assert postgres_url("postgres://a:b%40@h:5/x?sslmode=disable").password == "b@"
    for bad in ("", "a:b@unix(/s)/x", "a@tcp(h)/x", "a@tcp(h:p)/x"):
        with pytest.raises(StoreError, match="invalid DSN"):
            mysql_url(bad)
    for bad in ("", "mysql://h/x", "host=h"):
        with pytest.raises(StoreError, match="invalid connection"):
            postgres_url(bad)
