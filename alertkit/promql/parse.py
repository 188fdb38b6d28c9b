"""From PromQL text to the project's own tree; the only module that touches `promql_parser`."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Any, Final, Literal, cast

from alertkit.promql.functions import OLDEST, Version
from alertkit.promql.scan import MAX_DEPTH, PromqlError, Token, inspect, is_ordinary, scan
from alertkit.promql.tree import (
    Aggregate,
    At,
    Binary,
    Call,
    Expr,
    Grouping,
    Matcher,
    Matching,
    MatchOp,
    MatrixSelector,
    NumberLiteral,
    Paren,
    Selector,
    StringLiteral,
    Subquery,
    Unary,
)
from alertkit.spec.duration import LONGEST

_IDENTIFIER: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
# Two patterns that most specs do without, compiled when they are needed. What RE2, which Prometheus uses, may read
# otherwise than the Rust parser: repetitions, flags and names of groups, rare escapes, classes in classes.
_DIFFERS: Final = r"[*+?}][*+{]|[*+?}]\?[*+?{]|\{|\(\?(?!:)|\\(?![dDsSwWbBnrtAz]|[^0-9A-Za-z])|\[[^\]]*(?:&&|--|~~|\[)"
# Where a plus may be a sign.
_PLUS: Final = r"(?:\A|[-+*/%^<>=(,]|\b(?:and|or|unless|atan2|bool)\b)\s*\+\s*[^\s\d]"


# What a kind has read is mostly what its rule then asks.
@lru_cache(maxsize=256)
def parse(text: str, version: Version = OLDEST) -> Expr:
    """Parse one expression; raises `PromqlError` when servers of `version` (major, minor) and later refuse it.

    Also refused: what needs a feature flag, and what is gone in 3.x, because output has to load everywhere.
    """
    source = text
    if not is_ordinary(text):
        source = _plain_strings(text, _inspected(text, version))
    try:
        tree = _convert(_parser()(source), 1)
    except Exception as error:
        tokens = _inspected(text, version)
        from alertkit.promql import diagnose

        raise diagnose.explain(str(error), tokens, text, _refusal) from None
    except BaseException as error:
        if _is_panic(error):
            raise PromqlError("the parser cannot read this expression", 0, len(text)) from None
        raise
    if "+" in text and re.search(_PLUS, text):
        from alertkit.promql import diagnose

        useless = diagnose.useless_sign(scan(text), _refusal, text)
        if useless is not None:
            raise useless
    return tree


def _inspected(text: str, version: Version) -> list[Token]:
    """The tokens of a text without what the Rust parser must not see."""
    tokens = scan(text)
    try:
        inspect(tokens, version)
    except PromqlError as error:
        from alertkit.promql import diagnose

        raise diagnose.earlier(error, tokens) from None
    return tokens


def _refusal(text: str) -> str | None:
    """What is said against a part of an inspected expression, None when nothing is."""
    try:
        _convert(_parser()(_plain_strings(text, scan(text))), 1)
    except Exception as error:
        return str(error)
    except BaseException as error:
        if _is_panic(error):
            return "the parser cannot read this expression"
        raise
    return None


def _is_panic(error: BaseException) -> bool:
    """A panic in Rust arrives as `PanicException`, which is no `Exception`."""
    return type(error).__name__ == "PanicException"


@cache
def _parser() -> Callable[[str], Any]:
    import promql_parser

    return cast("Callable[[str], Any]", promql_parser.parse)


def _plain_strings(text: str, tokens: list[Token]) -> str:
    """Backtick strings as double-quoted ones: the Rust parser looks for escapes in them."""
    if "`" not in text:
        return text
    pieces, end = [], 0
    for kind, piece, start in tokens:
        if kind == "string" and piece[0] == "`":
            raw = piece[1:-1].replace("\r", "").replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
            pieces += [text[end:start], f'"{raw}"']
            end = start + len(piece)
    return "".join([*pieces, text[end:]])


def _convert(node: Any, depth: int) -> Expr:
    if depth > MAX_DEPTH:
        raise PromqlError(f"the expression is nested deeper than {MAX_DEPTH} levels")
    return _CONVERT[type(node).__name__](node, depth + 1)


def _number(node: Any, depth: int) -> Expr:
    return NumberLiteral(node.val)


def _string(node: Any, depth: int) -> Expr:
    return StringLiteral(node.val)


def _selector(node: Any, depth: int) -> Selector:
    name: str | None = node.name
    found = node.matchers.matchers
    matchers: tuple[Matcher, ...] = ()
    if found:
        matchers = tuple([_matcher(matcher) for matcher in found])
        if name is None:
            name, matchers = _named(matchers)
    offset, at = node.offset, node.at
    return Selector(name, matchers, 0 if offset is None else _duration(offset), None if at is None else _at(at))


def _named(matchers: tuple[Matcher, ...]) -> tuple[str | None, tuple[Matcher, ...]]:
    """`{__name__="foo"}` is `foo`, so that equal selectors are equal."""
    names = [matcher for matcher in matchers if matcher.label == "__name__"]
    if len(names) == 1 and names[0].op == "=" and _IDENTIFIER.match(names[0].value):
        return names[0].value, tuple([matcher for matcher in matchers if matcher.label != "__name__"])
    return None, matchers


def _matcher(matcher: Any) -> Matcher:
    op = _OPS[str(matcher.op)]
    value: str = matcher.value
    if op in ("=~", "!~") and re.search(_DIFFERS, value):
        from alertkit.spec import regex

        if regex.mistake(value) is not None:
            raise PromqlError(f"illegal regex for {value}")
    return Matcher(matcher.name, op, value)


def _duration(delta: timedelta) -> int:
    milliseconds = delta // _MILLISECOND
    if abs(milliseconds) > LONGEST:
        raise PromqlError("the duration is longer than 292 years")
    return milliseconds


def _at(modifier: Any) -> At:
    kind = str(modifier.type).rpartition(".")[2]
    if kind == "At":
        return (modifier.at - _EPOCH) // _MILLISECOND  # type: ignore[no-any-return]
    return cast('Literal["start", "end"]', kind.lower())


def _matrix(node: Any, depth: int) -> Expr:
    return MatrixSelector(_selector(node.vector_selector, depth), _duration(node.range))


def _subquery(node: Any, depth: int) -> Expr:
    step, offset, at = node.step, node.offset, node.at
    return Subquery(
        _convert(node.expr, depth),
        _duration(node.range),
        None if step is None else _duration(step),
        0 if offset is None else _duration(offset),
        None if at is None else _at(at),
    )


def _call(node: Any, depth: int) -> Expr:
    return Call(node.func.name, tuple([_convert(arg, depth) for arg in node.args]))


def _aggregate(node: Any, depth: int) -> Expr:
    modifier, param = node.modifier, node.param
    grouping = None
    if modifier is not None:
        grouping = Grouping(tuple(modifier.labels), str(modifier.type).endswith("Without"))
    return Aggregate(
        str(node.op), _convert(node.expr, depth), None if param is None else _convert(param, depth), grouping
    )


def _binary(node: Any, depth: int) -> Expr:
    left, right = _convert(node.lhs, depth), _convert(node.rhs, depth)
    modifier = node.modifier
    if modifier is None:
        return Binary(str(node.op), left, right)
    matching = modifier.matching
    group = _GROUPS.get(str(modifier.card))
    joined = None
    if matching is not None:
        on = str(matching.type).endswith("Include")
        labels = tuple(matching.labels)
        if on or labels or group:
            joined = Matching(labels, on, group, tuple(modifier.group_labels or ()))
    return Binary(str(node.op), left, right, modifier.return_bool, joined)


def _unary(node: Any, depth: int) -> Expr:
    return Unary(_convert(node.expr, depth))


def _paren(node: Any, depth: int) -> Expr:
    return Paren(_convert(node.expr, depth))


_OPS: Final[dict[str, MatchOp]] = {
    "MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~",
}  # fmt: skip
_GROUPS: Final[dict[str, Literal["left", "right"]]] = {
    "VectorMatchCardinality.ManyToOne": "left",
    "VectorMatchCardinality.OneToMany": "right",
}
_CONVERT: Final[dict[str, Callable[[Any, int], Expr]]] = {
    "NumberLiteral": _number, "StringLiteral": _string, "VectorSelector": _selector, "MatrixSelector": _matrix,
    "SubqueryExpr": _subquery, "Call": _call, "AggregateExpr": _aggregate, "BinaryExpr": _binary,
    "UnaryExpr": _unary, "ParenExpr": _paren,
}  # fmt: skip
