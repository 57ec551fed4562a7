"""Query parameters. An empty filter value is a filter: `hosts=` asks for the routes without a host. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import parse_qsl, unquote

from cfroute.cloud_controller.errors import bad_query

Fields = Mapping[str, Sequence[str]]
"""Which keys of which related things can be asked for."""

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

    def fields(self, allowed: Fields) -> dict[str, list[str]]:
        """What `fields[a.b]=guid,name` asks for: by `a.b`, the keys. Raises 10005 for what cannot be asked for."""
        if "fields" in self:
            raise bad_query("Fields must be an object")
        asked = [name for name in self.names if name.startswith("fields[") and name.endswith("]")]
        wanted = {name[7:-1]: [key for key in self.values(name) if key] for name in asked}
        problems = [_field_problem(thing, keys, allowed) for thing, keys in wanted.items()]
        if found := [problem for problem in problems if problem]:
            raise bad_query(", ".join(found))
        return wanted

    def number(self, name: str, default: int, problem: str, most: int | None = None) -> int:
        """A positive whole number. Raises 10005 with `problem`."""
        if name not in self:
            return default
        text = self.get(name)
        value = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
        if value < 1 or (most is not None and value > most):
            raise bad_query(problem)
        return value

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        """A whole number between these two; the default when there is none. Raises 10005."""
        text, label = self.get(name), name.capitalize().replace("_", " ")
        digits = text.removeprefix("-")
        if not text:
            return default
        if not (digits.isascii() and digits.isdigit() and len(digits) < 20):
            raise bad_query(f"{label} is not a number")
        if not least <= int(text) <= most:
            raise bad_query(f"{label} must be between {least} and {most}")
        return int(text)

    def flag(self, name: str) -> bool:
        """A parameter that is `true` or `false`, or is not there. Raises 10005 for anything else."""
        return name in self and is_true(name, self.values(name))

    def window(self) -> tuple[int, int]:
        """Which page is asked for, and how many things are on one. Raises 10005."""
        number = self.number("page", 1, "Page must be a positive integer")
        return number, self.number("per_page", DEFAULT_PAGE, f"Per page must be between 1 and {LARGEST_PAGE}", LARGEST_PAGE)

    def order(self, allowed: Sequence[str]) -> tuple[str, bool]:
        """By what things are to be ordered, the first of `allowed` unless it is told, and whether descending. Raises 10005."""
        wanted = self.get("order_by", allowed[0])
        name = wanted[1:] if wanted.startswith(("+", "-")) else wanted
        if name not in allowed:
            raise bad_query(f"Order by can only be: {', '.join(allowed)}")
        return name, wanted.startswith("-")

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


def is_true(name: str, values: Sequence[str]) -> bool:
    """What the only value of the parameter `name` says. Raises 10005 unless it is `true` or `false`."""
    if list(values) not in (["true"], ["false"]):
        raise bad_query(f"{name.capitalize()} only accepts values 'true' or 'false'")
    return values[0] == "true"


def quoted(names: Iterable[str]) -> str:
    """`'a', 'b'`."""
    return ", ".join(f"'{name}'" for name in names)


def _with_operator(name: str, valid: list[str]) -> bool:
    """Whether it is like `created_ats[gt]` or `fields[service_plan]`."""
    stem, bracket, rest = name.partition("[")
    return bool(bracket) and rest.endswith("]") and stem in valid and stem in ("created_ats", "updated_ats", "fields")


def _field_problem(thing: str, keys: Sequence[str], allowed: Fields) -> str | None:
    if thing not in allowed:
        return f"Fields [{thing}] valid resources are: {quoted(allowed)}"
    known = allowed[thing]
    return None if set(keys) <= set(known) else f"Fields valid keys for '{thing}' are: {quoted(known)}"
