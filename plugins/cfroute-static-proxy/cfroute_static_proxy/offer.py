"""What the broker offers: the catalog, and what a binding does to the proxy."""

import re

from cfroute_broker.osbapi import Body, Refused
from cfroute_static_proxy.policies import Policies, Policy

SERVICE = "0d7e3a52-4f0b-4f2e-8d43-1a5a1c2f6b11"
PLAN = "5c1a7f0e-6d2b-4e8a-9b7f-3e2d1c0b9a12"
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_VALUE = re.compile(r"[\x20-\x7e]*")
PARAMETERS = {
    "$schema": "http://json-schema.org/draft-06/schema#",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "deny": {"type": "array", "items": {"type": "string", "pattern": "^/"}},
        "headers": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}


class StaticProxy:
    """The service of the broker. A binding gets no route_service_url: Gorouter is to know nothing of it."""

    slow_plans: frozenset[str] = frozenset()

    def __init__(self, policies: Policies) -> None:
        self._policies = policies
        plan = {"id": PLAN, "name": "default", "description": "Policies of one proxy", "free": True}
        schemas = {"service_binding": {"create": {"parameters": PARAMETERS}}}
        self.catalog: Body = {
            "services": [
                {
                    "id": SERVICE,
                    "name": "cfroute-static-proxy",
                    "description": "Forbids paths and sets headers, in front of the load balancer",
                    "bindable": True,
                    "requires": ["route_forwarding"],
                    "tags": ["route-service"],
                    "plans": [plan | {"schemas": schemas}],
                }
            ]
        }

    def check(self, parameters: Body) -> None:
        """Raises Refused for what the schema in the catalog forbids, and for headers that could not be sent."""
        if unknown := sorted(parameters.keys() - {"deny", "headers"}):
            raise Refused(400, f"unknown parameter {unknown[0]!r}; there are deny and headers")
        deny, headers = parameters.get("deny", []), parameters.get("headers", {})
        if not isinstance(deny, list) or not all(isinstance(path, str) and path.startswith("/") for path in deny):
            raise Refused(400, "deny has to be a list of paths, each with a / at its beginning")
        if not isinstance(headers, dict) or not all(_can_be_sent(*pair) for pair in headers.items()):
            raise Refused(400, "headers has to be an object of names and values as HTTP has them")

    def bind(self, binding_id: str, asked: Body, instance: Body) -> Body:
        """The policy holds before the answer is sent. Parameters of the binding go before those of the instance."""
        given = (instance.get("parameters") or {}) | (asked.get("parameters") or {})
        route = asked["bind_resource"]["route"].lower()
        if re.search(r":\d+$", route):
            raise Refused(400, f"{route} is a TCP route, and this is a proxy for HTTP")
        self._policies.set(binding_id, Policy(route, tuple(given.get("deny", ())), dict(given.get("headers", {}))))
        return {}

    def unbind(self, binding_id: str, asked: Body) -> None:
        """Requests pass unchanged again."""
        self._policies.drop(binding_id)


def _can_be_sent(name: object, value: object) -> bool:
    return isinstance(name, str) and isinstance(value, str) and bool(_NAME.fullmatch(name) and _VALUE.fullmatch(value))
