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
from alertkit.template.run import Part, compile_parts
from alertkit.template.static import LabelReference, analyse

__all__ = ["LabelReference", "check", "expand", "label_references", "shows_raw_value", "uses_value"]


def check(text: str) -> list[TemplateError]:
    """All mistakes that can be seen without running the template, by offset; of syntax only the first."""
    return list(analyse(text).errors) if "{{" in text else []


def label_references(text: str) -> list[LabelReference]:
    """Every place that reads one label of the alert: `$labels.x`, `.Labels.x`, `index $labels "x"`."""
    return list(analyse(text).labels) if "{{" in text else []


def uses_value(text: str) -> bool:
    """Whether the template reads `$value` or `.Value`, in the output or in a condition."""
    return "{{" in text and analyse(text).uses_value


def shows_raw_value(text: str) -> bool:
    """Whether the value may get into the output unrounded, so that the noise of float arithmetic would show.

    The humanize functions and `printf` with a limited precision round; comparisons show nothing of the value.
    """
    return "{{" in text and analyse(text).raw


def expand(text: str, labels: Mapping[str, str], value: float) -> str | None:
    """The exact text that Prometheus gives for an alert with these labels and this value.

    `labels` are those of the expression's result (`__name__` too where it is kept), not the rule's own.
    None when the text uses what is not modelled (`query`, external labels, Unicode case mapping, rare verbs of
    printf, regular expressions beyond plain ones) and when Prometheus would fail on it.
    """
    if "{{" not in text:
        return text
    parts = _compiled(text)
    if parts is None:
        return None
    try:
        return "".join([part if part.__class__ is str else part(labels, value) for part in parts])  # type: ignore[operator]
    except _NOT_MODELLED:
        return None


_NOT_MODELLED = (NotModelledError, re.error, ValueError, TypeError, ArithmeticError, LookupError, RecursionError)


@lru_cache(maxsize=4096)
def _compiled(text: str) -> list[Part] | None:
    found = analyse(text)
    return None if found.errors or found.nodes is None else compile_parts(found.nodes)
