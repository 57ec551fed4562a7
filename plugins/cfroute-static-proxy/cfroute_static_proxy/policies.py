"""Which policy holds for a request: routes as in Cloud Foundry, a host and perhaps a path."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Policy:
    """What is done to the requests of a route.

    Paths that begin with one of `deny` get 403; `headers` are set in the request. Every answer gets MARK with the route.
    """

    route: str
    deny: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)

    def denies(self, path: str) -> bool:
        """Whether the path, or one above it, is forbidden."""
        return any(_under(path, forbidden) for forbidden in self.deny)


MARK = "X-Static-Proxy"


class Policies:
    """All policies, by the binding that each belongs to. A route has at most one binding, for the platform sees to that."""

    def __init__(self) -> None:
        self._of_binding: dict[str, Policy] = {}

    def set(self, binding: str, policy: Policy) -> None:
        """Have a policy from now on."""
        self._of_binding = self._of_binding | {binding: policy}

    def drop(self, binding: str) -> None:
        """Have it no more."""
        self._of_binding = {name: policy for name, policy in self._of_binding.items() if name != binding}

    def all(self) -> list[Policy]:
        """By route."""
        return sorted(self._of_binding.values(), key=lambda policy: policy.route)

    def find(self, host: str, path: str) -> Policy | None:
        """The policy for a request: the host's, with the longest path that the request's path is under."""
        name = host.lower().partition(":")[0]
        fitting = [policy for policy in self._of_binding.values() if _fits(policy.route, name, path)]
        return max(fitting, key=lambda policy: len(policy.route), default=None)


def _fits(route: str, host: str, path: str) -> bool:
    own, slash, below = route.partition("/")
    return own == host and (not slash or _under(path, slash + below))


def _under(path: str, prefix: str) -> bool:
    # Whole segments: /admin is above /admin/x, not above /administrators.
    shorter = prefix.rstrip("/")
    plain = path.partition("?")[0]
    return plain == shorter or plain.startswith(f"{shorter}/")
