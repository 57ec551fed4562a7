"""The options of one route, as its registrations carry them: `"options": {"loadbalancing": "hash", …}`."""

from typing import Final

import msgspec


class RouteOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator or developer chose for a route; whatever is empty was not chosen.

    `hash_balance` is how many times the average number of requests under way an instance may have (0: any number).
    `route_policy_scope` and `route_policy_sources` say which apps may call the route.
    """

    loadbalancing: str = ""
    hash_header: str = ""
    hash_balance: float = 0.0
    route_policy_scope: str = ""
    route_policy_sources: str = ""


NO_OPTIONS: Final = RouteOptions()
