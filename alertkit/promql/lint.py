"""Valid expressions that surely do not do what they should: they can never fire, fire for good, or lose what they find.

Only what is certain from the expression alone is said here, because every finding stops a compile.
Sources: Prometheus documentation, "Query functions"; the trackers of kubernetes-mixin, pint and Prometheus.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from alertkit.promql.checks import value_type
from alertkit.promql.labels import result_labels
from alertkit.promql.tree import (
    COMPARISONS,
    Aggregate,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    NumberLiteral,
    Selector,
    Subquery,
)
from alertkit.promql.walk import metric_names, unwrap, walk

# Functions that need two samples in their range.
_TWO_SAMPLES = frozenset({"rate", "increase", "irate", "delta", "idelta", "deriv", "predict_linear", "changes"})
_OF_COUNTERS = frozenset({"rate", "increase", "irate"})
_OF_GAUGES = frozenset({"delta", "idelta", "deriv", "predict_linear", "holt_winters", "double_exponential_smoothing"})
_COUNTER = ("_total", "_bucket")


class Finding(NamedTuple):
    """One mistake; `word` is a word of the expression that shows where it is."""

    code: str
    message: str
    help: str
    word: str


def findings(expr: Expr, scrape_interval: int) -> Iterator[Finding]:
    """All that is certain to be wrong; the scrape interval is in milliseconds."""
    for node in walk(expr):
        for check in _CHECKS:
            yield from check(node)
        if isinstance(node, Call) and node.name in _TWO_SAMPLES:
            yield from _short_range(node, scrape_interval)


def _short_range(call: Call, scrape_interval: int) -> Iterator[Finding]:
    for argument in call.args:
        if isinstance(argument, MatrixSelector) and argument.range < 2 * scrape_interval:
            yield Finding(
                "AK312", f"the range of `{call.name}` is shorter than two scrapes: it would never hold data",
                f"use at least four scrapes, here {4 * scrape_interval // 1000}s", call.name,
            )  # fmt: skip


def _counted_to_nothing(node: Expr) -> Iterator[Finding]:
    """`count(...) == 0`: with nothing to count there is no result at all."""
    if not isinstance(node, Binary) or node.op not in COMPARISONS:
        return
    for side, other, op in ((node.left, node.right, node.op), (node.right, node.left, _turned(node.op))):
        counted, limit = unwrap(side), unwrap(other)
        if not (isinstance(counted, Aggregate) and counted.op == "count" and isinstance(limit, NumberLiteral)):
            continue
        value = limit.value
        if {"==": value < 1, "<": value <= 1, "<=": value < 1}.get(op, False):
            yield Finding(
                "AK415", "this can never fire: of nothing there is no count, not even 0",
                "use `absent(...)`, or an alert of kind `absent` or `down`", "count",
            )  # fmt: skip


def _turned(op: str) -> str:
    return {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(op, op)


def _quantile_without_le(node: Expr) -> Iterator[Finding]:
    if isinstance(node, Call) and node.name == "histogram_quantile" and len(node.args) == 2:
        of = node.args[1]
        classic = any(name.endswith("_bucket") for name in metric_names(of))
        if classic and not result_labels(of).may_have("le"):
            yield Finding(
                "AK415", "this can never fire: the aggregation drops `le`, without which there is no quantile",
                "keep it: `sum by (le, ...) (rate(..._bucket[5m]))`, or use kind `latency`", "histogram_quantile",
            )  # fmt: skip


def _strangers(node: Expr) -> Iterator[Finding]:
    """Two vectors whose elements have no label in common and are told none to be matched by."""
    if not isinstance(node, Binary) or node.matching is not None or node.op in ("or", "unless"):
        return
    if value_type(node.left) != "vector" or value_type(node.right) != "vector":
        return
    left, right = result_labels(node.left), result_labels(node.right)
    if left.open or right.open:
        return
    one, two = (labels.names - {"__name__"} for labels in (left, right))
    if one and two and not one & two:
        yield Finding(
            "AK415", f"this can never fire: `{_names(one)}` on the left never matches `{_names(two)}` on the right",
            "aggregate both sides by the same labels, or say `on (...)`", node.op,
        )  # fmt: skip


def _names(labels: frozenset[str]) -> str:
    return ", ".join(sorted(labels))


def _bare_counter(node: Expr) -> Iterator[Finding]:
    if isinstance(node, Binary) and node.op in COMPARISONS:
        sides = (unwrap(node.left), unwrap(node.right))
        counters = [s.name for s in sides if isinstance(s, Selector) and (s.name or "").endswith(_COUNTER)]
        if counters and any(isinstance(side, NumberLiteral) for side in sides):
            yield Finding(
                "AK310", f"`{counters[0]}` is a counter: comparing it with a number would fire for good",
                "compare its `rate(...[5m])`, or use kind `rate` or `increase`", counters[0] or "",
            )  # fmt: skip
    if isinstance(node, Call) and node.name in _OF_GAUGES:
        for argument in node.args:
            name = argument.selector.name if isinstance(argument, MatrixSelector) else None
            if name and name.endswith(_COUNTER):
                yield Finding(
                    "AK310", f"`{node.name}` is for gauges, and `{name}` is a counter: each restart would be a fall",
                    "use `rate` or `increase`", node.name,
                )  # fmt: skip


def _rate_of_a_sum(node: Expr) -> Iterator[Finding]:
    if isinstance(node, Call) and node.name in _OF_COUNTERS:
        for argument in node.args:
            inner = unwrap(argument.expr) if isinstance(argument, Subquery) else None
            if isinstance(inner, Aggregate):
                yield Finding(
                    "AK416", f"`{node.name}` of a `{inner.op}` takes the restart of one series for a leap of all",
                    f"turn it round: `{inner.op}({node.name}(...[5m]))`", node.name,
                )  # fmt: skip


def _absent_of_an_aggregation(node: Expr) -> Iterator[Finding]:
    if isinstance(node, Call) and node.name == "absent" and isinstance(unwrap(node.args[0]), Aggregate):
        yield Finding(
            "AK416", "`absent` of an aggregation has no labels: nobody could tell what is gone",
            "ask for the series themselves, `absent(metric{job=\"api\"})`, or use kind `absent`", "absent",
        )  # fmt: skip


_CHECKS: tuple[Callable[[Expr], Iterator[Finding]], ...] = (
    _counted_to_nothing, _quantile_without_le, _strangers, _bare_counter, _rate_of_a_sum, _absent_of_an_aggregation,
)  # fmt: skip


def fires_when_absent(expr: Expr) -> bool:
    """Whether the whole condition, or one branch of its `or`, is that something is absent at this moment."""
    node = unwrap(expr)
    if isinstance(node, Binary) and (node.op == "or" or node.op in COMPARISONS):
        return fires_when_absent(node.left) or fires_when_absent(node.right)
    return isinstance(node, Call) and node.name == "absent"
