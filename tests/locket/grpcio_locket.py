"""A Locket and a client of it made with grpcio and protobuf: what ours are tried against."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc

from .messages import CLASSES, make

METHODS = ("Lock", "Release", "Fetch", "FetchAll")


class GrpcioLocket(grpc.GenericRpcHandler):
    """Grants locks by upstream's rules, which never expire; `requests` has what was asked, `metadata` what came with it."""

    def __init__(self, folder: Path) -> None:
        self.locks: dict[str, Any] = {}
        self.requests: list[tuple[str, Any]] = []
        self.metadata: list[dict[str, str]] = []
        self.stalled = threading.Event()  # while it is clear, nobody gets an answer
        self.stalled.set()
        self._folder = folder
        self._server: grpc.Server | None = None
        self.port = 0

    def start(self) -> "GrpcioLocket":
        """Serve, at the port of the last time."""
        self._server = grpc.server(ThreadPoolExecutor(8), options=(("grpc.so_reuseport", 0),))
        self._server.add_generic_rpc_handlers((self,))
        ca, certificate, key = (Path(self._folder / name).read_bytes() for name in ("ca.pem", "id.pem", "id.key"))
        credentials = grpc.ssl_server_credentials([(key, certificate)], ca, require_client_auth=True)
        self.port = self._server.add_secure_port(f"127.0.0.1:{self.port}", credentials)
        self._server.start()
        return self

    def stop(self) -> None:
        self.stalled.set()
        if self._server is not None:
            self._server.stop(None).wait()

    def service(self, details: Any) -> Any:
        name = details.method.removeprefix("/models.Locket/")
        self.metadata.append(dict(details.invocation_metadata))

        def answer(request: Any, context: Any) -> Any:
            self.requests.append((name, request))
            self.stalled.wait(30)
            return getattr(self, name)(request, context)

        return grpc.unary_unary_rpc_method_handler(
            answer, CLASSES[f"{name}Request"].FromString, CLASSES[f"{name}Response"].SerializeToString
        )

    def Lock(self, request: Any, context: Any) -> Any:
        held = self.locks.get(request.resource.key)
        if held is not None and held.owner != request.resource.owner:
            context.abort(grpc.StatusCode.ALREADY_EXISTS, "lock-collision")
        self.locks[request.resource.key] = request.resource
        return make("LockResponse")

    def Release(self, request: Any, context: Any) -> Any:
        held = self.locks.get(request.resource.key)
        if held is not None and held.owner != request.resource.owner:
            context.abort(grpc.StatusCode.ALREADY_EXISTS, "lock-collision")
        self.locks.pop(request.resource.key, None)
        return make("ReleaseResponse")

    def Fetch(self, request: Any, context: Any) -> Any:
        if request.key not in self.locks:
            context.abort(grpc.StatusCode.NOT_FOUND, "resource-not-found")
        return make("FetchResponse", resource=self.locks[request.key])

    def FetchAll(self, request: Any, context: Any) -> Any:
        return make("FetchAllResponse", resources=[r for r in self.locks.values() if r.type_code == request.type_code])


class GrpcioClient:
    """Calls a Locket. A call that is refused raises grpc.RpcError."""

    def __init__(self, port: int, folder: Path, *, certificate: bool = True) -> None:
        ca, chain, key = (Path(folder / name).read_bytes() for name in ("ca.pem", "id.pem", "id.key"))
        credentials = grpc.ssl_channel_credentials(ca, *((key, chain) if certificate else ()))
        self.channel = grpc.secure_channel(f"127.0.0.1:{port}", credentials)

    def call(self, method: str, *, timeout: float = 10.0, **values: Any) -> Any:
        call = self.channel.unary_unary(
            f"/models.Locket/{method}",
            lambda message: message.SerializeToString(),
            CLASSES[f"{method}Response"].FromString,
        )
        return call(make(f"{method}Request", **values), timeout=timeout, metadata=(("uuid", "a-guid"),))

    def lock(self, key: str, owner: str, ttl: int = 15, **more: Any) -> None:
        resource = {"key": key, "owner": owner, "type_code": 1, **more}
        self.call("Lock", resource=resource, ttl_in_seconds=ttl)

    def release(self, key: str, owner: str) -> None:
        self.call("Release", resource={"key": key, "owner": owner})

    def close(self) -> None:
        self.channel.close()
