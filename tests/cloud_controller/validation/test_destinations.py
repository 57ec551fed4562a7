"""Each text of the reference about destinations."""

from typing import Any

import pytest

from cfroute.cloud_controller.validation import destinations
from cfroute.cloud_controller.validation.destinations import Wanted

APP = {"guid": "a"}


def body(*found: Any) -> dict[str, Any]:
    return {"destinations": list(found)}


@pytest.mark.parametrize(
    ("given", "messages"),
    [
        (body({"app": APP}), []),
        (body({"app": {"guid": "a", "process": {"type": "worker"}}, "port": 9090, "protocol": "http2"}), []),
        ({}, ["Destinations must be an array containing between 1 and 100 destination objects."]),
        (body(), ["Destinations must be an array containing between 1 and 100 destination objects."]),
        (
            body(*[{"app": APP}] * 101),
            ["Destinations must be an array containing between 1 and 100 destination objects."],
        ),
        (body({"app": APP}, {}), ['Destinations[1]: must have an "app".']),
        (body("x"), ["Destinations[0]: must be an object."]),
        (body({"app": {}}), ['Destinations[0]: app must have the structure {"guid": "app_guid"}']),
        (
            body({"app": {"guid": "a", "process": {"x": 1}}}),
            ['Destinations[0]: process must have the structure {"type": "process_type"}'],
        ),
        (body({"app": APP, "protocol": "ftp"}), ["Destinations[0]: protocol must be 'http1', 'http2' or 'tcp'."]),
        (
            body({"app": APP, "port": 80}),
            ["Destinations[0]: port must be a positive integer between 1024 and 65535 inclusive."],
        ),
        (
            body({"app": APP, "weight": 10}),
            ["Destinations[0]: weighted destinations can only be used when replacing all destinations."],
        ),
        (
            body(*({"app": APP, "port": port} for port in range(2000, 2011))),
            ["Process must have at most 10 exposed ports."],
        ),
        ({**body({"app": APP}), "x": 1}, ["Unknown field(s): 'x'"]),
    ],
)
def test_bodies_that_add(given: dict[str, Any], messages: list[str]) -> None:
    assert destinations.body_problems(given) == messages


@pytest.mark.parametrize(
    ("given", "messages"),
    [
        (body(), []),
        (body({"app": APP, "weight": 40}, {"app": {"guid": "b"}, "weight": 60}), []),
        (
            body({"app": APP, "weight": 40}, {"app": {"guid": "b"}, "weight": 50}),
            ["Destinations must have weights that sum to 100."],
        ),
        (
            body({"app": APP, "weight": 40}, {"app": {"guid": "b"}}),
            ["Destinations cannot contain both weighted and unweighted destinations."],
        ),
        (body({"app": APP, "weight": 0}), ["Destinations[0]: weight must be a positive integer between 1 and 100."]),
    ],
)
def test_bodies_that_replace(given: dict[str, Any], messages: list[str]) -> None:
    assert destinations.body_problems(given, replace=True) == messages


def test_defaults() -> None:
    assert destinations.wanted(body({"app": APP}), "http") == [Wanted("a", "web", 8080, "http1")]
    assert destinations.wanted(body({"app": APP}), "tcp") == [Wanted("a", "web", 8080, "tcp")]


HTTP1 = Wanted("a", "web", 8080, "http1")


@pytest.mark.parametrize(
    ("new", "existing", "protocol", "message"),
    [
        ([HTTP1], [HTTP1], "http", None),
        (
            [Wanted("a", "web", 8080, "tcp")],
            [],
            "http",
            "Cannot use 'tcp' protocol for http routes; valid options are: [http1, http2].",
        ),
        ([HTTP1], [], "tcp", "Cannot use 'http1' protocol for tcp routes; valid options are: [tcp]."),
        (
            [Wanted("a", "web", 8080, "http2")],
            [HTTP1],
            "http",
            (
                "Cannot add destination with protocol: http2. Destination already exists for route: h.d, app: a, "
                "process: web, and protocol: http1."
            ),
        ),
        ([HTTP1, HTTP1], [], "http", "Destinations cannot contain duplicate entries"),
        (
            [HTTP1],
            [Wanted("b", "web", 8080, "http1", 100)],
            "http",
            "Destinations cannot be inserted when there are weighted destinations already configured.",
        ),
        (
            [HTTP1],
            [Wanted(f"b{number}", "web", 8080, "http1") for number in range(100)],
            "http",
            "Routes can be mapped to at most 100 destinations.",
        ),
    ],
)
def test_against_what_is_there(new: list[Wanted], existing: list[Wanted], protocol: str, message: str | None) -> None:
    assert destinations.first_problem(new, existing, protocol, "h.d") == message
