"""Templates in summaries, descriptions, labels and annotations: Prometheus's own `{{ }}` and the compiler's `<< >>`."""

from alertkit.template.errors import TemplateError
from alertkit.template.go import LabelReference, check, expand, label_references, shows_raw_value, uses_value

__all__ = ["LabelReference", "TemplateError", "check", "expand", "label_references", "shows_raw_value", "uses_value"]
