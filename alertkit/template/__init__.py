"""Templates in summaries, descriptions, labels and annotations: Prometheus's own `{{ }}` and the compiler's `<< >>`."""

from alertkit.template.errors import TemplateError
from alertkit.template.go import LabelReference, check, expand, label_references, shows_raw_value, uses_value
from alertkit.template.own import Placed, mentions, render, render_placed

__all__ = [
    "LabelReference",
    "Placed",
    "TemplateError",
    "check",
    "expand",
    "label_references",
    "mentions",
    "render",
    "render_placed",
    "shows_raw_value",
    "uses_value",
]
