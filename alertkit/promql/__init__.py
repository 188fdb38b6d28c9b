"""The only door to the PromQL parser: parse, print, walk, infer labels, check and mutate expressions."""

from alertkit.promql.format import prettify, to_text
from alertkit.promql.parse import parse
from alertkit.promql.scan import PromqlError
from alertkit.promql.tree import Expr

__all__ = ["Expr", "PromqlError", "parse", "prettify", "to_text"]
