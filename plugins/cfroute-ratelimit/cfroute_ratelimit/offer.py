"""What the broker offers: the catalog, the parameters, and the URL that a binding gets.

The URL says all that the service has to know, so that a service that was started anew, or runs in several instances, limits
as before: https://HOST/limits/LIMIT/BY/BINDING.
"""

from dataclasses import dataclass
from typing import Any

from cfroute_broker.osbapi import Body, Refused
from cfroute_ratelimit.buckets import HIGHEST

SERVICE = "3b1f5d4e-9a53-4f53-8b53-6d9b8f7e2a01"
DEFAULT, SLOW = "7a0c3c52-2a6e-4a1c-9a55-0b7f2b7c7d02", "c6a1d1f0-54c0-4b35-8d7b-2f2b5f0f9e03"
WAYS = ("peer", "forwarded-for")
PARAMETERS = {
    "$schema": "http://json-schema.org/draft-06/schema#",
    "type": "object",
    "additionalProperties": False,
    "properties": {"limit": {"type": "integer", "minimum": 1, "maximum": HIGHEST}, "by": {"enum": list(WAYS)}},
}


@dataclass(frozen=True)
class Limit:
    """`rate` requests a second for each client; `by` says who is one: the TCP peer, or who X-Forwarded-For begins with."""

    rate: int
    by: str

    def path(self, binding_id: str) -> str:
        """Of the URL for a binding."""
        return f"/limits/{self.rate}/{self.by}/{binding_id}"

    @classmethod
    def of_path(cls, path: str) -> "Limit | None":
        """What a URL's path says; None for one that no binding got."""
        match path.partition("?")[0].split("/"):
            case ["", "limits", rate, by, _] if rate.isascii() and rate.isdigit() and len(rate) < 5 and by in WAYS:
                return cls(int(rate), by) if 1 <= int(rate) <= HIGHEST else None
        return None

    def changed(self, parameters: Body) -> "Limit":
        """With what somebody gave by -c."""
        return Limit(parameters.get("limit", self.rate), parameters.get("by", self.by))


class RateLimits:
    """The service of the broker. `url` is where Gorouter finds the route service; `default` holds where nothing is given."""

    slow_plans = frozenset({SLOW})

    def __init__(self, url: str, default: Limit) -> None:
        self._url, self._default = url.rstrip("/"), default
        self.catalog: Body = {"services": [_offering()]}

    def check(self, parameters: Body) -> None:
        """Raises Refused for what the schema in the catalog forbids."""
        if unknown := sorted(parameters.keys() - {"limit", "by"}):
            raise Refused(400, f"unknown parameter {unknown[0]!r}; there are limit and by")
        limit: Any = parameters.get("limit", 1)
        if type(limit) is not int or not 1 <= limit <= HIGHEST:
            raise Refused(400, f"limit has to be a whole number from 1 to {HIGHEST}")
        if parameters.get("by", WAYS[0]) not in WAYS:
            raise Refused(400, f"by has to be one of: {', '.join(WAYS)}")

    def bind(self, binding_id: str, asked: Body, instance: Body) -> Body:
        """A binding's own parameters go before those of its instance."""
        limit = self._default.changed(instance.get("parameters") or {}).changed(asked.get("parameters") or {})
        return {"route_service_url": self._url + limit.path(binding_id)}

    def unbind(self, binding_id: str, asked: Body) -> None:
        """Nothing was kept."""


def _offering() -> Body:
    schemas = {
        "service_instance": {"create": {"parameters": PARAMETERS}, "update": {"parameters": PARAMETERS}},
        "service_binding": {"create": {"parameters": PARAMETERS}},
    }
    plan = {"free": True, "schemas": schemas}
    return {
        "id": SERVICE,
        "name": "cfroute-ratelimit",
        "description": "Limits how often each client may ask",
        "bindable": True,
        "plan_updateable": True,
        "requires": ["route_forwarding"],
        "tags": ["route-service"],
        "plans": [
            plan | {"id": DEFAULT, "name": "default", "description": "There at once"},
            plan | {"id": SLOW, "name": "slow", "description": "Takes its time: the operations are asynchronous"},
        ],
    }
