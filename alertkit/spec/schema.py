"""JSON Schema (draft 7) of what users write, made from the pydantic models: for editors and for checks elsewhere.

A schema says less than the models do: that a threshold is missing, that a unit fits or that two keys contradict each
other is the compiler's to say. What it does say is never stricter than the compiler.
Source: JSON Schema draft 7, the newest that yaml-language-server knows in full.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator
from pydantic.fields import FieldInfo

from alertkit.spec import alert, calendars, duration, matchers, project, receivers, routing, selector
from alertkit.spec.quantity import NAMED_UNITS, PER, QUANTITY_UNITS
from alertkit.spec.selector import LABEL_NAME, Selector

Schema = dict[str, Any]

DRAFT = "http://json-schema.org/draft-07/schema#"
# What the compiler puts in before a value is read.
VARIABLE: Schema = {"type": "string", "pattern": "<<"}

_DURATION = r"(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?"
_UNITS = "|".join(sorted(QUANTITY_UNITS, key=len, reverse=True))
_NUMBER = r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?"
_QUANTITY = rf"^\s*({_NUMBER}\s*({_UNITS})?(/({'|'.join(PER)}))?|-?(?=\d){_DURATION})\s*$|<<"

DURATION: Schema = {"type": ["string", "integer"], "pattern": rf"^(0|(?=\d){_DURATION})$|<<", "maximum": 0}
QUANTITY: Schema = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": _QUANTITY}]}
LABEL: Schema = {"type": "string", "pattern": f"^{LABEL_NAME.pattern.removesuffix(chr(92) + 'Z')}$|<<"}
TEXT: Schema = {"type": ["string", "integer"]}
TEXTS: Schema = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
_MATCHED: Schema = {"anyOf": [TEXT, {"type": "array", "items": TEXT}]}
MATCHERS: Schema = {"anyOf": [{"type": "string"}, {"type": "array"}, {"type": "object"}]}
LEVELS: Schema = {"anyOf": [QUANTITY, {"type": "object", "additionalProperties": QUANTITY, "minProperties": 1}]}


def validator(annotated: Any) -> object:
    """What reads a field of such a type: by it the type is known again."""
    return next(part for part in get_args(annotated)[1:] if isinstance(part, BeforeValidator))


# How a field is written, by what reads it.
READ_BY: Mapping[object, Schema] = {
    validator(duration.Duration): DURATION,
    validator(alert.Text): TEXT,
    validator(alert.Names): TEXTS,
    validator(alert.SpecFile.model_fields["alerts"].rebuild_annotation()): {"type": "object"},
    validator(alert.Explanations): {
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": ["string", "object"]}}, {"type": "object"}]
    },
    validator(alert.QuantityField): QUANTITY,
    validator(alert.LevelsField): LEVELS,
    validator(alert.BandField): {"type": "array", "items": QUANTITY, "minItems": 2, "maxItems": 2},
    validator(alert.UnitField): {"enum": list(NAMED_UNITS)},
    validator(selector.Metric): {"type": "string", "pattern": "^[a-zA-Z_:]|<<|^{"},
    validator(selector.Where): {
        "anyOf": [{"type": "string"}, {"type": "object", "additionalProperties": _MATCHED}]
    },
    validator(selector.LabelName): LABEL,
    validator(matchers.Matchers): MATCHERS,
    validator(routing.Words): TEXTS,
    validator(receivers.Inline): {"type": "string"},
    validator(receivers.SecretFile): {"type": "string"},
    validator(receivers.Channel): {"type": "string", "pattern": r"^[#@]\S|^[CGDU][A-Z0-9]{7,}$|\{\{"},
    validator(project.ProjectFile.model_fields["alertmanager_version"].rebuild_annotation()): {
        "type": "string", "pattern": r"^\d+\.\d+$",
    },
    **{validator(routing.Inhibition.model_fields[name].rebuild_annotation()): MATCHERS for name in ("when", "mutes")},
    **{
        validator(calendars.Calendar.model_fields[name].rebuild_annotation()): _MATCHED
        for name in ("weekdays", "times", "days_of_month", "months")
    },
}  # fmt: skip

_PLAIN: Mapping[object, Schema] = {
    str: {"type": "string"}, int: {"type": "integer"}, float: {"type": "number"}, bool: {"type": "boolean"},
    Any: {}, Selector: {"type": "string"},
}  # fmt: skip
_BOUNDS = (("ge", "minimum"), ("le", "maximum"), ("gt", "exclusiveMinimum"), ("lt", "exclusiveMaximum"))


class Schemas:
    """Makes schemas of models; what they refer to is collected in `definitions`."""

    def __init__(self, read_by: Mapping[object, Schema] | None = None) -> None:
        self.definitions: dict[str, Schema] = {}
        self._read_by = {**READ_BY, **(read_by or {})}

    def root(self, schema: Schema, title: str) -> Schema:
        """A whole schema, with all that it refers to."""
        return {"$schema": DRAFT, "title": title, **schema, "definitions": dict(sorted(self.definitions.items()))}

    def model(self, model: type[BaseModel], name: str | None = None) -> Schema:
        """A reference to the schema of a model."""
        name = name or model.__name__
        if name not in self.definitions:
            self.definitions[name] = {}  # a model may hold itself
            self.definitions[name] = self.fields(model)
        return {"$ref": f"#/definitions/{name}"}

    def fields(self, model: type[BaseModel]) -> Schema:
        """The schema of a model as it stands."""
        required = [field.alias or name for name, field in model.model_fields.items() if field.is_required()]
        summary = (model.__dict__.get("__doc__") or "").strip().split("\n", 1)[0]
        return {
            **({"description": summary} if summary else {}), "type": "object", "additionalProperties": False,
            "properties": {field.alias or name: self.field(field) for name, field in model.model_fields.items()},
            **({"required": required} if required else {}),
        }  # fmt: skip

    def field(self, field: FieldInfo) -> Schema:
        """The schema of one field."""
        return self._of(field.annotation, tuple(field.metadata))

    def _of(self, annotation: Any, metadata: tuple[Any, ...] = ()) -> Schema:
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            return self._of(arguments[0], (*arguments[1:], *metadata))
        reader = next((part for part in metadata if isinstance(part, BeforeValidator)), None)
        if reader is not None and reader in self._read_by:
            return self._read_by[reader]
        schema = self._plain(annotation, origin, arguments)
        for part in metadata:
            bounds = {word: getattr(part, name) for name, word in _BOUNDS if getattr(part, name, None) is not None}
            least = getattr(part, "min_length", None)
            schema = {**schema, **bounds, **({"minItems": least} if least and schema.get("type") == "array" else {})}
        # Whatever else reads a field turns one item into a list of it.
        if reader is not None:
            if schema.get("type") != "array":
                raise TypeError(f"nothing is known of how {annotation} is written")
            return {"anyOf": [schema, schema["items"]]}
        return schema

    def _plain(self, annotation: Any, origin: Any, arguments: tuple[Any, ...]) -> Schema:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return self.model(annotation)
        if origin in (Union, types.UnionType):
            some = [self._of(argument) for argument in arguments if argument is not type(None)]
            return some[0] if len(some) == 1 else {"anyOf": some}
        if origin is Literal:
            return {"enum": list(arguments)}
        if origin is dict:
            return {"type": "object", "additionalProperties": self._of(arguments[1])}
        if origin in (list, tuple):
            fixed = origin is tuple and Ellipsis not in arguments
            items = [self._of(argument) for argument in arguments if argument is not Ellipsis]
            return {"type": "array", "items": items if fixed else items[0]}
        return _PLAIN[annotation]


def routing_schema() -> Schema:
    """The schema of one file of `alertmanager/`."""
    schemas = Schemas()
    top = schemas.fields(routing.RoutingFile)
    schemas.definitions["Calendar"]["properties"]["exchange"] = {"enum": list(calendars.EXCHANGES)}
    return schemas.root(top, "alertkit: routing")


def project_schema() -> Schema:
    """The schema of `alertkit.yaml`."""
    schemas = Schemas()
    return schemas.root(schemas.fields(project.ProjectFile), "alertkit: project")
