"""The only door to the PromQL parser: parse, print, walk, infer labels, check and mutate expressions.

The syntax tree's node classes are in `alertkit.promql.tree`. Nothing here loads the Rust parser before the first
`parse`.
"""

from alertkit.promql.checks import has_comparison, returns_instant_vector, uncompared, value_type
from alertkit.promql.format import prettify, to_text
from alertkit.promql.labels import Labels, result_labels
from alertkit.promql.mutate import Mutant, mutants
from alertkit.promql.parse import parse
from alertkit.promql.scan import PromqlError
from alertkit.promql.tree import Expr
from alertkit.promql.walk import children, metric_names, replace_child, selectors, transform, walk

__all__ = [
    "Expr",
    "Labels",
    "Mutant",
    "PromqlError",
    "children",
    "has_comparison",
    "metric_names",
    "mutants",
    "parse",
    "prettify",
    "replace_child",
    "result_labels",
    "returns_instant_vector",
    "selectors",
    "to_text",
    "transform",
    "uncompared",
    "value_type",
    "walk",
]
