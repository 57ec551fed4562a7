"""A few words to write JSON schemas with (draft 2020-12, as OpenAPI 3.1 has them). Pure."""

from typing import Any, Final

Schema = dict[str, Any]


def text(longest: int | None = None, shortest: int = 0, **more: Any) -> Schema:
    """A string of so many characters; more: `pattern`, `format` …"""
    limits = {"minLength": shortest or None, "maxLength": longest}
    return {"type": "string", **{key: value for key, value in limits.items() if value is not None}, **more}


def whole(least: int | None = None, most: int | None = None) -> Schema:
    """A whole number between these two."""
    limits = {"minimum": least, "maximum": most}
    return {"type": "integer", **{key: value for key, value in limits.items() if value is not None}}


def one_of(*values: str) -> Schema:
    """One of these words."""
    return {"type": "string", "enum": list(values)}


def many(items: Schema, least: int = 0, most: int | None = None) -> Schema:
    """A list of so many of these."""
    return {"type": "array", "items": items} | ({"minItems": least} if least else {}) | ({"maxItems": most} if most else {})


def by_name(values: Schema) -> Schema:
    """An object with any keys, each with such a value."""
    return {"type": "object", "additionalProperties": values}


def either(*schemas: Schema) -> Schema:
    """Anything that is one of these."""
    return {"anyOf": list(schemas)}


def nullable(schema: Schema) -> Schema:
    """The same, or null."""
    if isinstance(schema.get("type"), str) and "enum" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return either(schema, {"type": "null"})


def ref(name: str) -> Schema:
    """What is described under this name in `components`."""
    return {"$ref": f"#/components/schemas/{name}"}


def closed(required: dict[str, Schema], **optional: Schema) -> Schema:
    """An object with these fields and no others, as requests have to be."""
    return opened(required, **optional) | {"additionalProperties": False}


def opened(required: dict[str, Schema], **optional: Schema) -> Schema:
    """An object with at least these fields: answers get more of them in time."""
    schema: Schema = {"type": "object", "properties": {**required, **optional}}
    return schema | ({"required": list(required)} if required else {})


ANYTHING: Final[Schema] = {}
BOOLEAN: Final[Schema] = {"type": "boolean"}
OBJECT: Final[Schema] = {"type": "object"}
TEXT: Final[Schema] = text()
MOMENT: Final[Schema] = text(format="date-time")
