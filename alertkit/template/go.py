"""Prometheus alert templates: what is wrong in one, what it reads, and the text it gives.

Offsets and lengths are characters of the template's text. A text whose syntax is wrong reads nothing and expands
to None. Source: prometheus/template/template.go (2.42, 2.53, 3.5) and Go's text/template.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from alertkit.template.errors import TemplateError
from alertkit.template.gofmt import NotModelledError
from alertkit.template.literal import origin
from alertkit.template.run import Part, compile_parts
from alertkit.template.static import Analysis, LabelReference, Query, analyse

__all__ = [
    "LabelReference",
    "actions",
    "analysed",
    "check",
    "expand",
    "label_references",
    "place_in_query",
    "queries",
    "shows_raw_value",
    "uses_value",
]


def check(text: str) -> list[TemplateError]:
    """All mistakes that can be seen without running the template, by offset; of the syntax of an action the first."""
    return list(analysed(text)[0].errors) if "{{" in text else []


def label_references(text: str) -> list[LabelReference]:
    """Every place that reads one label of the alert: `$labels.x`, `.Labels.x`, `index $labels "x"`."""
    if "{{" not in text:
        return []
    found, shift = analysed(text)
    return [LabelReference(label.name, label.offset + shift, label.length) for label in found.labels]


def queries(text: str) -> list[Query]:
    """PromQL that stands in the template as the string of `query`, each once."""
    if "query" not in text or "{{" not in text:
        return []
    found, shift = analysed(text)
    return list(dict.fromkeys(Query(query.text, query.offset + shift, query.length) for query in found.queries))


def place_in_query(text: str, query: Query, offset: int, length: int) -> tuple[int, int]:
    """The offset and length in the template's text of a part of a query's own text."""
    written = text[query.offset : query.offset + query.length]
    begin = origin(written, offset)
    return query.offset + begin, max(origin(written, offset + length) - begin, 1)


def uses_value(text: str) -> bool:
    """Whether the template reads `$value` or `.Value`, in the output or in a condition."""
    return "{{" in text and analysed(text)[0].uses_value


def shows_raw_value(text: str) -> bool:
    """Whether the value may get into the output unrounded, so that the noise of float arithmetic would show.

    The humanize functions and `printf` with a limited precision round; comparisons show nothing of the value.
    """
    return "{{" in text and analysed(text)[0].raw


def expand(text: str, labels: Mapping[str, str], value: float) -> str | None:
    """The exact text that Prometheus gives for an alert with these labels and this value.

    `labels` are those of the expression's result (`__name__` too where it is kept), not the rule's own.
    None when the text uses what is not modelled (`query`, external labels, Unicode case mapping, rare verbs of
    printf, regular expressions beyond plain ones) and when Prometheus would fail on it.
    """
    if "{{" not in text:
        return text
    before, core, after = _split(text)
    shown = _shown(core, tuple(labels.items()), value)
    return None if shown is None else before + shown + after


_NOT_MODELLED = (NotModelledError, re.error, ValueError, TypeError, ArithmeticError, LookupError, RecursionError)


@lru_cache(maxsize=8192)
def _shown(core: str, labels: tuple[tuple[str, str], ...], value: float) -> str | None:
    """What the actions give: alerts whose prose differs often show the same value in the same way."""
    parts = _compiled(core)
    if parts is None:
        return None
    known = dict(labels)
    try:
        return "".join([part if part.__class__ is str else part(known, value) for part in parts])  # type: ignore[operator]
    except _NOT_MODELLED:
        return None


@lru_cache(maxsize=1024)
def _split(text: str) -> tuple[str, str, str]:
    """The prose before the first action, the actions with what is between them, and the prose behind the last.

    Prose differs from alert to alert while actions repeat, so only they are parsed, once for all texts. Where an
    action trims the prose beside it, the text stays whole.
    """
    start, last = text.index("{{"), text.rfind("}}")
    end = last + 2
    if last < start or text.startswith("{{-", start) or text.endswith("-}}", 0, end) or "{{" in text[end:]:
        return "", text, ""
    return text[:start], text[start:end], text[end:]


def actions(text: str) -> str:
    """The actions of a text with what is between them: all that decides what it reads, and how that is shown."""
    return _split(text)[1] if "{{" in text else ""


def analysed(text: str) -> tuple[Analysis, int]:
    """All that is known of a text with actions, and by how much the offsets of labels and queries are to be shifted."""
    before, core, _ = _split(text)
    found = analyse(core)
    if found.errors and core != text:  # an action that is never closed may reach into the prose behind
        return analyse(text), 0
    return found, len(before)


@lru_cache(maxsize=4096)
def _compiled(text: str) -> list[Part] | None:
    found = analyse(text)
    return None if found.errors or found.nodes is None else compile_parts(found.nodes)
