"""The Cloud Controller as the commands see it: one way to call its v3 API, wherever it is (see `connection`)."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

import httpx

from cfroute.cli.access.answers import UnexpectedAnswer, question, read, read_list, read_object
from cfroute.cli.access.tokens import Tokens
from cfroute.cli.access.transport import Links, Transport
from cfroute.cli.progress import Waiting
from cfroute.clock import Clock
from cfroute.errors import CfrouteError, NotRunning

Resource = dict[str, Any]

MOST_PER_PAGE = 5000
_DOWN, _START = "The foundation is not running, and service brokers", " Start it with 'cfroute up'."
_JOB_STATES = ("PROCESSING", "POLLING", "COMPLETE", "FAILED")
JOB_POLL = (0.05, 1.0)  # seconds: the first pause, and the longest


class ApiError(CfrouteError):
    """The Cloud Controller refused. `errors` holds its objects of code, title and detail."""

    def __init__(self, status: int, errors: list[Resource], message: str = "") -> None:
        super().__init__(message or "\n".join(str(error.get("detail", "")) for error in errors))
        self.status, self.errors = status, errors

    @property
    def details(self) -> dict[str, Any]:
        """What an error object for programs says beyond the message."""
        return {"status": self.status, "errors": self.errors}

    def says(self, *, title: str = "", detail: str = "") -> bool:
        """Whether an error has this title, or this text in its detail."""
        return any(
            (title and error.get("title") == title) or (detail and detail in str(error.get("detail"))) for error in self.errors
        )


class UaaRefusal(CfrouteError):
    """The UAA refused."""

    def __init__(self, answer: httpx.Response) -> None:
        try:
            told = answer.json()["error_description"]
        except (ValueError, KeyError, TypeError, RecursionError):
            told = f"Error Code: {answer.status_code}\nRaw Response: {answer.text}"
        super().__init__(str(told))
        self.status = answer.status_code


class Page(NamedTuple):
    """All resources of a list, and what was included with them."""

    resources: list[Resource]
    included: dict[str, list[Resource]]


class Api:
    """Synchronous calls of the v3 API, as whoever has logged in, or the admin."""

    def __init__(
        self, links: Links, tokens: Tokens, clock: Clock, warn: Callable[[str], None], waiting: Waiting | None = None
    ) -> None:
        self._links = links
        self._tokens = tokens
        self._transport = Transport(links, clock, waiting)
        self._warn = warn
        self.asked = ""
        """The last request that was answered, as messages name it."""

    @property
    def url(self) -> str:
        """The API's base URL."""
        return str(self._links.cloud_controller.base_url).rstrip("/")

    @property
    def user(self) -> str:
        """The name of the user on whose behalf the API is called."""
        return self._tokens.user(self._transport.run)

    @property
    def user_guid(self) -> str:
        """The guid of that user, or the name of the client."""
        return self._tokens.guid(self._transport.run)

    @property
    def token(self) -> str:
        """A valid access token."""
        return self._tokens.access(self._transport.run)

    def log_in(self, form: dict[str, str], origin: str = "") -> None:
        """Make the calls as somebody else from now on. Raises Rejected."""
        self._tokens.log_in(self._transport.run, form, origin)

    def log_out(self) -> None:
        """Make the calls as the admin from now on."""
        self._tokens.log_out()

    def prompts(self) -> dict[str, list[str]]:
        """What the UAA wants to be asked of a person: kind and text of each prompt."""
        answer = self._transport.run("uaa", self._links.uaa.get("/login", headers={"Accept": "application/json"}))
        prompts = read_object(answer).get("prompts")
        if not (isinstance(prompts, dict) and all(isinstance(each, list) and len(each) == 2 for each in prompts.values())):
            raise UnexpectedAnswer(question(answer), "it has no prompts")
        return {name: [str(part) for part in each] for name, each in prompts.items()}

    def uaa(self, method: str, path: str, **request: Any) -> httpx.Response:
        """One request to the UAA; `request` goes to httpx. Raises UaaRefusal for a status of 400 and above."""
        headers = {"Authorization": f"bearer {self.token}", **request.pop("headers", {})}
        asked = self._links.uaa.request(method, f"{self._links.users}{path}", headers=headers, **request)
        answer = self._transport.run("uaa", asked)
        if answer.is_error:
            raise UaaRefusal(answer)
        return answer

    def close(self) -> None:
        """End all connections, and what SIGTERM or Ctrl-C broke off."""
        self._transport.close()

    def sleep(self, seconds: float) -> None:
        """Wait, while the apps of this process (if any) go on working."""
        self._transport.sleep(seconds)

    def root(self) -> Any:
        """What the API says of itself to anybody."""
        return read(self._transport.run("cloud_controller", self._links.cloud_controller.get("/")))

    def get(self, path: str, /, **query: Any) -> Any:
        return read(self.call("GET", path, query=query))

    def post(self, path: str, body: Any = None, /, **query: Any) -> Any:
        return _body(self.call("POST", path, body=body, query=query))

    def patch(self, path: str, body: Any) -> Any:
        return _body(self.call("PATCH", path, body=body))

    def list(self, path: str, /, **query: Any) -> list[Resource]:
        """All resources of a list, over all its pages."""
        return self.page(path, **query).resources

    def first(self, path: str, /, **query: Any) -> Resource | None:
        """The first resource of a list, or None."""
        resources, _ = read_list(self.call("GET", path, query={"per_page": 1, **query}))
        return resources[0] if resources else None

    def page(self, path: str, /, **query: Any) -> Page:
        """All resources of a list with what they include."""
        page = Page([], {})
        following: str | None = path
        wanted: Mapping[str, Any] = {"per_page": MOST_PER_PAGE, **query}
        seen: set[str] = set()
        while following:
            answer = self.call("GET", following, query=wanted)
            if following in seen:
                raise UnexpectedAnswer(question(answer), "its next page is one that was there before")
            seen.add(following)
            resources, told = read_list(answer)
            page.resources.extend(resources)
            for kind, others in (told.get("included") or {}).items():
                page.included.setdefault(kind, []).extend(others)
            following, wanted = (told["pagination"].get("next") or {}).get("href"), {}
        return page

    def change(self, method: str, path: str, *, begun: bool = False, **request: Any) -> Resource | None:
        """Make a request that may be answered by a job, and wait for that; the job, if there was one. begun: see `wait`."""
        answer = self.call(method, path, **request)
        if answer.status_code != httpx.codes.ACCEPTED:
            return None
        if "Location" not in answer.headers:
            raise UnexpectedAnswer(question(answer), "it names no job")
        return self.wait(answer.headers["Location"], begun=begun)

    def wait(self, job_url: str, *, begun: bool = False) -> Resource:
        """Return the job when it is complete, with `begun` as soon as a broker has begun. Raises ApiError when it failed."""
        pause, longest = JOB_POLL
        ended = ("COMPLETE", "FAILED", "POLLING") if begun else ("COMPLETE", "FAILED")
        while (job := self._job(job_url))["state"] not in ended:
            self._transport.pause(pause)
            pause = min(pause * 2, longest)
        for warning in job.get("warnings") or []:
            self._warn(warning["detail"])
        if job["state"] == "FAILED":
            of_manifest = job.get("operation") == "space.apply_manifest"  # cf tells its errors bare
            told = "\n".join(f"Job ({job.get('guid')}) failed: {error['detail']}" for error in job["errors"])
            raise ApiError(httpx.codes.UNPROCESSABLE_ENTITY, job["errors"], "" if of_manifest else told)
        return dict(job)

    def _job(self, url: str) -> Resource:
        answer = self.call("GET", url)
        job = read_object(answer)
        if job.get("state") not in _JOB_STATES:
            raise UnexpectedAnswer(question(answer), f"no job has the state {job.get('state')!r}")
        return job

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        **more: Any,
    ) -> httpx.Response:
        """One request; `more` goes to httpx. Raises ApiError for a status of 400 and above."""
        answer = self.send(method, path, query=query, body=body, **more)
        if answer.is_error:
            raise _refusal(answer)
        return answer

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> httpx.Response:
        """One request, whatever its status. Raises NotRunning, TimedOut or RequestError when there is no answer."""

        def attempt() -> httpx.Response:
            request = self._links.cloud_controller.build_request(
                method,
                self._links.address(path),
                params=_query(query or {}) or None,
                json=body,
                headers={"Authorization": f"bearer {self.token}", **(headers or {})},
                **more,
            )
            return self._transport.run("cloud_controller", self._links.cloud_controller.send(request))

        answer = self._transport.patiently(method, attempt)
        self.asked = question(answer)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._tokens.forget()  # of another foundation in the same folder, or its key was changed
            answer = attempt()
        for warning in filter(None, answer.headers.get("X-Cf-Warnings", "").split(",")):
            self._warn(unquote(warning.strip()))
        return answer

    def download(self, path: str, take: Callable[[bytes], object]) -> None:
        """Hand over what is there, piece by piece, wherever a redirect leads. Raises as `call` does, and for an early end."""
        headers = {"Authorization": f"bearer {self.token}"}

        async def streamed() -> httpx.Response:
            address = self._links.address(path)
            async with self._links.cloud_controller.stream("GET", address, headers=headers, follow_redirects=True) as answer:
                if answer.is_error:
                    await answer.aread()
                    return answer
                async for piece in answer.aiter_bytes():
                    take(piece)
                return answer

        answer = self._transport.run("cloud_controller", streamed())
        if answer.is_error:
            raise _refusal(answer)


def _query(values: Mapping[str, Any]) -> dict[str, str]:
    return {key: _value(value) for key, value in values.items() if value is not None}


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple | set):
        return ",".join(quote(item, safe="") if "," in item else item for item in value)
    return str(value)


def _body(answer: httpx.Response) -> Any:
    return read(answer) if answer.content else None


def _refusal(answer: httpx.Response) -> CfrouteError:
    try:
        told = answer.json()
    except (ValueError, RecursionError):
        told = None
    if isinstance(told, dict) and told.keys() == {"name", "message"}:  # the Routing API's
        return ApiError(answer.status_code, [told], str(told["message"]))
    errors = told.get("errors") if isinstance(told, dict) else None
    if not (isinstance(errors, list) and errors and all(isinstance(each, dict) for each in errors)):
        shown = answer.text or answer.reason_phrase
        return ApiError(answer.status_code, [], f"Error unmarshalling the following into a cloud controller error: {shown}")
    if answer.status_code == httpx.codes.NOT_FOUND and errors[0].get("detail") == "Unknown request":
        return ApiError(answer.status_code, errors, f"API endpoint not found at '{answer.request.url}'")
    if (detail := str(errors[0].get("detail"))).startswith(_DOWN):
        return NotRunning(detail.removesuffix(_START), "start it with 'cfroute up --detach'")
    return ApiError(answer.status_code, errors)
