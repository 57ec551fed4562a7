"""The BBS's client: what the Cloud Controller, the cells and the route emitters call.

BBSUnavailable   it could not be reached, hung up, or cannot work: try again later
BBSError         it answered, and refused: trying again will not help
"""

import contextlib
import ssl
from collections.abc import AsyncIterator, Iterable
from typing import Any, Literal

import msgspec

from cfroute.diego.api import ActualLRP, CellPresence, DesiredLRP, Event, InstanceUsage, Port, PreferredAddress, Task
from cfroute.errors import CfrouteError, ConfigurationError, NotRunning
from cfroute.http_client import Client, Response, Unreachable

TIMEOUT = 10.0
SILENCE = 15.0  # the BBS sends a comment each 5 s; after three missing ones the stream is dead

Feed = Literal["lrp_instances.r1", "tasks"]


class BBSUnavailable(NotRunning):
    """The BBS could not be reached, or the connection to it broke."""


class BBSError(CfrouteError):
    """The BBS refused. `type` is Diego's name of the error, `status` the HTTP status."""

    def __init__(self, status: int, type_: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.type = type_


class BBSClient:
    """Speaks to one BBS over mutual TLS. `ca`, `certificate` and `key` are paths of PEM files; `timeout` is in seconds."""

    def __init__(
        self,
        url: str,
        ca: str | None = None,
        certificate: str | None = None,
        key: str | None = None,
        *,
        timeout: float = TIMEOUT,
    ) -> None:
        self._url = url.rstrip("/")
        self._http = Client(tls_context(ca, certificate, key), timeout)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    # what should run: called by the Cloud Controller

    async def desire(self, lrp: DesiredLRP) -> None:
        """Create the LRP, or replace the one of the same process_guid."""
        await self._call("desired_lrp/desire", lrp)

    async def update(self, process_guid: str, **changes: Any) -> None:
        """Change `instances`, `routes` or other fields of a desired LRP.

        Raises BBSError (404) when there is none.
        """
        await self._call("desired_lrp/update", {"process_guid": process_guid, **changes})

    async def remove(self, process_guid: str) -> None:
        """Take a desired LRP away; its instances are drained and stopped.

        One that is not there is no error.
        """
        await self._call("desired_lrp/remove", {"process_guid": process_guid})

    async def sync(self, lrps: Iterable[DesiredLRP]) -> dict[str, int]:
        """Make the set of desired LRPs equal to this one.

        Returns the counts `created`, `changed` and `removed`.
        """
        answer = await self._call("desired_lrps/sync", {"desired_lrps": list(lrps)})
        return msgspec.json.decode(answer, type=dict[str, int])

    async def desired_lrps(self, process_guids: Iterable[str] | None = None) -> list[DesiredLRP]:
        """All desired LRPs, or those of these processes."""
        chosen = {} if process_guids is None else {"process_guids": list(process_guids)}
        answer = await self._call("desired_lrps/list", chosen)
        return msgspec.json.decode(answer, type=dict[str, list[DesiredLRP]])["desired_lrps"]

    async def actual_lrps(self, *, cell_id: str | None = None, process_guid: str | None = None) -> list[ActualLRP]:
        """All instances, or those of one cell or of one process."""
        chosen = {"cell_id": cell_id, "process_guid": process_guid}
        answer = await self._call("actual_lrps/list", {key: value for key, value in chosen.items() if value})
        return msgspec.json.decode(answer, type=dict[str, list[ActualLRP]])["actual_lrps"]

    async def retire(self, process_guid: str, index: int) -> None:
        """Stop this instance; one that is still desired is started afresh.

        Raises BBSError (404) when there is none.
        """
        await self._call("actual_lrps/retire", {"process_guid": process_guid, "index": index})

    async def desire_task(self, task: Task) -> None:
        """Have a task run once. Raises BBSError (409) when its guid is taken."""
        await self._call("tasks/desire", task)

    async def tasks(self) -> list[Task]:
        """The tasks that are not done with."""
        answer = await self._call("tasks/list", {})
        return msgspec.json.decode(answer, type=dict[str, list[Task]])["tasks"]

    async def upsert_domain(self, name: str, ttl: int) -> None:
        """Declare that what is desired in this domain is complete, for `ttl` seconds (0: for ever)."""
        await self._call("domains/upsert", {"domain": name, "ttl": ttl})

    async def domains(self) -> list[str]:
        """The domains that are fresh: what is not desired there may be stopped."""
        answer = await self._call("domains/list", {})
        return msgspec.json.decode(answer, type=dict[str, list[str]])["domains"]

    async def cells(self) -> list[CellPresence]:
        """The cells that are there."""
        answer = await self._call("cells/list", {})
        return msgspec.json.decode(answer, type=dict[str, list[CellPresence]])["cells"]

    # what does run: called by the cells

    async def heartbeat(self, presence: CellPresence) -> None:
        """Say that the cell lives."""
        await self._call("cells/heartbeat", presence)

    async def claim(self, process_guid: str, index: int, cell_id: str, instance_guid: str) -> None:
        """Take an instance. Raises BBSError (409) when it belongs to somebody else or is not wanted."""
        await self._call("actual_lrps/claim", _identity(process_guid, index, cell_id, instance_guid))

    async def start(
        self,
        process_guid: str,
        index: int,
        cell_id: str,
        instance_guid: str,
        *,
        address: str,
        ports: Iterable[Port],
        routable: bool = True,
        availability_zone: str = "",
        instance_address: str = "",
        preferred_address: PreferredAddress = "UNKNOWN",
    ) -> None:
        """Say that the instance runs and where. Raises BBSError (409) when it is to be stopped instead."""
        place = {
            "address": address,
            "instance_address": instance_address,
            "preferred_address": preferred_address,
            "ports": list(ports),
            "routable": routable,
            "availability_zone": availability_zone,
        }
        await self._call("actual_lrps/start", _identity(process_guid, index, cell_id, instance_guid) | place)

    async def crash(self, process_guid: str, index: int, cell_id: str, instance_guid: str, reason: str) -> None:
        """Say that the instance died, and why."""
        identity = _identity(process_guid, index, cell_id, instance_guid)
        await self._call("actual_lrps/crash", identity | {"reason": reason})

    async def fail(self, process_guid: str, index: int, reason: str) -> None:
        """Say that a placed instance cannot be taken by this cell."""
        await self._call("actual_lrps/fail", {"process_guid": process_guid, "index": index, "reason": reason})

    async def remove_actual(self, process_guid: str, index: int, instance_guid: str) -> None:
        """Say that the instance is gone. One that the BBS does not know is no error."""
        body = {"process_guid": process_guid, "index": index, "instance_guid": instance_guid}
        await self._call("actual_lrps/remove", body)

    async def report_usage(self, usages: Iterable[InstanceUsage]) -> None:
        """Report what the instances use."""
        await self._call("actual_lrps/usage", list(usages))

    async def start_task(self, task_guid: str, cell_id: str) -> None:
        """Take a task. Raises BBSError (409) when another cell has it."""
        await self._call("tasks/start", {"task_guid": task_guid, "cell_id": cell_id})

    async def complete_task(self, task: Task) -> None:
        """Hand a finished task back."""
        await self._call("tasks/complete", task)

    # what changes

    @contextlib.asynccontextmanager
    async def subscribe(self, feed: Feed = "lrp_instances.r1", cell_id: str = "") -> AsyncIterator[AsyncIterator[Event]]:
        """Open an event stream: nothing that happens after the block was entered is missed.

        The iterator ends when the BBS goes away; what was missed since must then be listed. Raises
        BBSUnavailable when the stream cannot be opened.
        """
        body = msgspec.json.encode({"cell_id": cell_id} if cell_id else {})
        async with contextlib.AsyncExitStack() as stack:
            try:
                response = await stack.enter_async_context(
                    self._http.stream("POST", f"{self._url}/v1/events/{feed}", body, timeout=SILENCE)
                )
                if response.is_error:
                    raise _refusal(response.status, await response.read())
            except Unreachable as error:
                raise BBSUnavailable(error.message) from error
            yield _events(response)

    async def events(self, feed: Feed = "lrp_instances.r1", cell_id: str = "") -> AsyncIterator[Event]:
        """The events from now on, until the BBS goes away."""
        async with self.subscribe(feed, cell_id) as events:
            async for event in events:
                yield event

    async def _call(self, path: str, body: Any) -> bytes:
        try:
            status, answer = await self._http.request("POST", f"{self._url}/v1/{path}", msgspec.json.encode(body))
        except Unreachable as error:
            raise BBSUnavailable(f"the BBS cannot be reached: {error.message}") from error
        if status == 503:  # it has nothing against the request, but cannot write, for example
            raise BBSUnavailable(_refusal(status, answer).message)
        if status >= 400:
            raise _refusal(status, answer)
        return answer


def tls_context(ca: str | None, certificate: str | None, key: str | None) -> ssl.SSLContext:
    """A client's TLS settings: trusts `ca` only, and shows `certificate`.

    Raises ConfigurationError for unusable files.
    """
    try:
        context = ssl.create_default_context(cafile=ca)
        if certificate:
            context.load_cert_chain(certificate, key)
    except OSError as error:
        raise ConfigurationError(f"the certificates {ca}, {certificate}, {key} cannot be used: {error}") from error
    return context


def _identity(process_guid: str, index: int, cell_id: str, instance_guid: str) -> dict[str, Any]:
    return {
        "process_guid": process_guid,
        "index": index,
        "cell_id": cell_id,
        "instance_guid": instance_guid,
    }


async def _events(response: Response) -> AsyncIterator[Event]:
    rest = b""
    try:
        async for chunk in response.chunks():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if line.startswith(b"data: "):
                    yield msgspec.json.decode(line[6:], type=Event)
    except Unreachable:
        return  # how a stream ends when its server is killed


def _refusal(status: int, body: bytes) -> BBSError:
    try:
        error = msgspec.json.decode(body, type=dict[str, dict[str, str]])["error"]
    except (msgspec.MsgspecError, KeyError):
        return BBSError(status, "UnknownError", f"the BBS answered {status}")
    return BBSError(status, error.get("type", "UnknownError"), error.get("message", ""))
