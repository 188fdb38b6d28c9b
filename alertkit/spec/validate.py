"""The models of what users write, and pydantic's errors about them as located problems."""

import difflib
import inspect
import types
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Annotated, Any, ClassVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

from alertkit.source import Document, Problems
from alertkit.spec.quantity import format_number
from alertkit.spec.reader import MORE
from alertkit.spec.shown import brief
from alertkit.spec.synonyms import longer, meant


class Model(BaseModel):
    """Base of all that users write: unknown keys are errors, nothing changes after reading."""

    # Keys that are accepted only to say why they cannot be used.
    not_offered: ClassVar[tuple[str, ...]] = ()
    # Keys that are unknown here though known elsewhere: what to do with them.
    elsewhere: ClassVar[dict[str, str]] = {}

    # Built when first used: most runs need few of the models, and none of the abstract ones.
    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=False, allow_inf_nan=False, defer_build=True
    )


# How many known words a help names.
MANY = 24


# Path of a text in the document and offset in what was made of it -> offset in the document's text.
Origin = Callable[[Sequence[str | int], int], int]


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` was probably meant to be, or None."""
    words = {_folded(name): name for name in sorted(known, reverse=True)}
    close = difflib.get_close_matches(_folded(word), sorted(words), n=1, cutoff=0.66)
    return words[close[0]] if close else None


def _folded(word: str) -> str:
    """Alert names have capitals, receivers dashes; neither is what makes two words different."""
    return word.lower().replace("-", "_")


def suggest(word: str, known: Iterable[str]) -> str:
    """A sentence that offers the nearest known word, or lists the known ones when none is near."""
    words = sorted(known)
    close = nearest(word, words)
    if close:
        return f"did you mean `{close}`?"
    if not words:
        return "none is defined"
    return _listed(words)


def report(
    errors: ValidationError,
    model: type[BaseModel],
    document: Document,
    path: Sequence[str | int],
    data: Any,
    problems: Problems,
    origin: Origin | None = None,
    unread: Collection[str] = (),
) -> None:
    """Turn pydantic's errors about `data`, which stands at `path` of `document`, into problems.

    `origin` tells where in the document's text a character of `data`'s text came from, when the two differ; `unread`
    are keys that are there, though not in `data`.
    """
    from alertkit.source.recovery import UNREAD

    found = errors.errors(include_url=False)
    for error in found:
        told = error["input"] is UNREAD or (error["type"] == "missing" and error["loc"][-1] in unread)
        if not told and not _explained(error, found):
            _report(error, model, document, [*path], data, problems, origin)


def _explained(error: Any, others: list[Any]) -> bool:
    """Whether a key is only missing because it is misspelt, or a list only too short because its items are wrong."""
    if error["type"] == "too_short":
        depth = len(error["loc"])
        return any(len(o["loc"]) > depth and o["loc"][:depth] == error["loc"] for o in others)
    if error["type"] != "missing":
        return False
    place, name = error["loc"][:-1], str(error["loc"][-1])
    beside = [o["loc"] for o in others if o["type"] == "extra_forbidden" and o["loc"][:-1] == place]
    return any(nearest(str(loc[-1]), [name]) or meant(str(loc[-1]), [name]) for loc in beside)


def field_names(model: type[BaseModel]) -> list[str]:
    """The keys as users write them."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _inside(path: Sequence[str | int]) -> str:
    """` in` a key, or an entry of a list, that a path leads to."""
    if not path:
        return ""
    last = path[-1]
    if isinstance(last, str):
        return f" in `{last}`"
    key = next((part for part in reversed(path) if isinstance(part, str)), "")
    return f" in entry {last + 1}" + (f" of `{key}`" if key else "")


def _advice(key: str, owner: type[Model] | None, present: Collection[str]) -> str:
    """What to write instead of an unknown key in a mapping that `owner` describes, beside keys that are there."""
    if owner and key in owner.elsewhere:
        return owner.elsewhere[key]
    known = [name for name in _special_first(owner) if name not in owner.not_offered] if owner else []
    close = longer(key, known) or nearest(key, [name for name in known if name not in present]) or nearest(key, known)
    if close is None:
        below = [part for part in known if (model := owner and _model_at(owner, (part,))) and key in _offered(model)]
        if below:
            return f"it belongs under `{below[0]}:`"
        close = meant(key, known)
    if close:
        return f"did you mean `{close}`?"
    return _listed(known) if known else "remove it"


def _listed(words: Sequence[str]) -> str:
    return f"known here: {', '.join(words[:MANY])}{', ...' if len(words) > MANY else ''}"


def _offered(model: type[Model]) -> list[str]:
    return [name for name in field_names(model) if name not in model.not_offered]


def _special_first(model: type[BaseModel]) -> list[str]:
    """The keys of a model; its own before those that it inherits."""
    ages = {name: age for age, base in enumerate(model.__mro__) for name in inspect.get_annotations(base)}
    names = sorted(model.model_fields, key=lambda name: ages.get(name, 0))
    return [model.model_fields[name].alias or name for name in names]


def _report(
    error: Any,
    model: type[BaseModel],
    document: Document,
    base: list[str | int],
    data: Any,
    problems: Problems,
    origin: Origin | None,
) -> None:
    loc = real_path(error["loc"], data)
    path = [*base, *loc]
    kind: str = error["type"]
    context = error.get("ctx") or {}
    last = str(error["loc"][-1]) if error["loc"] else ""
    if kind == "extra_forbidden":
        owner, present = _model_at(model, loc[:-1]), data
        for part in loc[:-1]:
            present = present[part]
        problems.add("AK201", f"unknown key `{last}`", document.key(path), _advice(last, owner, present))
    elif kind == "missing":
        problems.add("AK202", f"the key `{last}` is missing{_inside(path)}", document.key(path), f"add `{last}:`")
    elif kind.startswith("AK"):
        if "part" in context:  # the mistake is in one entry of what the field's validator was given
            path = [*path, context["part"]]
        message, help = error["msg"], str(context.get("help", ""))
        path += context.get("path", ())
        if "offset" in context:
            offset = int(context["offset"])
            span = document.within(path, origin(path, offset) if origin else offset, int(context.get("length", 1)))
        else:
            span = document.key(path) if context.get("at") == "key" else document.value(path)
        problems.add(kind, message, span, help)
        for more in context.get(MORE, ()):
            further = {**error, "type": more.type, "msg": more.message(), "ctx": more.context}
            _report(further, model, document, base, data, problems, origin)
    else:
        shown = brief(error["input"])
        code, message, help = _plain(kind, context, error["msg"], shown)
        problems.add(code, message, document.value(path), help)


def _plain(kind: str, context: dict[str, Any], message: str, shown: str) -> tuple[str, str, str]:
    """Code, message and help for pydantic's own error types."""
    expected = {
        "string_type": "text", "dict_type": "a mapping", "model_type": "a mapping", "list_type": "a list",
        "tuple_type": "a list", "bool_type": "true or false", "bool_parsing": "true or false",
        "int_type": "a whole number", "int_parsing": "a whole number", "int_from_float": "a whole number",
        "float_type": "a number", "float_parsing": "a number", "model_attributes_type": "a mapping",
        "mapping_type": "a mapping",
    }.get(kind)  # fmt: skip
    if expected:
        more = " (quote it if it is meant as text)" if expected == "text" else ""
        if expected == "a list" and shown[:1] == "`" and not shown.endswith("...`"):
            more = f": `[{shown[1:-1]}]`"
        return "AK203", f"expected {expected}, found {shown}", f"write {expected} here{more}"
    if kind in ("literal_error", "enum"):
        words = str(context.get("expected", "")).replace("'", "`")
        return "AK204", f"{shown} is not one of the allowed words", f"write {words}"
    limits = {
        "greater_than": ("gt", "more than"), "greater_than_equal": ("ge", "at least"),
        "less_than": ("lt", "less than"), "less_than_equal": ("le", "at most"),
    }  # fmt: skip
    if kind in limits:
        name, words = limits[kind]
        return "AK205", f"{shown} is out of range", f"it must be {words} {format_number(float(context[name]))}"
    if kind == "finite_number":
        return "AK205", f"{shown} is not a finite number", "write a number such as 5 or 0.5"
    if kind == "too_short":
        return "AK205", "the list is empty", "give at least one item, or leave the key out"
    text = message.removeprefix("Value error, ").rstrip(".")
    return "AK203", f"{text[:1].lower()}{text[1:]}", f"found {shown}"


def real_path(loc: Sequence[str | int], data: Any) -> list[str | int]:
    """`loc` without union tags and markers that are no keys of the data; the last part may be absent there."""
    path: list[str | int] = []
    node = data
    for part in loc:
        if (isinstance(node, dict) and part in node) or (isinstance(node, list) and isinstance(part, int)):
            path.append(part)
            node = node[part]  # type: ignore[index]
    return path


def _model_at(model: type[BaseModel], path: Sequence[str | int]) -> type[Model] | None:
    """The model that describes the mapping at `path`, for offering its keys."""
    current: Any = model
    for part in path:
        if isinstance(current, type) and issubclass(current, BaseModel):
            fields = {field.alias or name: field for name, field in current.model_fields.items()}
            if part not in fields:
                return None
            current = unwrap(fields[str(part)].annotation)
        else:
            arguments = get_args(current)
            current = unwrap(arguments[-1] if get_origin(current) is dict else arguments[0]) if arguments else None
    if get_origin(current) is list:  # one entry may stand where a list of them is allowed
        current = unwrap(get_args(current)[0])
    return current if isinstance(current, type) and issubclass(current, Model) else None


def unwrap(annotation: Any) -> Any:
    """Strip Optional and Annotated; of a union, the first model in it."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        options = [unwrap(option) for option in get_args(annotation) if option is not type(None)]
        models = [o for o in options if isinstance(o, type) and issubclass(o, BaseModel)]
        return models[0] if models else options[0]
    return annotation
