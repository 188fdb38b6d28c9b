"""Whether two expressions mean the same whichever of their counters exist.

Most `or` in a compiled rule says what to do while a counter is not there yet. So all that can be there is gone through:
for each selector the shortest window in which a series has the samples that its function needs. A longer window then
has them too, for it holds every sample of the shorter one. Each such case leaves an expression without those `or`, and
two expressions mean the same when they are the same in every case.

The argument follows a single set of labels through the expression. So it holds only where every aggregation has the
same labels and every join is on all of them; anything else is not answered. As in `equivalent` numbers are taken
to be finite, so that `0 * x` is 0 and `x + 0` is x; 0 / x is 0 or NaN, and neither exceeds a threshold of zero or more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product

from alertkit.promql import to_text
from alertkit.promql.tree import (
    ARITHMETIC,
    COMPARISONS,
    Aggregate,
    Binary,
    Call,
    Expr,
    Grouping,
    MatrixSelector,
    NumberLiteral,
)
from alertkit.promql.walk import unwrap

_NEEDED = {
    "rate": 2, "increase": 2, "irate": 2, "delta": 2, "idelta": 2, "avg_over_time": 1, "max_over_time": 1,
    "min_over_time": 1, "sum_over_time": 1, "last_over_time": 1, "count_over_time": 1, "present_over_time": 1,
}  # fmt: skip
_SAME_ELEMENTS = frozenset({"sum", "max", "min", "avg", "group", "count"})
# More cases than this are not gone through.
_MOST = 512
_ZERO = NumberLiteral(0.0)

# A selector and how many samples it takes, and the windows over which they are asked for.
_Atom = tuple[str, int]


class _UnansweredError(Exception):
    """The argument does not hold for this expression."""


def same_whatever_exists(before: Expr, after: Expr, normal: Callable[[Expr], str]) -> bool:
    """Whether both are the same, or both without a result, in every case; `normal` writes an expression."""
    try:
        windows: dict[_Atom, set[int]] = {}
        groupings: set[frozenset[str]] = set()
        for expr in (before, after):
            _collect(expr, windows, groupings)
        if len(groupings) != 1:
            return False
        (labels,) = groupings
        chains = [[(atom, window) for window in (*sorted(found), 0)] for atom, found in sorted(windows.items())]
        cases = 1
        for chain in chains:
            cases *= len(chain)
        if not chains or cases > _MOST:
            return False
        for case in product(*chains):
            # The shortest window with enough samples; 0: none of them has.
            one, other = (_left(expr, dict(case), labels) for expr in (before, after))
            if (one is None) != (other is None):
                return False
            if one is not None and other is not None and normal(one) != normal(other):
                return False
    except _UnansweredError:
        return False
    return True


def _collect(expr: Expr, windows: dict[_Atom, set[int]], groupings: set[frozenset[str]]) -> None:
    for node in _leaves(expr):
        if isinstance(node, Aggregate):
            atom, window = _atom(node)
            windows.setdefault(atom, set()).add(window)
            groupings.add(frozenset(_labels(node.grouping)))
        else:
            windows[node] = {1}


def _leaves(expr: Expr) -> Iterator[Aggregate | _Atom]:
    inner = unwrap(expr)
    if isinstance(inner, Aggregate):
        yield inner
    elif isinstance(inner, Binary):
        yield from _leaves(inner.left)
        if (unknown := _filter(inner)) is not None:
            yield unknown
        else:
            yield from _leaves(inner.right)
    elif not isinstance(inner, NumberLiteral):
        raise _UnansweredError


def _filter(node: Binary) -> _Atom | None:
    """The right side of `and` and `unless` where nothing is known of it: it is there, or it is not."""
    if node.op not in ("and", "unless"):
        return None
    try:
        _collect(node.right, {}, set())
    except _UnansweredError:
        return to_text(node.right), 0
    return None


def _atom(node: Aggregate) -> tuple[_Atom, int]:
    call = unwrap(node.expr)
    if node.op not in _SAME_ELEMENTS or not isinstance(call, Call) or len(call.args) != 1:
        raise _UnansweredError
    vector = call.args[0]
    if call.name not in _NEEDED or not isinstance(vector, MatrixSelector):
        raise _UnansweredError
    return (to_text(vector.selector), _NEEDED[call.name]), vector.range


def _labels(grouping: Grouping | None) -> tuple[str, ...]:
    if grouping is not None and grouping.without:
        raise _UnansweredError
    return grouping.labels if grouping is not None else ()


def _left(expr: Expr, shortest: dict[_Atom, int], labels: frozenset[str]) -> Expr | None:
    """What is left of an expression in one case; None where it has no result."""
    inner = unwrap(expr)
    if isinstance(inner, NumberLiteral):
        return inner
    if isinstance(inner, Aggregate):
        atom, window = _atom(inner)
        return inner if 0 < shortest[atom] <= window else None
    assert isinstance(inner, Binary)
    if inner.bool or not _joins(inner, labels):
        raise _UnansweredError
    left = _left(inner.left, shortest, labels)
    if (unknown := _filter(inner)) is not None:
        kept = (shortest[unknown] > 0) is (inner.op == "and")
        return left if kept else None
    right = _left(inner.right, shortest, labels)
    if inner.op == "or":
        if left is None or right is None or _certain(left):
            return left if left is not None else right
        return replace(inner, left=left, right=right)
    if inner.op == "unless" and (left is None or right is None):
        return left
    if left is None or right is None:
        return None
    if inner.op in ("and", "unless"):
        return replace(inner, left=left, right=right)
    if inner.op in COMPARISONS:
        return _compared(replace(inner, left=left, right=right))
    if inner.op in ARITHMETIC:
        return _calculated(replace(inner, left=left, right=right))
    raise _UnansweredError


def _certain(expr: Expr) -> bool:
    """Whether it has a result whatever the values: what exists may still not pass a comparison."""
    inner = unwrap(expr)
    if isinstance(inner, Binary):
        return inner.op in ARITHMETIC and _certain(inner.left) and _certain(inner.right)
    return True


def _joins(node: Binary, labels: frozenset[str]) -> bool:
    matching = node.matching
    return matching is None or (matching.on and matching.group is None and frozenset(matching.labels) == labels)


def _compared(node: Binary) -> Expr | None:
    """A comparison; None where the left side is zero, or zero by something, and must exceed zero or more."""
    number = node.right
    if not isinstance(number, NumberLiteral) or not _is_nothing(node.left):
        return node
    if (node.op == ">" and number.value >= 0) or (node.op == ">=" and number.value > 0):
        return None
    return node


def _is_nothing(expr: Expr) -> bool:
    if isinstance(expr, Binary) and expr.op == "/":
        return _is_nothing(expr.left)
    return expr == _ZERO


def _calculated(node: Binary) -> Expr:
    if node.op == "*" and _ZERO in (node.left, node.right):
        return _ZERO
    if node.op == "+" and _ZERO in (node.left, node.right):
        return node.right if node.left == _ZERO else node.left
    return node
