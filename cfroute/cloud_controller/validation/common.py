"""What the bodies of many requests have in common. Each function returns the messages, in upstream's words and order."""

from collections.abc import Iterable, Mapping
from typing import Any


def unknown_fields(body: Mapping[str, Any], allowed: Iterable[str]) -> list[str]:
    unknown = [name for name in body if name not in set(allowed)]
    return ["Unknown field(s): '" + "', '".join(unknown) + "'"] if unknown else []


def name(body: Mapping[str, Any], field: str = "name", longest: int = 255, *, required: bool = True) -> list[str]:
    """A name that has to be there, to be text, and to be neither empty nor too long."""
    label = field.capitalize()
    if field not in body and not required:
        return []
    value = body.get(field)
    if value is None or value == "":
        return [f"{label} can't be blank"]
    if not isinstance(value, str):
        return [f"{label} must be a string"]
    if len(value) > longest:
        return [f"{label} is too long (maximum is {longest} characters)"]
    return []


def whole_number(body: Mapping[str, Any], field: str, label: str, least: int, most: int = 2_147_483_647) -> list[str]:
    """A number that may be missing or null."""
    value = body.get(field)
    if value is None:
        return []
    if isinstance(value, bool) or not isinstance(value, int | float):
        return [f"{label} is not a number"]
    # Not even 2.0: what takes it over, and Diego after that, reads whole numbers alone.
    if isinstance(value, float):
        return [f"{label} must be an integer"]
    if value < least:
        # Upstream says "greater than 0" where it means at least one.
        return [f"{label} must be greater than 0" if least == 1 else f"{label} must be greater than or equal to {least}"]
    if value > most:
        return [f"{label} must be less than or equal to {most}"]
    return []


def to_one(value: object, field: str) -> list[str]:
    """One relationship: `{"data": {"guid": "…"}}`, or `{"data": null}`."""
    if isinstance(value, dict) and list(value) == ["data"]:
        data = value["data"]
        if data is None:
            return []
        if isinstance(data, dict) and list(data) == ["guid"]:
            good = isinstance(data["guid"], str) and 1 <= len(data["guid"]) <= 200
            return [] if good else [f"{_label(field)} guid must be between 1 and 200 characters"]
    return [f'{_label(field)} must be structured like this: "{field}: {{"data": {{"guid": "valid-guid"}}}}"']


def is_to_many(value: object) -> bool:
    """Whether this is `{"data": [{"guid": "…"}, …]}`."""
    data = value.get("data") if isinstance(value, dict) else None
    return isinstance(data, list) and all(
        isinstance(item, dict) and list(item) == ["guid"] and isinstance(item["guid"], str) for item in data
    )


def to_many(value: object, field: str) -> list[str]:
    """A relationship to several: `{"data": [{"guid": "…"}, …]}`."""
    if is_to_many(value):
        return []
    example = '{"data": [{"guid": "valid-guid"},{"guid": "valid-guid"}]}'
    return [f'{_label(field)} must be structured like this: "{field}: {example}"']


def data_problems(body: Mapping[str, Any]) -> list[str]:
    """What is wrong with a body that is itself a relationship to several."""
    return [] if is_to_many(body) else ['Data must be an array of objects like this: {"guid": "valid-guid"}']


def relationships(
    body: Mapping[str, Any], required: Iterable[str], optional: Iterable[str] = (), many: Iterable[str] = ()
) -> list[str]:
    """The `relationships` of a body that cannot do without them. many: those to several, which may be missing."""
    value = body.get("relationships")
    if not isinstance(value, dict):
        blank = [] if value else ["Relationships can't be blank"]
        return [*blank, "Relationships 'relationships' is not an object"]
    blank = [] if value else ["Relationships can't be blank"]
    inner = unknown_fields(value, [*required, *optional, *many])
    for field in required:
        if not value.get(field):
            inner.append(f"{_label(field)} can't be blank")
        inner += to_one(value.get(field), field)
    for field in optional:
        if value.get(field) is not None:
            inner += to_one(value[field], field)
    for field in many:
        if value.get(field) is not None:
            inner += to_many(value[field], field)
    return blank + [f"Relationships {problem}" for problem in inner]


def related(body: Mapping[str, Any], field: str) -> str | None:
    """The guid that a relationship names."""
    value: Any = body.get("relationships")
    for key in (field, "data", "guid"):
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else None


def related_many(body: Mapping[str, Any], field: str) -> list[str]:
    """The guids that a good relationship to several names, each once."""
    value = (body.get("relationships") or {}).get(field) or {"data": []}
    return list(dict.fromkeys(each["guid"] for each in value["data"]))


def _label(field: str) -> str:
    return field.capitalize().replace("_", " ")
