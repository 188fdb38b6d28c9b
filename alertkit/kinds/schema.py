"""The JSON Schema of spec files, for the kinds that a project has."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from alertkit.kinds import describe
from alertkit.kinds.absent import LabelSets
from alertkit.kinds.base import Kind
from alertkit.kinds.latency import Quantile
from alertkit.kinds.plugins import PluginError
from alertkit.kinds.registry import Registry
from alertkit.kinds.stalled import Gate
from alertkit.spec.alert import CONDITIONS, SpecFile
from alertkit.spec.schema import LABEL, QUANTITY, TEXT, VARIABLE, Schema, Schemas, validator

ALERT_NAME = "^[a-zA-Z_][a-zA-Z0-9_:-]*$"
SYSTEM_NAME = "^[a-zA-Z_][a-zA-Z0-9_-]*$"

_SET: Schema = {"type": "object", "additionalProperties": TEXT, "minProperties": 1}
_READ_BY: dict[object, Schema] = {
    validator(LabelSets): {"anyOf": [_SET, {"type": "array", "items": _SET, "minItems": 1}]},
    validator(Gate): {"type": "string", "pattern": "[=<>]"},
    validator(Quantile): {"type": ["number", "string"], "exclusiveMinimum": 0, "exclusiveMaximum": 1},
}  # fmt: skip
_COMMON = {
    "kind": "what it watches for", "for": "how long the condition must hold before it fires",
    "keep_firing_for": "how long it goes on firing after the condition ended",
    "severity": "where the condition gives no levels",
    "by": "the identity: one alert for each combination of these labels",
    "where": "further matchers on every metric", "summary": "one line for people, a Go template",
    "description": "more for people, a Go template", "runbook": "a link", "dashboard": "a link",
    "active": "a calendar of the routing file: outside it nobody is told",
    "mute": "a calendar of the routing file: inside it nobody is told",
    "notify": "receivers that are told beside those of the routes",
    "unless": "alerts of this system that explain this one away",
    "missing": "`alert`: a companion fires when the data is gone",
    "for_each": "copies of the alert, one for each value", "enabled": "false leaves it out",
    "tests": "`off`: no cases are derived", "unit": "of the value, where the metric's name tells none",
    "clear": "hysteresis: once firing, this value ends it",
}  # fmt: skip


def spec_schema(registry: Registry, severities: Iterable[str]) -> Schema:
    """The schema of one file of `rules_src/`."""
    schemas = Schemas(_READ_BY)
    grades: Schema = {"enum": list(severities)}
    names, rules = [], []
    for name in registry:
        try:
            model = registry[name]
        except PluginError:  # it cannot be compiled either
            continue
        names.append(name)
        schemas.definitions[f"kind {name}"] = _kind(name, model, schemas, grades)
        given = {"properties": {"kind": {"const": name}}, "required": ["kind"]}
        rules.append({"if": given, "then": {"$ref": f"#/definitions/kind {name}"}})
    top = schemas.fields(SpecFile)
    defaults = schemas.definitions["Defaults"]["properties"]
    for key in ("kind", "for_each", "unless"):
        del defaults[key]
    defaults["severity"] = grades
    schemas.definitions["alert"] = {
        "type": "object", "required": ["kind"], "properties": {"kind": {"enum": names}}, "allOf": rules,
    }  # fmt: skip
    top["properties"]["system"] = {"type": "string", "pattern": SYSTEM_NAME}
    top["properties"]["alerts"] = {
        "type": "object", "propertyNames": {"pattern": ALERT_NAME},
        "additionalProperties": {"$ref": "#/definitions/alert"},
    }  # fmt: skip
    return schemas.root(top, "alertkit: alerts of one system")


def _kind(name: str, model: type[Kind], schemas: Schemas, grades: Schema) -> Schema:
    schema = schemas.fields(model)
    schema["description"] = describe.summary(model)
    told = {**_COMMON, **_parameters(describe.page(model))}
    properties: dict[str, Any] = schema["properties"]
    for key, of in properties.items():
        properties[key] = _told(of if key in ("kind", "for_each") else {"anyOf": [of, VARIABLE]}, told.get(key))
    properties["kind"] = {"const": name}
    properties["severity"] = _told(grades, told["severity"])
    properties["for_each"] = {
        "type": "object", "minProperties": 1, "propertyNames": LABEL,
        "additionalProperties": {"type": "array", "minItems": 1, "items": TEXT},
    }  # fmt: skip
    if describe.is_compared(model):
        for key in CONDITIONS:
            levels = {"type": "object", "minProperties": 1, "propertyNames": grades, "additionalProperties": QUANTITY}
            properties[key] = {"anyOf": [QUANTITY, levels]}
    return schema


def _told(schema: Schema, text: str | None) -> Schema:
    return {**schema, "description": text} if text else schema


def _parameters(page: str) -> dict[str, str]:
    """What a reference page says of each parameter."""
    section = re.search(r"^Parameters\n((?:  .*\n)+)", page + "\n", re.MULTILINE)
    told: dict[str, str] = {}
    last = ""
    for row in (section[1] if section else "").splitlines():
        found = re.match(r"  (\w[\w, ]*?)  +(\S.*)", row)
        if found is not None:
            last = found[1]
            told |= dict.fromkeys(last.split(", "), found[2])
        elif last:
            told |= {key: f"{told[key]} {row.strip()}" for key in last.split(", ")}
    return told
