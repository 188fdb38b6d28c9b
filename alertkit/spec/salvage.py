"""Data with mistakes, read without them: one mistake must not hide the others.

What is left out is known, so that nothing is said of a key that somebody did write, only not rightly.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import count
from typing import Any, Generic, NamedTuple, TypeVar, get_origin

from pydantic import BaseModel, ValidationError

from alertkit.source import Document, Problems
from alertkit.spec.reader import MORE
from alertkit.spec.synonyms import longer, meant
from alertkit.spec.validate import Origin, field_names, nearest, real_path, report, unwrap

M = TypeVar("M", bound=BaseModel)
Path = tuple[str | int, ...]
# What is put in place of a key's value that cannot be read: the first that fits.
StandIns = Mapping[str, Sequence[object]]


class Salvage(NamedTuple, Generic[M]):
    """What could be read.

    value   the model without what has mistakes; None where it cannot do without that
    cuts    paths of what was left out
    doubts  those of the model's own keys of which it is not known what they say
    """

    value: M | None
    cuts: frozenset[Path] = frozenset()
    doubts: frozenset[str] = frozenset()

    def place(self, path: Sequence[str | int]) -> Path:
        """Where in the whole data something of `value` stands: entries of lists may have been left out before it."""
        found: Path = ()
        for part in path:
            if isinstance(part, int) and self.cuts:
                left = (index for index in count() if (*found, index) not in self.cuts)
                part = next(index for position, index in enumerate(left) if position == part)
            found = (*found, part)
        return found

    def sound(self, *path: str | int) -> bool:
        """Whether nothing at a path of the whole data, in it or around it has been left out."""
        return not any(cut[: len(path)] == path or path[: len(cut)] == cut for cut in self.cuts)


def read(
    model: type[M],
    document: Document,
    path: Sequence[str | int],
    data: Any,
    problems: Problems,
    context: dict[str, Any] | None = None,
    origin: Origin | None = None,
    stand_ins: Callable[[], StandIns] = dict,
    unread: Collection[str] = (),
) -> Salvage[M]:
    """Check `data`, which stands at `path` of `document`; its mistakes become problems, and the rest is read.

    `origin` and `unread` are those of `report`; `stand_ins` is asked only where there are mistakes.
    """
    try:
        return Salvage(model.model_validate(data, context=context))
    except ValidationError as errors:
        report(errors, model, document, path, data, problems, origin, unread)
        return _rest(model, data, errors, context, stand_ins())


def doubted(model: type[BaseModel], key: str, value: object, present: Collection[str] = ()) -> frozenset[str]:
    """The keys of a model that an unknown one may be meant to be: the nearest, or any that may hold its value.

    It cannot be meant to be one of those that are `present`.
    """
    names = field_names(model)
    absent = [name for name in names if name not in present]
    found = longer(key, absent) or nearest(key, absent) or meant(key, absent)
    if found or nearest(key, names) or meant(key, names):
        return frozenset([found] if found else [])
    fields = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
    return frozenset(name for name in absent if _may_hold(fields[name], value))


def _may_hold(annotation: Any, value: object) -> bool:
    """Whether a key of this type may hold a value at all: sections are mappings, and names are none."""
    inner = unwrap(annotation)
    section = get_origin(inner) is dict or (isinstance(inner, type) and issubclass(inner, BaseModel))
    return not section if not isinstance(value, dict) else inner not in (str, int, bool, float)


def _rest(
    model: type[M], data: Any, errors: ValidationError, context: dict[str, Any] | None, stand_ins: StandIns
) -> Salvage[M]:
    cuts: set[Path] = set()
    doubts: frozenset[str] = frozenset()
    waiting = {key: iter(values) for key, values in stand_ins.items()}
    filled: dict[str, object] = {}
    while isinstance(data, dict):
        left = {**_without(data, cuts), **filled}
        known = Salvage[M](None, frozenset(cuts))
        unread: set[str] = set()
        for error in errors.errors(include_url=False):
            new = _doubts(model, error, data)
            doubts |= new
            if len(new) == 1:
                unread |= new
            root = str(error["loc"][0]) if error["loc"] else ""
            if root in filled or (error["type"] == "missing" and len(error["loc"]) == 1):
                if root not in waiting:
                    return Salvage(None, frozenset(cuts), doubts)
                continue
            for found in _paths(error, left):
                if not found:
                    return Salvage(None, frozenset(cuts), doubts)
                cuts.add(known.place(found))
        left = _without(data, cuts)
        for key in unread & waiting.keys() - left.keys():
            fitting = next(waiting[key], None)
            if fitting is None:
                return Salvage(None, frozenset(cuts), doubts)
            filled[key] = fitting
        try:
            value = model.model_validate({**left, **filled}, context=context)
        except ValidationError as more:
            errors = more
        else:
            return Salvage(value, frozenset(cuts), doubts)
    return Salvage(None, frozenset(), frozenset(field_names(model)))


def _paths(error: Any, data: dict[str, Any]) -> Iterator[Path]:
    """What must be left out because of an error: its place, or as much around it as there is."""
    context = error.get("ctx") or {}
    for inner in (context, *(more.context or {} for more in context.get(MORE, ()))):
        path = (*real_path(error["loc"], data),)
        node: Any = data
        for part in path:
            node = node[part]
        for part in inner.get("path", ()):
            if not isinstance(node, dict) or part not in node:
                break
            path, node = (*path, part), node[part]
        yield path


def _doubts(model: type[BaseModel], error: Any, data: dict[str, Any]) -> frozenset[str]:
    if not error["loc"]:
        return frozenset(field_names(model))
    key = str(error["loc"][0])
    if error["type"] == "extra_forbidden" and len(error["loc"]) == 1:
        return doubted(model, key, error["input"], data)
    return frozenset([key])


def _without(node: Any, cuts: set[Path], here: Path = ()) -> Any:
    """The data without what is at some paths; what it holds is not changed."""
    if isinstance(node, dict):
        return {k: _without(v, cuts, (*here, k)) for k, v in node.items() if (*here, k) not in cuts}
    if isinstance(node, list):
        return [_without(v, cuts, (*here, i)) for i, v in enumerate(node) if (*here, i) not in cuts]
    return node
