"""Wrong answers to a bind, on purpose: what a platform does with them can be tried with `--fail`."""

import json
import time
from urllib.parse import urlsplit

from cfroute_broker.osbapi import Answer, Request
from cfroute_broker.serving import Handler

WAYS = {
    "http-url": "the route service's URL has the wrong scheme",
    "500": "an internal error",
    "timeout": "the answer comes after --delay",
    "malformed": "201 with something that is no JSON",
    "async": "202, though bindings cannot be asked for",
}


def is_bind(request: Request) -> bool:
    """Whether the request makes a binding."""
    return request.method == "PUT" and "/service_bindings/" in request.path


def answer_wrongly(way: str, handler: Handler, answer: Answer, delay: float) -> None:
    """Answer, but for an error, in one of WAYS."""
    if answer.status >= 300:
        return handler.answer_json(answer)
    if way == "http-url":
        url = urlsplit(answer.body["route_service_url"])._replace(scheme="http").geturl()
        return handler.answer_json(Answer(answer.status, {"route_service_url": url}))
    if way == "500":
        return handler.answer_json(Answer(500, {"description": "This broker was told to fail."}))
    if way == "malformed":
        return handler.answer(201, json.dumps(answer.body)[:-1].encode(), "application/json")
    if way == "async":
        return handler.answer_json(Answer(202, {"operation": "bind"}))
    time.sleep(delay)
    return handler.answer_json(answer)
