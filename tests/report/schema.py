"""A JSON Schema validator for the few keywords that our schema uses; one that it does not know is an error."""

from __future__ import annotations

from typing import Any

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None), "integer": int}
NOTES = {"$schema", "title", "description", "definitions"}


def errors(value: Any, schema: dict[str, Any], root: dict[str, Any], place: str = "$") -> list[str]:
    """What does not fit, each with its place."""
    found: list[str] = []
    for keyword, rule in schema.items():
        if keyword in NOTES or (keyword == "additionalProperties" and "properties" in schema and rule is False):
            continue
        if keyword == "$ref":
            found += errors(value, root["definitions"][rule.removeprefix("#/definitions/")], root, place)
        elif keyword == "type":
            names = rule if isinstance(rule, list) else [rule]
            found += [] if any(_is(value, name) for name in names) else [f"{place} is no {rule}"]
        elif keyword == "const":
            found += [] if value == rule else [f"{place} is not {rule!r}"]
        elif keyword == "enum":
            found += [] if value in rule else [f"{place} is none of {rule}"]
        elif keyword == "minimum":
            found += [f"{place} is below {rule}"] if isinstance(value, (int, float)) and value < rule else []
        elif keyword == "anyOf":
            found += [] if any(not errors(value, one, root, place) for one in rule) else [f"{place} fits nothing"]
        elif keyword == "required":
            found += [f"{place} lacks {name}" for name in rule if name not in value]
        elif keyword == "items":
            for index, one in enumerate(value):
                found += errors(one, rule, root, f"{place}[{index}]")
        elif keyword == "properties":
            assert schema["additionalProperties"] is False
            found += [f"{place} has {name} too" for name in value if name not in rule]
            for name, one in rule.items():
                found += errors(value[name], one, root, f"{place}.{name}") if name in value else []
        else:
            raise AssertionError(f"unknown keyword {keyword}")
    return found


def _is(value: Any, name: str) -> bool:
    if name == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, TYPES[name]) and (name != "integer" or not isinstance(value, bool))
