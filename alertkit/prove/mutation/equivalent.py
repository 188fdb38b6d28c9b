"""Changes that provably change nothing, told by bringing both expressions into one normal form.

How much of a value matters depends on where it stands: of the right side of `and` only the labels of its elements do,
of what is compared with zero only the sign, of buckets under `histogram_quantile` only their proportions. Wherever
less matters, operators and functions that agree in it are written alike. All of it holds for floats that are finite;
nothing is assumed of the series otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import Enum
from functools import partial

from alertkit.compile.ruleset import Record, Rule
from alertkit.promql import parse, to_text, transform
from alertkit.promql.tree import (
    ARITHMETIC,
    COMPARISONS,
    Aggregate,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    NumberLiteral,
    Paren,
    Selector,
    Subquery,
    Unary,
)
from alertkit.promql.walk import unwrap, without_parens
from alertkit.prove.mutation.changes import Change
from alertkit.prove.mutation.presence import same_whatever_exists
from alertkit.template import go


class _Need(Enum):
    """What matters of a vector: its values, its values up to one positive factor, or only which elements it has."""

    VALUE = 2
    SCALE = 1
    PRESENCE = 0


# An element comes out as soon as any goes in, whatever the value.
_GROUPS = frozenset({"sum", "max", "min", "avg", "count", "group", "stddev", "stdvar"})
_LINEAR = frozenset({"sum", "max", "min", "avg"})
_COUNTS = frozenset({"count", "group"})
# One sample in the window is enough for an element, or two are needed.
_ONE_SAMPLE = frozenset({
    "avg_over_time", "min_over_time", "max_over_time", "sum_over_time", "count_over_time", "last_over_time",
    "present_over_time", "stddev_over_time", "stdvar_over_time", "changes", "resets",
})  # fmt: skip
_TWO_SAMPLES = frozenset({"rate", "increase", "irate", "delta", "idelta"})
_EACH = frozenset({"abs", "ceil", "floor", "exp", "ln", "sqrt", "sgn", "timestamp"})
_WHOLE = frozenset({"count_over_time", "changes", "resets"})

# Changes of this kind may matter only where some series do not exist.
_ABOUT_EXISTENCE = frozenset({"branch-removed", "window", "function", "grouping"})


def equivalent(change: Change, readers: Sequence[Rule], records: Mapping[str, str]) -> str | None:
    """Why no series whatever could tell the changed rule from the original; None when that cannot be proven.

    `readers` are all alerting rules that read a changed record, `records` the expressions of all records by name. Of a
    record only what its readers make of it counts.
    """
    before, after = change.before, change.after
    if isinstance(before, Record):
        changed = {**records, before.name: after.expr}
        if all(_normal(rule, rule.expr, records) == _normal(rule, rule.expr, changed) for rule in readers):
            return "its readers mean the same on every series"
        if change.kind in _ABOUT_EXISTENCE and all(
            _whatever_exists(rule, (rule.expr, records), (rule.expr, changed)) for rule in readers
        ):
            return "its readers mean the same whichever counters exist"
        return None
    if before._replace(expr="") != after._replace(expr=""):
        return None
    if _normal(before, before.expr, records) == _normal(before, after.expr, records):
        return "both mean the same on every series"
    if change.kind in _ABOUT_EXISTENCE and _whatever_exists(before, (before.expr, records), (after.expr, records)):
        return "both mean the same whichever counters exist"
    return None


def _normal(rule: Rule, text: str, records: Mapping[str, str]) -> str:
    return _written(rule, _inlined(parse(text), records))


def _written(rule: Rule, tree: Expr) -> str:
    shown = any(go.uses_value(text) for _, text in (*rule.labels, *rule.annotations))
    return to_text(_form(without_parens(tree), _Need.VALUE if shown else _Need.PRESENCE))


def _whatever_exists(rule: Rule, one: tuple[str, Mapping[str, str]], other: tuple[str, Mapping[str, str]]) -> bool:
    """Whether two expressions with their records are the same in every case of `mutation.presence`."""
    if not any(" or 0 * " in text for text in (one[0], *one[1].values())):
        return False  # nothing depends on what exists
    before, after = (_inlined(parse(text), records) for text, records in (one, other))
    return same_whatever_exists(before, after, partial(_written, rule))


def _inlined(expr: Expr, records: Mapping[str, str]) -> Expr:
    """The expression with what its records record in their place."""

    def inline(node: Expr) -> Expr:
        if isinstance(node, Selector) and node.name and node.name in records and node == Selector(node.name):
            return Paren(_inlined(parse(records[node.name]), records))
        return node

    return transform(expr, inline)


def _form(expr: Expr, need: _Need) -> Expr:
    """A normal form: equal for expressions that agree in what is needed of them."""
    match expr:
        case Paren(inner):
            return _form(inner, need)
        case Unary(inner):
            return replace(expr, expr=_form(inner, need))
        case Aggregate():
            return _aggregate(expr, need)
        case Call():
            return _call(expr, need)
        case Binary(op):
            if op in COMPARISONS:
                return _comparison(expr, need)
            if op in ARITHMETIC:
                return _arithmetic(expr, need)
            right = need if op == "or" else _Need.PRESENCE
            return replace(expr, left=_form(expr.left, need), right=_form(expr.right, right))
        case MatrixSelector() | Subquery():
            return expr
    return expr


def _aggregate(expr: Aggregate, need: _Need) -> Expr:
    if expr.op not in _GROUPS or expr.param is not None:
        return replace(expr, expr=_form(expr.expr, _Need.VALUE))
    if need is _Need.PRESENCE:
        return replace(expr, op="group", expr=_form(expr.expr, _Need.PRESENCE))
    if expr.op in _COUNTS:
        return replace(expr, expr=_form(expr.expr, _Need.PRESENCE))
    same = _one_value(expr.expr)
    if same is not None and (expr.op in ("max", "min", "avg") or (expr.op == "sum" and same == 0)):
        return replace(expr, op="max", expr=_form(expr.expr, _Need.VALUE))
    return replace(expr, expr=_form(expr.expr, need if expr.op in _LINEAR else _Need.VALUE))


def _one_value(expr: Expr) -> float | None:
    """The value that all elements of `vector == number` have."""
    inner = unwrap(expr)
    if isinstance(inner, Binary) and inner.op == "==" and not inner.bool:
        number = unwrap(inner.right)
        if isinstance(number, NumberLiteral):
            return number.value
    return None


def _call(expr: Call, need: _Need) -> Expr:
    name, args = expr.name, expr.args
    if name in ("absent", "absent_over_time"):
        return replace(expr, args=tuple(_form(arg, _Need.PRESENCE) for arg in args))
    if name == "histogram_quantile":
        return replace(expr, args=(args[0], _form(args[1], _Need.SCALE)))
    if need is _Need.PRESENCE:
        if name in _ONE_SAMPLE:
            return replace(expr, name="present_over_time")
        if name in _TWO_SAMPLES:
            return replace(expr, name="rate")
        if name in _EACH and args:
            return _form(args[0], need)
    if need is _Need.SCALE and name in ("rate", "increase"):
        return replace(expr, name="rate")
    return expr if not args else replace(expr, args=tuple(_form(arg, _Need.VALUE) for arg in args))


def _comparison(expr: Binary, need: _Need) -> Expr:
    number = unwrap(expr.right)
    if expr.bool or not isinstance(number, NumberLiteral):
        return replace(expr, left=_form(expr.left, _Need.VALUE), right=_form(expr.right, _Need.VALUE))
    inner = _Need.VALUE
    if number.value == 0:
        inner = _Need.SCALE if need is _Need.PRESENCE else need
    wanted = expr.left
    if (expr.op == ">" and number.value >= 0) or (expr.op == ">=" and number.value > 0):
        wanted = _without_zero(wanted)
    left = _form(wanted, inner)
    if need is _Need.PRESENCE and number.value == 0:
        left = _largest(left)
    if not _whole(expr.left):
        return replace(expr, left=left)
    # Whole numbers: `> 3` and `>= 4` and `>= 3.96` say the same; a count is never below one, other numbers of changes
    # never below zero.
    value, op = number.value, expr.op
    if op in (">", ">="):
        least = math.floor(value) + 1 if op == ">" else math.ceil(value)
        if least <= _lowest(expr.left):
            return left
        return replace(expr, left=left, op=">=", right=NumberLiteral(float(least)))
    if op in ("<", "<="):
        most = math.ceil(value) - 1 if op == "<" else math.floor(value)
        return replace(expr, left=left, op="<=", right=NumberLiteral(float(most)))
    return replace(expr, left=left)


def _without_zero(expr: Expr) -> Expr:
    """Without elements that are zero by construction, `or 0 * x`, also as a numerator: they never exceed zero."""
    inner = unwrap(expr)
    if isinstance(inner, Binary) and inner.op == "/":
        return replace(inner, left=_without_zero(inner.left))
    if isinstance(inner, Binary) and inner.op == "or" and _is_zero(inner.right):
        return inner.left
    return expr


def _is_zero(expr: Expr) -> bool:
    inner = unwrap(expr)
    if not (isinstance(inner, Binary) and inner.op == "*"):
        return False
    number = unwrap(inner.left)
    return isinstance(number, NumberLiteral) and number.value == 0


def _largest(expr: Expr) -> Expr:
    """A sum of what is never negative is zero, or above it, exactly when the largest of it is."""
    if isinstance(expr, Aggregate) and expr.op == "sum" and _never_negative(expr.expr):
        return replace(expr, op="max")
    return expr


def _never_negative(expr: Expr) -> bool:
    inner = unwrap(expr)
    return isinstance(inner, Call) and inner.name in ("rate", "increase", "irate", *_WHOLE)


def _whole(expr: Expr) -> bool:
    """Whether all values are whole numbers."""
    inner = unwrap(expr)
    if isinstance(inner, Call):
        return inner.name in _WHOLE
    if isinstance(inner, Aggregate):
        return inner.op in _COUNTS or (inner.op in ("sum", "max", "min") and _whole(inner.expr))
    return False


def _lowest(expr: Expr) -> int:
    inner = unwrap(expr)
    if isinstance(inner, Aggregate):
        return 1 if inner.op in _COUNTS else _lowest(inner.expr)
    return 1 if isinstance(inner, Call) and inner.name == "count_over_time" else 0


def _arithmetic(expr: Binary, need: _Need) -> Expr:
    left, right = unwrap(expr.left), unwrap(expr.right)
    if expr.op == "*" and isinstance(left, NumberLiteral) and left.value == 0:
        return replace(expr, left=left, right=_form(expr.right, _Need.PRESENCE))
    if need is _Need.PRESENCE:
        return replace(expr, op="+", left=_form(left, need), right=_form(right, need))
    inner = need if expr.op in ("*", "/") else _Need.VALUE
    return replace(expr, left=_form(left, inner), right=_form(right, inner))
