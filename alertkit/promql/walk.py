"""Going through a tree and changing it; nothing here changes a tree in place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple, cast

from alertkit.promql.tree import (
    Aggregate,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    Paren,
    Selector,
    Subquery,
    Unary,
)


class SelectorUse(NamedTuple):
    """A selector and the time it looks back over.

    `range` is the window in ms of the matrix selector around it, None where it is read as an instant vector;
    `subqueries` is the sum in ms of the ranges of the subqueries around it.
    """

    selector: Selector
    range: int | None
    subqueries: int


def children(expr: Expr) -> tuple[Expr, ...]:
    """The direct operands in the order of the text; a matrix selector has its selector."""
    match expr:
        case Binary(_, left, right):
            return (left, right)
        case Call(_, args):
            return args
        case Aggregate(_, inner, param):
            return (inner,) if param is None else (param, inner)
        case MatrixSelector(selector):
            return (selector,)
        case Subquery(inner) | Paren(inner) | Unary(inner):
            return (inner,)
    return ()


def replace_children(expr: Expr, new: tuple[Expr, ...]) -> Expr:
    """`expr` with other operands, as many and in the same order as `children` gives them."""
    match expr:
        case Binary():
            left, right = new
            return replace(expr, left=left, right=right)
        case Call():
            return replace(expr, args=new)
        case Aggregate(_, _, None):
            return replace(expr, expr=new[0])
        case Aggregate():
            param, inner = new
            return replace(expr, expr=inner, param=param)
        case MatrixSelector():
            return replace(expr, selector=cast("Selector", new[0]))
        case Subquery() | Paren() | Unary():
            return replace(expr, expr=new[0])
    return expr


def replace_child(expr: Expr, index: int, new: Expr) -> Expr:
    """`expr` with `new` in place of `children(expr)[index]`; IndexError when there is none."""
    parts = list(children(expr))
    parts[index] = new
    return replace_children(expr, tuple(parts))


def walk(expr: Expr) -> Iterator[Expr]:
    """Every node, a parent before its children, in the order of the text."""
    pending = [expr]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(reversed(children(node)))


def transform(expr: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """The tree with `change` applied to every node, children first; parts that stay are the same objects."""
    old = children(expr)
    new = tuple([transform(child, change) for child in old])
    same = all(before is after for before, after in zip(old, new, strict=True))
    return change(expr if same else replace_children(expr, new))


def selectors(expr: Expr) -> Iterator[SelectorUse]:
    """Every selector with its range, in the order of the text."""
    pending: list[tuple[Expr, int | None, int]] = [(expr, None, 0)]
    while pending:
        node, window, subqueries = pending.pop()
        match node:
            case Selector():
                yield SelectorUse(node, window, subqueries)
            case MatrixSelector(selector, range_ms):
                pending.append((selector, range_ms, subqueries))
            case Subquery(inner, range_ms):
                pending.append((inner, None, subqueries + range_ms))
            case _:
                pending.extend((child, None, subqueries) for child in reversed(children(node)))


def metric_names(expr: Expr) -> frozenset[str]:
    """The metrics that are read by name; a `__name__` pattern names none."""
    names = set()
    for selector, _, _ in selectors(expr):
        if selector.name is not None:
            names.add(selector.name)
        names |= {m.value for m in selector.matchers if m.label == "__name__" and m.op == "="}
    return frozenset(names)


def unwrap(expr: Expr) -> Expr:
    """`expr` without the parentheses around it."""
    while isinstance(expr, Paren):
        expr = expr.expr
    return expr


def without_parens(expr: Expr) -> Expr:
    """The tree with no `Paren` node left: two expressions that mean the same grouping become equal."""
    return transform(expr, unwrap)
