"""Query parameters. An empty filter value is a filter: `hosts=` asks for the routes without a host. Pure."""

from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, unquote

from cfroute.cloud_controller.errors import bad_query

LARGEST_PAGE = 5000
DEFAULT_PAGE = 50


class Query:
    """The parameters of one request, in their order."""

    def __init__(self, text: str = "") -> None:
        self.text = text
        self._values = dict(parse_qsl(text, keep_blank_values=True))

    def __contains__(self, name: str) -> bool:
        return name in self._values

    @property
    def names(self) -> Iterable[str]:
        return self._values.keys()

    def get(self, name: str, default: str = "") -> str:
        return self._values.get(name, default)

    def values(self, name: str) -> list[str]:
        """The parts of a comma list. A part that holds a comma is URL-encoded once more."""
        return [unquote(part) if "%2c" in part.lower() else part for part in self.get(name).split(",")]

    def fields(self) -> dict[str, list[str]]:
        """What `fields[a.b]=guid,name` asks for: by `a.b`, the names."""
        return {name[7:-1]: self.values(name) for name in self.names if name.startswith("fields[") and name.endswith("]")}

    def number(self, name: str, default: int, problem: str, most: int | None = None) -> int:
        """A positive whole number. Raises 10005 with `problem`."""
        if name not in self:
            return default
        text = self.get(name)
        value = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
        if value < 1 or (most is not None and value > most):
            raise bad_query(problem)
        return value

    def refuse_unknown(self, valid: Iterable[str]) -> None:
        """Raise 10005 when there is a parameter that this request does not take."""
        valid = list(valid)
        unknown = [name for name in self.names if name not in valid and not _with_operator(name, valid)]
        if unknown:
            raise bad_query(f"Unknown query parameter(s): {quoted(unknown)}. Valid parameters are: {quoted(valid)}")

    def include(self, valid: Mapping[str, object]) -> list[str]:
        """The related things that are asked for."""
        if "include" not in self:
            return []
        wanted = self.values("include")
        unknown = [name for name in wanted if name not in valid]
        if unknown:
            raise bad_query(f"Invalid included resource: {quoted(unknown)}. Valid included resources are: {quoted(valid)}")
        return wanted


def quoted(names: Iterable[str]) -> str:
    """`'a', 'b'`."""
    return ", ".join(f"'{name}'" for name in names)


def _with_operator(name: str, valid: list[str]) -> bool:
    """Whether it is like `created_ats[gt]` or `fields[service_plan]`."""
    stem, bracket, rest = name.partition("[")
    return bool(bracket) and rest.endswith("]") and stem in valid and stem in ("created_ats", "updated_ats", "fields")
