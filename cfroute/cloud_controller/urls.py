"""Links. They are absolute, and lead back by the way the request came."""

from collections.abc import Mapping


class Urls:
    """Makes the links of one answer."""

    def __init__(self, base: str) -> None:
        self.base = base.rstrip("/")

    @classmethod
    def of_request(cls, headers: Mapping[str, str], default: str) -> "Urls":
        """From the Host that the client asked for, behind whatever proxies; `default` when there is none."""
        host = headers.get("host", "")
        if not host:
            return cls(default)
        scheme = headers.get("x-forwarded-proto", "http").split(",")[0].strip()
        return cls(f"{'https' if scheme == 'https' else 'http'}://{host}")

    def v3(self, path: str) -> str:
        return f"{self.base}/v3{path}"

    def link(self, path: str, method: str | None = None) -> dict[str, str]:
        """`{"href": …}` of a path below /v3."""
        href = f"{self.base}/v3{path}"
        return {"href": href, "method": method} if method else {"href": href}
