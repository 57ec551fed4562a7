"""The broker's side of the Open Service Broker API, 2.13 and later: what is asked, and what is to be answered.

It does no IO. What a service does with its instances and bindings is a `Service`; all else (versions, credentials, what is
missing, what is there already, what takes its time) is the same for every broker.
"""

import base64
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Body = dict[str, Any]
OLDEST = (2, 13)
ASYNC_REQUIRED = {
    "error": "AsyncRequired",
    "description": "This service plan requires client support for asynchronous service operations.",
}
BUSY = {"error": "ConcurrencyError", "description": "There is an operation in progress for the service instance."}
_PATH = re.compile(r"/v2/service_instances/([^/]+)(?:/(last_operation)|/service_bindings/([^/]+))?")


class Refused(Exception):
    """The answer is an error: `status`, and `description` for a person, or a whole `body`."""

    def __init__(self, status: int, description: str = "", body: Body | None = None) -> None:
        super().__init__(description)
        self.status = status
        self.body: Body = {"description": description} if body is None else body


@dataclass(frozen=True)
class Request:
    """An HTTP request to a broker. The names in `headers` are in lower case; `query` has the last value of each name."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """What the broker answers: a JSON object."""

    status: int
    body: Body


@dataclass
class Instance:
    """A service instance. `asked` is the request's body; `operation` is under way until `until`, in seconds of the clock."""

    asked: Body
    operation: str = ""
    until: float = 0.0


@dataclass(frozen=True)
class _Binding:
    """The bodies of the requests for a binding and, before that, for its instance; and what was answered."""

    asked: Body
    instance: Body
    answer: Body


class Service(Protocol):
    """What a broker offers. Every method may raise Refused."""

    catalog: Body
    slow_plans: frozenset[str]
    """Ids of the plans whose instances take their time."""

    def check(self, parameters: Body) -> None:
        """Look at what somebody gave with -c, for an instance or a binding."""

    def bind(self, binding_id: str, asked: Body, instance: Body) -> Body:
        """Take up the work for a new binding; returns the answer. `asked` and `instance` are the bodies of the requests."""

    def unbind(self, binding_id: str, asked: Body) -> None:
        """End it."""


class Broker:
    """Answers for one service.

    clock gives the present time in seconds; delay is how long an instance of a slow plan takes; changed is called after
    every change with what `restore` takes back, so that a broker can be started again.
    """

    def __init__(
        self,
        service: Service,
        credentials: tuple[str, str],
        clock: Callable[[], float],
        delay: float = 5.0,
        changed: Callable[[Body], None] = lambda state: None,
    ) -> None:
        self._service, self._credentials = service, ":".join(credentials)
        self._clock, self._delay, self._changed = clock, delay, changed
        self._instances: dict[str, Instance] = {}
        self._bindings: dict[str, _Binding] = {}
        self._plans = {(s["id"], plan["id"]) for s in service.catalog["services"] for plan in s["plans"]}

    def restore(self, state: Body) -> None:
        """Take up the instances and bindings of an earlier run. What was under way then is done."""
        self._instances = {name: Instance(asked) for name, asked in state.get("instances", {}).items()}
        self._bindings = {name: _Binding(*parts) for name, parts in state.get("bindings", {}).items()}

    def bindings(self) -> dict[str, tuple[Body, Body]]:
        """What was asked for each binding that there is, and for its instance at that time."""
        return {name: (binding.asked, binding.instance) for name, binding in self._bindings.items()}

    def answer(self, request: Request) -> Answer:
        """The answer to any request below /v2."""
        try:
            self._admit(request)
            return self._route(request)
        except Refused as refused:
            return Answer(refused.status, refused.body)

    def _admit(self, request: Request) -> None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        try:
            known = hmac.compare_digest(base64.b64decode(given, validate=True), self._credentials.encode())
        except ValueError:
            known = False
        if scheme.lower() != "basic" or not known:
            raise Refused(401, "The credentials are missing or wrong.")
        version = request.headers.get("x-broker-api-version", "")
        if not re.fullmatch(r"[0-9]{1,9}\.[0-9]{1,9}", version, re.ASCII):
            raise Refused(400, "X-Broker-API-Version is missing or no version.")
        major, minor = map(int, version.split("."))
        if major != OLDEST[0] or minor < OLDEST[1]:
            raise Refused(412, f"This broker speaks versions 2.13 and later of the API, not {version}.")

    def _route(self, request: Request) -> Answer:
        if request.path == "/v2/catalog" and request.method == "GET":
            return Answer(200, self._service.catalog)
        match = _PATH.fullmatch(request.path)
        if match is None:
            raise Refused(404, "There is nothing under this path.")
        instance, operation, binding = match.groups()
        if binding:
            steps: dict[str, Callable[[], Answer]] = {
                "PUT": lambda: self._bind(instance, binding, request),
                "DELETE": lambda: self._unbind(instance, binding, request),
            }
        elif operation:
            steps = {"GET": lambda: self._last_operation(instance)}
        else:
            steps = {
                "PUT": lambda: self._provision(instance, request),
                "PATCH": lambda: self._update(instance, request),
                "DELETE": lambda: self._deprovision(instance, request),
            }
        if request.method not in steps:
            raise Refused(405, f"{request.method} is not possible here.")
        return steps[request.method]()

    def _provision(self, name: str, request: Request) -> Answer:
        asked = self._asked(request, "service_id", "plan_id", "organization_guid", "space_guid")
        if (there := self._settled(name)) is not None:
            if not _same(there.asked, asked, "service_id", "plan_id", "organization_guid", "space_guid", "parameters"):
                raise Refused(409, body={})
            return self._under_way(there) or Answer(200, {})
        takes_time = self._takes_time(asked, request)
        self._instances[name] = Instance(asked)
        return self._begin(self._instances[name], "provision", takes_time, 201)

    def _update(self, name: str, request: Request) -> Answer:
        asked = self._asked(request, "service_id")
        instance = self._idle(name)
        merged = instance.asked | {key: asked[key] for key in ("plan_id", "parameters") if key in asked}
        self._known_plan(merged)
        takes_time = self._takes_time(merged, request)
        instance.asked = merged
        return self._begin(instance, "update", takes_time, 200)

    def _deprovision(self, name: str, request: Request) -> Answer:
        asked = self._in_query(request)
        instance = self._settled(name)
        if instance is None:
            raise Refused(410, body={})
        if instance.operation == "deprovision":
            return Answer(202, {"operation": instance.operation})
        self._idle(name)
        takes_time = self._takes_time(asked, request)
        if not takes_time:
            del self._instances[name]
        return self._begin(instance, "deprovision", takes_time, 200)

    def _last_operation(self, name: str) -> Answer:
        instance = self._settled(name)
        if instance is None:
            raise Refused(410, body={})
        return Answer(200, {"state": "in progress" if instance.operation else "succeeded"})

    def _bind(self, name: str, binding: str, request: Request) -> Answer:
        asked = self._asked(request, "service_id", "plan_id")
        instance = self._idle(name)
        if binding in self._bindings:
            there = self._bindings[binding]
            if not _same(there.asked, asked, "service_id", "plan_id", "bind_resource", "parameters"):
                raise Refused(409, body={})
            return Answer(200, there.answer)
        if not isinstance(asked.get("bind_resource"), dict) or not isinstance(asked["bind_resource"].get("route"), str):
            raise Refused(400, "This service can only be bound to routes: bind_resource.route is missing.")
        answer = self._service.bind(binding, asked, instance.asked)
        self._bindings[binding] = _Binding(asked, instance.asked, answer)
        self._tell()
        return Answer(201, answer)

    def _unbind(self, name: str, binding: str, request: Request) -> Answer:
        self._in_query(request)
        if binding not in self._bindings:
            raise Refused(410, body={})
        self._service.unbind(binding, self._bindings.pop(binding).asked)
        self._tell()
        return Answer(200, {})

    def _asked(self, request: Request, *required: str) -> Body:
        """The body. Raises Refused when it is no object, lacks something, or names a plan that is not in the catalog."""
        try:
            asked = json.loads(request.body)
        except (ValueError, RecursionError) as error:
            raise Refused(400, f"The body is no JSON: {error}") from error
        if not isinstance(asked, dict):
            raise Refused(400, "The body is no JSON object.")
        for name in required:
            if not isinstance(asked.get(name), str) or not asked[name]:
                raise Refused(400, f"{name} is missing.")
        if "plan_id" in required:
            self._known_plan(asked)
        if asked.get("parameters") is None:
            asked.pop("parameters", None)
        parameters = asked.get("parameters", {})
        if not isinstance(parameters, dict):
            raise Refused(400, "parameters is no JSON object.")
        self._service.check(parameters)
        return asked

    def _in_query(self, request: Request) -> Body:
        for name in ("service_id", "plan_id"):
            if not request.query.get(name):
                raise Refused(400, f"{name} is missing.")
        return dict(request.query)

    def _known_plan(self, asked: Body) -> None:
        if (asked["service_id"], asked.get("plan_id")) not in self._plans:
            raise Refused(400, "There is no such service and plan in the catalog.")

    def _settled(self, name: str) -> Instance | None:
        """The instance, after what has been finished by now; None where there is none."""
        instance = self._instances.get(name)
        if instance is None or not instance.operation or instance.until > self._clock():
            return instance
        if instance.operation == "deprovision":
            del self._instances[name]
            self._tell()
            return None
        instance.operation = ""
        return instance

    def _idle(self, name: str) -> Instance:
        instance = self._settled(name)
        if instance is None:
            raise Refused(404, "There is no such service instance.")
        if instance.operation:
            raise Refused(422, body=BUSY)
        return instance

    def _takes_time(self, asked: Body, request: Request) -> bool:
        if asked.get("plan_id") not in self._service.slow_plans:
            return False
        if request.query.get("accepts_incomplete") != "true":
            raise Refused(422, body=ASYNC_REQUIRED)
        return True

    def _begin(self, instance: Instance, operation: str, takes_time: bool, status: int) -> Answer:
        if takes_time:
            instance.operation, instance.until = operation, self._clock() + self._delay
        self._tell()
        return self._under_way(instance) or Answer(status, {})

    def _under_way(self, instance: Instance) -> Answer | None:
        return Answer(202, {"operation": instance.operation}) if instance.operation else None

    def _tell(self) -> None:
        instances = {name: instance.asked for name, instance in self._instances.items()}
        bindings = {name: [made.asked, made.instance, made.answer] for name, made in self._bindings.items()}
        self._changed({"instances": instances, "bindings": bindings})


def _same(one: Body, other: Body, *names: str) -> bool:
    return all((one.get(name) or None) == (other.get(name) or None) for name in names)
