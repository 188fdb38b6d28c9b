"""Small questions about an expression: its type, and whether it is a condition at all."""

from __future__ import annotations

from typing import Literal, TypeAlias

from alertkit.promql.functions import SCALAR_FUNCTIONS
from alertkit.promql.tree import (
    COMPARISONS,
    Aggregate,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    NumberLiteral,
    Paren,
    Selector,
    StringLiteral,
    Subquery,
    Unary,
)

ValueType: TypeAlias = Literal["vector", "scalar", "matrix", "string"]

# Prometheus writes these itself, and only while an alert is pending or firing.
_ALERT_SERIES = frozenset({"ALERTS", "ALERTS_FOR_STATE"})


def value_type(expr: Expr) -> ValueType:
    """What the expression evaluates to; only a vector or a scalar can be the expression of a rule."""
    match expr:
        case Selector() | Aggregate():
            return "vector"
        case NumberLiteral():
            return "scalar"
        case StringLiteral():
            return "string"
        case MatrixSelector() | Subquery():
            return "matrix"
        case Call(name):
            return "scalar" if name in SCALAR_FUNCTIONS else "vector"
        case Binary(_, left, right):
            return "scalar" if value_type(left) == value_type(right) == "scalar" else "vector"
        case Unary(inner) | Paren(inner):
            return value_type(inner)


def returns_instant_vector(expr: Expr) -> bool:
    """Whether an alert can use it: promtool 2.42 lets ranges and strings pass that never evaluate."""
    return value_type(expr) == "vector"


def has_comparison(expr: Expr) -> bool:
    """Whether a condition decides what is in the result; without one an alert fires as long as its series exist.

    Conditions are comparisons without `bool`, `absent`, `unless`, and the alert state series. They count where they
    can empty the result: in every branch of an `or`, in one side of other operators, in the operand of a function or
    an aggregation, but not below `scalar` or `vector`, which have a value whatever their operand is.
    """
    match expr:
        case Selector(name):
            return name in _ALERT_SERIES
        case MatrixSelector(selector):
            return has_comparison(selector)
        case Binary("or", left, right):
            return has_comparison(left) and has_comparison(right)
        case Binary("unless"):
            return True
        case Binary(op, left, right, bool_modifier):
            filters = op in COMPARISONS and not bool_modifier and value_type(expr) == "vector"
            return filters or has_comparison(left) or has_comparison(right)
        case Call("absent" | "absent_over_time"):
            return True
        case Call(name, args):
            return name not in ("vector", "scalar") and any(has_comparison(arg) for arg in args)
        case Aggregate(_, inner) | Subquery(inner) | Unary(inner) | Paren(inner):
            return has_comparison(inner)
    return False


def uncompared(expr: Expr) -> Expr:
    """The part of an expression without `has_comparison` that is to blame: of an `or`, the branch without one."""
    match expr:
        case Binary("or", left, right):
            return uncompared(right if has_comparison(left) else left)
        case Aggregate(_, inner) | Subquery(inner) | Unary(inner) | Paren(inner):
            found = uncompared(inner)
            return expr if found is inner else found
    return expr
