"""Kinds in words: their reference pages, and their parameters as the model has them."""

from __future__ import annotations

import inspect
import re
import types
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from alertkit.kinds.absent import LabelSets
from alertkit.kinds.base import Kind
from alertkit.kinds.stalled import Gate
from alertkit.spec.alert import AlertSpec, Levels, Measured
from alertkit.spec.duration import Duration, format_duration
from alertkit.spec.quantity import Quantity, Unit
from alertkit.spec.selector import LabelName, Matcher, Selector

_PLAIN = {
    str: "text", int: "whole number", float: "number", bool: "true or false", Selector: "metric",
    Quantity: "quantity", Levels: "quantity, or a level each", Unit: "unit", dict: "mapping", list: "list",
}  # fmt: skip


# Types that are known by how they are read.
_NAMED = ((Duration, "duration"), (LabelName, "label"), (LabelSets, "list of label sets"), (Gate, "a comparison"))


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """One parameter: its key in specs, its type in words, its default in YAML (None: it must be given)."""

    name: str
    type: str
    default: str | None


def summary(kind: type[Kind]) -> str:
    """The first line of the reference page."""
    return page(kind).split("\n", 1)[0]


def page(kind: type[Kind]) -> str:
    """The whole reference page, without indentation."""
    return inspect.cleandoc(kind.__doc__ or "")


def parameters(kind: type[Kind]) -> list[ParameterRow]:
    """The parameters of its own, those that must be given first; the common keys and conditions are left out."""
    common = {*AlertSpec.model_fields, *(Measured.model_fields if issubclass(kind, Measured) else ())}
    rows = [
        ParameterRow(field.alias or name, type_in_words(field), _default(field, kind, field.alias or name))
        for name, field in kind.model_fields.items()
        if name not in common
    ]
    return sorted(rows, key=lambda row: row.default is not None)


def common_keys() -> list[str]:
    """The keys that every alert may have."""
    return [field.alias or name for name, field in AlertSpec.model_fields.items()]


def is_compared(kind: type[Kind]) -> bool:
    """Whether its value is compared by `above`, `below` and the rest."""
    return issubclass(kind, Measured)


def type_in_words(field: FieldInfo) -> str:
    """`duration`, `metric`, `one of max, min`, and so on."""
    annotation: Any = field.annotation
    if field.metadata:
        annotation = Annotated[annotation, *field.metadata]
    return _words(annotation)


def _words(annotation: Any) -> str:
    origin = get_origin(annotation)
    if origin is Annotated:
        for known, word in _NAMED:
            if get_args(known)[1] in get_args(annotation)[1:]:
                return word
        return _words(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_words(a) for a in get_args(annotation) if a is not type(None)))
    if origin is Literal:
        return f"one of {', '.join(map(str, get_args(annotation)))}"
    if origin in (tuple, list):
        inner = [a for a in get_args(annotation) if a is not Ellipsis]
        if inner and inner[0] is Matcher:
            return "matchers"
        if len(set(map(str, inner))) > 1:
            return "text"
        return f"list of {_plural(_words(inner[0]))}" if inner else "list"
    return _PLAIN.get(origin or annotation, "mapping")


def _plural(word: str) -> str:
    return f"{word.removesuffix('y')}ies" if word.endswith("y") else f"{word}s"


def _told_default(kind: type[Kind], name: str) -> str:
    """The default that the page tells of a parameter that none means something for; `none` without one."""
    told = re.search(rf"^ +{name}  .*\(default ([^),]+)", page(kind), re.MULTILINE)
    return told[1] if told else "none"


def _default(field: FieldInfo, kind: type[Kind], name: str) -> str | None:
    if field.is_required():
        return None
    if field.default_factory is not None:
        return "see above"
    value = field.get_default(call_default_factory=False)
    if value is None:
        return _told_default(kind, name)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and type_in_words(field) == "duration":
        return format_duration(value)
    if isinstance(value, Quantity):
        return value.text
    if type(value) is tuple:  # a selector is one, too, and has a text of its own
        return f"[{', '.join(map(str, value))}]"
    return str(value)
