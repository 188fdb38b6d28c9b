"""Prints a tree as PromQL: on one line, or laid out over several for rule files.

Parentheses of the user stay; a tree that was built or changed gets those that its operators need.
"""

from __future__ import annotations

import math
from decimal import Decimal

from alertkit.promql.functions import RESERVED
from alertkit.promql.tree import (
    Aggregate,
    At,
    Binary,
    Call,
    Expr,
    Grouping,
    Matcher,
    Matching,
    MatrixSelector,
    NumberLiteral,
    Paren,
    Selector,
    StringLiteral,
    Subquery,
    Unary,
)
from alertkit.spec.duration import format_duration

_PRECEDENCE = {
    "or": 1, "and": 2, "unless": 2, "==": 3, "!=": 3, ">": 3, "<": 3, ">=": 3, "<=": 3, "+": 4, "-": 4, "*": 5,
    "/": 5, "%": 5, "atan2": 5, "^": 6,
}  # fmt: skip
_UNARY = 5
_ATOM = 7
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def to_text(expr: Expr) -> str:
    """The expression on one line; parsing it gives an equal tree, plus parentheses where `expr` lacks needed ones."""
    match expr:
        case NumberLiteral(value):
            return number_text(value)
        case StringLiteral(value):
            return quote(value)
        case Selector(_, _, offset, at):
            return _selector(expr) + _modifiers(offset, at)
        case MatrixSelector(selector, range_ms):
            window = f"[{format_duration(range_ms)}]"
            return _selector(selector) + window + _modifiers(selector.offset, selector.at)
        case Subquery(inner):
            return _wrapped(inner, _ATOM) + _window(expr)
        case Call(name, args):
            return f"{name}({', '.join([to_text(arg) for arg in args])})"
        case Aggregate(_, inner, param):
            body = to_text(inner) if param is None else f"{to_text(param)}, {to_text(inner)}"
            return f"{_aggregation(expr)}({body})"
        case Binary(op, left, right):
            low, high = _sides(op)
            return f"{_wrapped(left, low)} {_operator(expr)} {_wrapped(right, high, right=True)}"
        case Unary(inner):
            return "-" + _wrapped(inner, _UNARY + 1, sign=True)
        case Paren(inner):
            return f"({to_text(inner)})"


def prettify(expr: Expr, width: int = 100, indent: int = 2) -> str:
    """The expression over as many lines as needed to keep them within `width` columns where that is possible.

    Operators start lines, arguments are indented by `indent`; parsing it gives the same tree as `to_text`.
    """
    return _layout(expr, width, " " * indent)


def number_text(value: float) -> str:
    """The shortest exact notation: `5`, `0.25`, `1e+30`, `NaN`, `-Inf`."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    if value == int(value) and abs(value) < 1e15:
        sign = "-" if math.copysign(1.0, value) < 0 else ""
        return f"{sign}{abs(int(value))}"
    text = repr(value)
    return format(Decimal(text), "f") if "e" in text and 1e-9 <= abs(value) < 1 else text


def quote(value: str) -> str:
    """A PromQL string in double quotes; what does not print is escaped, so that it survives YAML."""
    if value.isprintable() and "\\" not in value and '"' not in value:
        return f'"{value}"'
    return '"' + "".join([_ESCAPES.get(c) or (c if c.isprintable() else _escape(ord(c))) for c in value]) + '"'


def _escape(code: int) -> str:
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _layout(expr: Expr, width: int, pad: str) -> str:
    line = to_text(expr)
    if len(line) <= width:
        return line
    match expr:
        case Binary(op, left, right):
            low, high = _sides(op)
            first = _layout_wrapped(left, low, width, pad)
            operator = _operator(expr)
            one = _wrapped(right, high, right=True)
            if len(operator) + 1 + len(one) <= width:
                return f"{first}\n{operator} {one}"
            return f"{first}\n{operator}\n{_layout_wrapped(right, high, width, pad, right=True)}"
        case Call(name, args) if args:
            return _block(f"{name}(", [_layout(arg, width - len(pad), pad) for arg in args], ")", pad)
        case Aggregate(_, inner, param):
            parts = [inner] if param is None else [param, inner]
            return _block(f"{_aggregation(expr)}(", [_layout(part, width - len(pad), pad) for part in parts], ")", pad)
        case Paren(inner):
            return _block("(", [_layout(inner, width - len(pad), pad)], ")", pad)
        case Unary(inner):
            return "-" + _layout_wrapped(inner, _UNARY + 1, width - 1, pad, sign=True)
        case Subquery(inner):
            return _layout_wrapped(inner, _ATOM, width, pad) + _window(expr)
        case Selector(name, matchers, offset, at) if matchers:
            head, shown = _named(name, matchers)
            return _block(f"{head}{{", [_matcher(m) for m in shown], "}", pad) + _modifiers(offset, at)
        case MatrixSelector(Selector(name, matchers, offset, at), range_ms) if matchers:
            head, shown = _named(name, matchers)
            block = _block(f"{head}{{", [_matcher(m) for m in shown], "}", pad)
            return f"{block}[{format_duration(range_ms)}]{_modifiers(offset, at)}"
    return line


def _block(head: str, parts: list[str], tail: str, pad: str) -> str:
    """Parts on lines of their own between head and tail; strings hold no newline, so lines can be indented."""
    body = ",\n".join(parts)
    return "\n".join([head, *[pad + line for line in body.split("\n")], tail])


def _layout_wrapped(expr: Expr, least: int, width: int, pad: str, *, right: bool = False, sign: bool = False) -> str:
    if _binds(expr, right, sign) >= least:
        return _layout(expr, width, pad)
    return _layout(Paren(expr), width, pad)


def _wrapped(expr: Expr, least: int, *, right: bool = False, sign: bool = False) -> str:
    text = to_text(expr)
    return text if _binds(expr, right, sign) >= least else f"({text})"


def _binds(expr: Expr, right: bool, sign: bool) -> int:
    """How tightly the outermost operator of `expr` holds; to the right of an operator a sign needs no parentheses."""
    match expr:
        case Binary(op):
            return _PRECEDENCE[op]
        case Unary():
            return _ATOM if right or sign else _UNARY
        case NumberLiteral(value):
            # `-` before a number becomes part of it, and `-1 ^ 2` is -(1 ^ 2).
            negative = math.copysign(1.0, value) < 0 and not math.isnan(value)
            if sign:
                return 0
            return _UNARY if negative and not right else _ATOM
    return _ATOM


def _sides(op: str) -> tuple[int, int]:
    """What the left and the right operand must at least bind like; only `^` groups to the right."""
    level = _PRECEDENCE[op]
    return (level + 1, level) if op == "^" else (level, level + 1)


def _selector(selector: Selector) -> str:
    name, matchers = selector.name, selector.matchers
    if not matchers and name is not None and name.lower() not in RESERVED:
        return name
    head, shown = _named(name, matchers)
    return f"{head}{{{','.join([_matcher(matcher) for matcher in shown])}}}"


def _named(name: str | None, matchers: tuple[Matcher, ...]) -> tuple[str, tuple[Matcher, ...]]:
    """The name before the braces, and what stands in them: also the name when it would be read as a keyword."""
    if name is not None and name.lower() in RESERVED:
        return "", (Matcher("__name__", "=", name), *matchers)
    return name or "", matchers


def _matcher(matcher: Matcher) -> str:
    return f"{matcher.label}{matcher.op}{quote(matcher.value)}"


def _modifiers(offset: int, at: At | None) -> str:
    text = ""
    if at is not None:
        text = f" @ {at}()" if isinstance(at, str) else f" @ {_seconds(at)}"
    if offset:
        text += f" offset {'-' if offset < 0 else ''}{format_duration(abs(offset))}"
    return text


def _seconds(milliseconds: int) -> str:
    whole, rest = divmod(milliseconds, 1000)
    return f"{whole}.{rest:03d}".rstrip("0") if rest else str(whole)


def _window(subquery: Subquery) -> str:
    step = "" if subquery.step is None else format_duration(subquery.step)
    return f"[{format_duration(subquery.range)}:{step}]{_modifiers(subquery.offset, subquery.at)}"


def _aggregation(expr: Aggregate) -> str:
    """`sum by (a, b) ` with the space that stands before the parenthesis, or only `sum`."""
    return expr.op if expr.grouping is None else f"{expr.op} {_grouping(expr.grouping)} "


def _grouping(grouping: Grouping) -> str:
    return f"{'without' if grouping.without else 'by'} ({', '.join(grouping.labels)})"


def _operator(expr: Binary) -> str:
    text = f"{expr.op} bool" if expr.bool else expr.op
    return text if expr.matching is None else text + _matching(expr.matching)


def _matching(matching: Matching) -> str:
    text = f" {'on' if matching.on else 'ignoring'} ({', '.join(matching.labels)})"
    if matching.group is not None:
        text += f" group_{matching.group} ({', '.join(matching.include)})"
    return text
