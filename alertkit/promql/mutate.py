"""Single changes to an expression that a good test of the alert must notice.

The kinds follow what goes wrong in real rules: thresholds, windows, comparisons, aggregations, joins and guards.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

from alertkit.promql.checks import has_comparison
from alertkit.promql.format import number_text, to_text
from alertkit.promql.tree import (
    COMPARISONS,
    Aggregate,
    Binary,
    Call,
    Expr,
    Grouping,
    Matcher,
    MatchOp,
    MatrixSelector,
    NumberLiteral,
    Selector,
    Subquery,
)
from alertkit.promql.walk import children, replace_child, unwrap
from alertkit.spec.duration import LONGEST, format_duration


class Mutant(NamedTuple):
    """One changed expression: a stable `kind`, what was changed in words, and the whole new tree."""

    kind: str
    description: str
    expr: Expr


_FLIPPED = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "!=", "!=": "=="}
_STRICTNESS = {">": ">=", ">=": ">", "<": "<=", "<=": "<"}
_NEGATED: dict[MatchOp, MatchOp] = {"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}
_AGGREGATIONS = {
    "sum": ("max",), "avg": ("max",), "min": ("max",), "max": ("min", "sum"), "count": ("sum",), "group": ("sum",),
    "stddev": ("avg",), "stdvar": ("avg",), "topk": ("bottomk",), "bottomk": ("topk",),
}  # fmt: skip
_FUNCTIONS = {
    "rate": ("increase", "irate"), "irate": ("rate",), "increase": ("rate",), "delta": ("idelta",),
    "idelta": ("delta",), "changes": ("resets",), "resets": ("changes",), "deriv": ("delta",),
    "max_over_time": ("min_over_time", "avg_over_time"), "min_over_time": ("max_over_time", "avg_over_time"),
    "avg_over_time": ("max_over_time", "min_over_time"), "sum_over_time": ("avg_over_time",),
    "count_over_time": ("sum_over_time",), "last_over_time": ("max_over_time",),
    "present_over_time": ("last_over_time",), "stddev_over_time": ("avg_over_time",),
    "clamp_min": ("clamp_max",), "clamp_max": ("clamp_min",), "ceil": ("floor",), "floor": ("ceil",),
}  # fmt: skip
_FACTORS = ((1.01, "+1 %"), (0.99, "-1 %"), (1.1, "+10 %"), (0.9, "-10 %"))


def mutants(expr: Expr) -> Iterator[Mutant]:
    """Every mutant of `expr`, in the order of the text and for one node in a fixed order of kinds, each text once.

    Each has the type of `expr` and parses. A mutant may still mean the same as `expr` (a matcher that every series
    passes, the maximum instead of the sum of one series): only a test can tell.
    """
    seen = {to_text(expr)}
    for mutant in _within(expr, lambda changed: changed):
        text = to_text(mutant.expr)
        if text not in seen:
            seen.add(text)
            yield mutant


def _within(node: Expr, rebuild: Callable[[Expr], Expr]) -> Iterator[Mutant]:
    """The mutants of `node` and below; `rebuild` puts a changed node back into the whole tree."""
    for kind, description, changed in _of(node):
        yield Mutant(kind, description, rebuild(changed))
    for index, child in enumerate(children(node)):
        yield from _within(child, _rebuilder(node, index, rebuild))


def _rebuilder(node: Expr, index: int, rebuild: Callable[[Expr], Expr]) -> Callable[[Expr], Expr]:
    return lambda changed: rebuild(replace_child(node, index, changed))


def _of(node: Expr) -> Iterator[Mutant]:
    match node:
        case Binary(op):
            if op in COMPARISONS:
                yield from _comparison(node)
            yield from _branches(node)
        case Aggregate():
            yield from _aggregate(node)
        case Call(name):
            for other in _FUNCTIONS.get(name, ()):
                yield Mutant("function", f"`{name}` became `{other}`", replace(node, name=other))
        case MatrixSelector(_, window) | Subquery(_, window):
            yield from _window(node, window)
        case Selector():
            yield from _selector(node)


def _comparison(node: Binary) -> Iterator[Mutant]:
    flipped = _FLIPPED[node.op]
    yield Mutant("comparison-flipped", f"`{node.op}` became `{flipped}`", replace(node, op=flipped))
    if node.op in _STRICTNESS:
        other = _STRICTNESS[node.op]
        yield Mutant("comparison-strictness", f"`{node.op}` became `{other}`", replace(node, op=other))
    for index, side in enumerate(children(node)):
        number = unwrap(side)
        if not isinstance(number, NumberLiteral) or not math.isfinite(number.value):
            continue
        for value, words in _thresholds(number.value):
            changed = replace_child(node, index, NumberLiteral(value))
            yield Mutant("threshold", f"threshold {number_text(number.value)} became {words}", changed)


def _thresholds(value: float) -> Iterator[tuple[float, str]]:
    """Values near the threshold; near 0 there is no per cent, so one up and one down."""
    steps = [(value + 1, "+1"), (value - 1, "-1")] if value == 0 else [(value * f, words) for f, words in _FACTORS]
    for near, words in steps:
        rounded = float(f"{near:.12g}")
        if math.isfinite(rounded):
            yield rounded, f"{number_text(rounded)} ({words})"


def _branches(node: Binary) -> Iterator[Mutant]:
    """One operand alone: a guard, a hysteresis or an alternative is gone."""
    if node.op == "or":
        yield Mutant("branch-removed", f"the branch `or {_brief(node.right)}` is gone", node.left)
        yield Mutant("branch-removed", f"the branch `{_brief(node.left)} or` is gone", node.right)
    elif node.op in ("and", "unless"):
        yield Mutant("guard-removed", f"the guard `{node.op} {_brief(node.right)}` is gone", node.left)
        if node.op == "and" and has_comparison(node.right):
            yield Mutant("guard-removed", f"the condition `{_brief(node.left)} and` is gone", node.right)
        other = "unless" if node.op == "and" else "and"
        yield Mutant("guard-inverted", f"`{node.op}` became `{other}`", replace(node, op=other))


def _aggregate(node: Aggregate) -> Iterator[Mutant]:
    for other in _AGGREGATIONS.get(node.op, ()):
        yield Mutant("aggregation", f"`{node.op}` became `{other}`", replace(node, op=other))
    grouping = node.grouping
    if grouping is None:
        return
    word = "without" if grouping.without else "by"
    for index, label in enumerate(grouping.labels):
        rest = grouping.labels[:index] + grouping.labels[index + 1 :]
        changed = replace(node, grouping=Grouping(rest, grouping.without))
        yield Mutant("grouping", f"`{label}` left the labels of `{word}`", changed)


def _window(node: MatrixSelector | Subquery, window: int) -> Iterator[Mutant]:
    for changed, words in ((window // 2, "halved"), (window * 2, "doubled")):
        if 0 < changed <= LONGEST:
            before, after = format_duration(window), format_duration(changed)
            yield Mutant("window", f"the range {before} was {words} to {after}", replace(node, range=changed))


def _selector(node: Selector) -> Iterator[Mutant]:
    for index, matcher in enumerate(node.matchers):
        shown = f'{matcher.label}{matcher.op}"{matcher.value}"'
        rest = node.matchers[:index] + node.matchers[index + 1 :]
        if node.name is not None or any(_selects(other) for other in rest):
            yield Mutant("matcher-dropped", f"the matcher `{shown}` is gone", replace(node, matchers=rest))
        negated = Matcher(matcher.label, _NEGATED[matcher.op], matcher.value)
        if node.name is not None or any(_selects(other) for other in (*rest, negated)):
            changed = replace(node, matchers=(*node.matchers[:index], negated, *node.matchers[index + 1 :]))
            yield Mutant("matcher-negated", f"the matcher `{shown}` became `{matcher.label}{negated.op}`", changed)


def _selects(matcher: Matcher) -> bool:
    """Whether this matcher alone surely makes a selector legal: it does not match the empty string."""
    if matcher.op == "=":
        return matcher.value != ""
    return matcher.op == "!=" and matcher.value == ""


def _brief(expr: Expr) -> str:
    text = to_text(expr)
    return text if len(text) <= 60 else text[:57] + "..."
