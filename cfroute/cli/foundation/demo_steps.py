"""The steps of the demo. Each does something, looks at what came of it, and yields what it has verified."""

import secrets
from collections.abc import Callable, Iterator
from typing import NamedTuple

from cfroute.cli.foundation.demo_tour import StepFailed, Tour, Traffic

INSTANCES = 3
ENOUGH_REQUESTS = 10
HOPS_WITH_ROUTE_SERVICE = 4  # load balancer and Gorouter, twice


class Step(NamedTuple):
    """One step: what it is called, what it is for, and how it is played. `play` raises StepFailed."""

    title: str
    explanation: str
    play: Callable[[Tour], Iterator[str]]


def _free_name(tour: Tour, command: str, wanted: str) -> str:
    """The tutorial's name, or a like one if somebody uses it already."""
    name = wanted
    while tour.succeeds(command, name):
        name = f"{wanted}-{secrets.token_hex(2)}"
    return name


def push_the_route_service(tour: Tour) -> Iterator[str]:
    name = tour.names["logger"] = _free_name(tour, "app", "logger")
    tour.made.insert(0, ("delete", name, "-f", "-r"))
    tour.cfroute("push", name, "--sample", "logging-route-service")
    yield _one_runs(tour, name)


def _one_runs(tour: Tour, name: str) -> str:
    [process] = tour.data("app", name)["processes"]
    states = [instance["state"] for instance in process["instances"]]
    if states != ["running"]:
        raise StepFailed(f"the instances of {name} are {states}")
    return f"one instance of {name} runs"


def make_it_a_service(tour: Tour) -> Iterator[str]:
    name = tour.names["service"] = _free_name(tour, "service", "mylogger")
    url = f"https://{tour.host('logger')}"
    tour.made.insert(0, ("delete-service", name, "-f"))
    tour.cfroute("create-user-provided-service", name, "-r", url)
    if tour.data("service", name)["route_service_url"] != url:
        raise StepFailed(f"{name} does not have the URL {url}")
    yield f"{name} stands for {url}"


def push_the_app(tour: Tour) -> Iterator[str]:
    name = tour.names["music"] = _free_name(tour, "app", "spring-music")
    tour.made.insert(0, ("delete", name, "-f", "-r"))
    tour.cfroute("push", name, "--sample", "spring-music")
    yield _one_runs(tour, name)
    if "Nevermind" not in tour.see("music", "/albums").text:
        raise StepFailed("the app does not answer with its albums")
    yield "a request through the load balancer and Gorouter gets the app's albums"


def bind(tour: Tour) -> Iterator[str]:
    marker = _request_with_marker(tour)
    if marker in tour.log("logger"):
        raise StepFailed("the route service saw a request of a route that is not bound")
    yield "before, the route service sees nothing of a request"
    tour.cfroute("bind-route-service", tour.domain, tour.names["service"], "--hostname", tour.names["music"])
    bound = [route["service_instance"] for route in tour.data("routes") if route["host"] == tour.names["music"]]
    if bound != [tour.names["service"]]:
        raise StepFailed(f"the route is bound to {bound}")
    yield "the Cloud Controller shows the binding"
    tour.wait_for("the binding in the Gorouters' tables", lambda: _table_urls(tour) == {f"https://{tour.host('logger')}"})
    yield "every Gorouter has the route service's URL in its table"


def _request_with_marker(tour: Tour) -> str:
    """Make a request that can be told from all others, and return what tells it."""
    marker = secrets.token_hex(8)
    tour.see("music", f"/albums?demo={marker}")
    return marker


def _table_urls(tour: Tour) -> set[str]:
    """The route service URLs that the Gorouters have for the app's route."""
    return {row["route_service_url"] for row in tour.data("table", tour.host("music")) if row["route"] == tour.host("music")}


def go_through_the_route_service(tour: Tour) -> Iterator[str]:
    marker = _request_with_marker(tour)
    log = tour.wait_for("the request in the route service's log", lambda: _logged(tour, marker))
    if f"Forwarding to: https://{tour.host('music')}" not in log and f"Forwarding to: http://{tour.host('music')}" not in log:
        raise StepFailed("the route service did not forward the request")
    yield "the request is in the route service's log, and was forwarded to the app"
    body = log[log.index(marker) :].partition("Response Body:")[2]
    if "Nevermind" not in body:
        raise StepFailed("the response of the app is not in the route service's log")
    yield "so is the response of the app"
    told = [line for line in log.splitlines() if "X-Cf-Proxy-Signature:" in line]
    if not told:
        raise StepFailed("the route service got no signature")
    yield "Gorouter gave the route service a signature to come back with"
    yield _what_the_app_sees(tour)


def _what_the_app_sees(tour: Tour) -> str:
    """The app sees that the request came by a detour, but not with what it was let through."""
    headers = {name.lower(): value for name, value in tour.see("music", "/request").json()["headers"]}
    if left := [name for name in headers if name.startswith(("x-cf-proxy-", "x-cf-forwarded-url"))]:
        raise StepFailed(f"the app was sent {', '.join(left)}")
    hops = headers.get("x-forwarded-for", "").split(",")
    if len(hops) < HOPS_WITH_ROUTE_SERVICE:
        raise StepFailed(f"the app sees X-Forwarded-For: {headers.get('x-forwarded-for')}")
    return f"the app sees {len(hops)} hops in X-Forwarded-For, and nothing of the signature"


def _logged(tour: Tour, marker: str) -> str:
    """The route service's log from the marked request on, if its answer is there too."""
    log = tour.log("logger")
    return log if marker in log and "Response Body:" in log[log.index(marker) :] else ""


def scale_up(tour: Tour) -> Iterator[str]:
    tour.cfroute("scale", tour.names["music"], "-i", str(INSTANCES))
    seen: set[str] = set()

    def all_seen() -> bool:
        seen.add(_instance(tour))
        return len(seen) == INSTANCES

    tour.wait_for(f"answers of {INSTANCES} instances", all_seen)
    yield f"all {INSTANCES} instances answer, in turn"


def _instance(tour: Tour) -> str:
    """Which instance answers."""
    return str(tour.get("music", "/request").json()["instance"]["index"])


def lose_nats(tour: Tour) -> Iterator[str]:
    before = _nats(tour)
    with Traffic(tour, "music") as traffic:
        tour.wait_for("the first answers", lambda: traffic.answered >= ENOUGH_REQUESTS)
        tour.cfroute("kill", "nats")
        after = tour.wait_for("NATS", lambda: _another(tour, before["pid"]))
        since = traffic.answered
        tour.wait_for("answers afterwards", lambda: traffic.answered >= since + ENOUGH_REQUESTS)
    if traffic.failures:
        raise StepFailed(f"of {traffic.answered} requests, some failed: {traffic.failures}")
    yield f"NATS is back, as process {after['pid']} after {before['pid']}"
    yield f"meanwhile {traffic.answered} requests were answered, and none was lost"


def _nats(tour: Tour) -> dict[str, object]:
    for component in tour.session.foundation.status():
        if component["name"] == "nats":
            return component
    raise StepFailed("this foundation has no NATS of its own")


def _another(tour: Tour, pid: object) -> dict[str, object] | None:
    nats = _nats(tour)
    return nats if nats["state"] == "running" and nats["pid"] != pid else None


def unbind(tour: Tour) -> Iterator[str]:
    tour.cfroute("unbind-route-service", tour.domain, tour.names["service"], "--hostname", tour.names["music"], "-f")
    tour.wait_for("the end of the binding in the Gorouters' tables", lambda: _table_urls(tour) == {""})
    yield "no Gorouter has the route service's URL any more"
    marker = _request_with_marker(tour)
    if marker in tour.log("logger"):
        raise StepFailed("the route service still sees requests")
    yield "requests go straight to the app again"


def tidy_up(tour: Tour) -> None:
    """Undo what was made, as far as it is there."""
    for words in tour.made:
        tour.succeeds(*words)
    tour.made.clear()


STEPS = (
    Step(
        "Push a route service", "It writes every request and response that passes through it to its log.", push_the_route_service
    ),
    Step("Make it a service", "A user-provided service instance with a URL can be bound to routes.", make_it_a_service),
    Step("Push an app", "It becomes reachable under its name in the default domain.", push_the_app),
    Step("Bind the route service to the app's route", "From now on Gorouter sends the route's requests there first.", bind),
    Step(
        "Send a request",
        "client → load balancer → Gorouter → route service → load balancer → Gorouter → app",
        go_through_the_route_service,
    ),
    Step("Scale up", "Gorouter learns of new instances and takes turns.", scale_up),
    Step("Kill NATS while requests flow", "The Gorouters keep their tables, and the supervisor starts NATS again.", lose_nats),
    Step("Unbind the route service", "Requests no longer make the detour.", unbind),
)
