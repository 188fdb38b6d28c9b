"""The parts of an expression with their places, read only to say where an expression is wrong.

The syntax is that of Prometheus (`promql/parser/generated_parser.y`); types are the Rust parser's to judge. Levels are
kept on a list, not on Python's stack: an expression may be `MAX_DEPTH` deep.
"""

from __future__ import annotations

from typing import NamedTuple

from alertkit.promql.functions import (
    AGGREGATIONS,
    FUNCTIONS,
    GROUPING_WORDS,
    OPERATOR_WORDS,
    REFUSED,
)
from alertkit.promql.scan import PRECEDENCE, PromqlError, Token, error_at, scan
from alertkit.promql.tree import COMPARISONS, Expr
from alertkit.promql.walk import children

_UNARY = PRECEDENCE["*"]
_POWER = PRECEDENCE["^"]
_KEYWORDS = OPERATOR_WORDS | GROUPING_WORDS | {"bool", "offset"}
# Keywords that can be the name of a metric.
_NAMES = ("and", "or", "unless", "by", "without", "offset")
_GROUPS = ("group_left", "group_right")
_NUMBERS = ("inf", "nan")
_MATCH_OPS = ("=", "!=", "=~", "!~")
# Two characters that other languages write as one operator.
_FOREIGN = {"<>": "!=", "**": "^"}


class Part(NamedTuple):
    """An operand with all that belongs to it; `key` is the token that names it: a function, an operator, a range.

    `kind`: selector, literal, paren, call, aggregation, range, offset, @, unary or binary; `start` and `end` are
    offsets in the text; `parts` are its own operands.
    """

    kind: str
    key: Token
    start: int
    end: int
    parts: tuple[Part, ...] = ()


class _Level:
    """What stands between two parentheses, or between none: operands and operators that wait for their right side."""

    def __init__(self, kind: str = "", key: Token | None = None, start: int = 0, grouped: bool = False) -> None:
        self.kind, self.key, self.start, self.grouped = kind, key, start, grouped
        self.operands: list[Part] = []
        self.operators: list[tuple[int, Token, bool]] = []
        self.arguments: list[Part] = []

    def reduce(self, least: int) -> None:
        """Join what binds at least as strongly as `least`."""
        while self.operators and self.operators[-1][0] >= least:
            _, token, unary = self.operators.pop()
            right = self.operands.pop()
            if unary:
                self.operands.append(Part("unary", token, token.start, right.end, (right,)))
            else:
                left = self.operands.pop()
                self.operands.append(Part("binary", token, left.start, right.end, (left, right)))


def read_parts(tokens: list[Token]) -> Part:
    """The whole expression; raises `PromqlError` at the first token that cannot stand where it stands."""
    return _Reader(tokens).read()


def place(text: str, tree: Expr, node: Expr, word: str = "") -> tuple[int, int]:
    """Offset and length in `text` of a part of its tree: of the part's own token `word`, else of the whole part."""
    try:
        tokens = scan(text)
        pending = [(tree, read_parts(tokens))]
    except PromqlError:  # a keyword as a name, in a place that only the Rust parser understands
        return 0, len(text)
    while pending:
        expr, whole = pending.pop()
        part = whole
        while part.kind in ("offset", "@") or (part.kind == "unary" and part.key.text == "+"):  # no nodes of the tree
            part = part.parts[0]
        if expr is node:
            for token in tokens:
                inside = any(inner.start <= token.start < inner.end for inner in part.parts)
                if token.text == word and part.start <= token.start < part.end and not inside:
                    return token.start, len(word)
            return whole.start, whole.end - whole.start
        pending += zip(children(expr), part.parts, strict=False)
    return 0, len(text)


def _end(token: Token) -> int:
    return token.start + len(token.text)


class _Reader:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.levels = [_Level()]

    def text(self, ahead: int = 0) -> str:
        """The token that comes, in lower case as keywords are compared; empty at the end."""
        place = self.at + ahead
        return self.tokens[place].text.lower() if place < len(self.tokens) else ""

    def next(self) -> Token:
        self.at += 1
        return self.tokens[self.at - 1]

    @property
    def before(self) -> Token | None:
        return self.tokens[self.at - 1] if self.at else None

    def unexpected(self, wanted: str) -> PromqlError:
        """Of the token that comes; at the end of the one before."""
        if self.at >= len(self.tokens):
            token = self.tokens[-1]
            if token.text == "@" or token.text.lower() in _KEYWORDS - OPERATOR_WORDS:
                return error_at(token, f"`{token.text}` is not complete")
            return error_at(token, f"nothing follows `{token.text}`")
        token = self.tokens[self.at]
        return error_at(token, f"expected {wanted}, found `{token.text}`")

    def read(self) -> Part:
        while True:
            level = self.levels[-1]
            if not self.operand(level):
                continue
            while True:
                level = self.levels[-1]
                self.suffixes(level)
                if self.at == len(self.tokens):
                    level.reduce(0)
                    return level.operands[0]
                if self.text() == ")":
                    self.close(level)
                elif self.text() == "," and level.kind in ("call", "aggregation"):
                    level.reduce(0)
                    level.arguments.append(level.operands.pop())
                    self.next()
                    if self.text() == ")":
                        raise error_at(self.tokens[self.at - 1], "there is no argument after this comma")
                    break
                else:
                    self.operator(level)
                    break

    def operand(self, level: _Level) -> bool:
        """Read what stands where an operand is due; False when the operand itself is still to come."""
        if self.at == len(self.tokens):
            raise self.unexpected("an expression")
        token = self.tokens[self.at]
        kind, text, start = token
        before = self.before
        if text in ("+", "-") and kind == "op":
            self.next()
            level.operators.append((_UNARY, token, True))
            return False
        if text == "(":
            self.next()
            self.levels.append(_Level("paren", token, start))
            return False
        if kind in ("string", "number", "duration"):
            self.next()
            level.operands.append(Part("literal", token, start, _end(token)))
            return True
        if text == "{":
            end = self.braces()
            level.operands.append(Part("selector", token, start, end))
            return True
        if text == ")" and before is not None:
            if before.text == "(" and level.kind in ("call", "aggregation"):
                self.close(level)
                return True
            if before.text == "(":
                raise error_at(token, "there is nothing between these parentheses")
            raise error_at(before, f"nothing follows `{before.text}`")
        if kind == "range":
            raise error_at(token, "a range can only follow a selector")
        if text == "=" and before is not None and before.text in COMPARISONS:
            written = before.text.removesuffix("=") + "="
            raise error_at(token, f"to compare write `{written}`, without a space or a further `=`")
        if kind == "op":
            meant = _FOREIGN.get(before.text + text) if before is not None and _end(before) == start else None
            if meant and before is not None:
                raise PromqlError(f"`{before.text}{text}` is no operator, write `{meant}`", before.start, 2)
            raise self.unexpected("an expression" if before is None else f"an expression after `{before.text}`")
        return self.word(level)

    def word(self, level: _Level) -> bool:
        token = self.next()
        lowered = token.text.lower()
        if lowered in _KEYWORDS and not (lowered in _NAMES and self.ends()):
            raise self.keyword(token)
        opens = self.text() == "("
        if lowered in AGGREGATIONS and (opens or self.text() in ("by", "without")):
            grouped = not opens
            if grouped:
                word = self.next()
                self.labels()
                if self.text() in ("by", "without"):
                    raise error_at(self.next(), f"`{token.text}` has one `by` or `without`, this is the second")
                if self.text() != "(":
                    raise self.unexpected(f"`(` and a vector after `{word.text} (...)`")
            self.next()
            self.levels.append(_Level("aggregation", token, token.start, grouped))
            return False
        if opens:
            if token.text not in FUNCTIONS and token.text not in REFUSED:
                raise _unknown(token)
            self.next()
            self.levels.append(_Level("call", token, token.start))
            return False
        named = lowered in AGGREGATIONS or token.text in FUNCTIONS
        if named and self.at < len(self.tokens):
            after = self.tokens[self.at]
            if after.kind in ("string", "number", "duration") or (
                after.kind == "word" and after.text.lower() not in _KEYWORDS
            ):
                raise self.unexpected(f"`(` after `{token.text}`")
        if lowered in _NUMBERS:
            level.operands.append(Part("literal", token, token.start, _end(token)))
            return True
        end = self.braces() if self.text() == "{" else _end(token)
        level.operands.append(Part("selector", token, token.start, end))
        return True

    def ends(self) -> bool:
        """Whether what comes can follow a metric's name."""
        if self.at == len(self.tokens):
            return True
        token = self.tokens[self.at]
        return token.kind == "range" or token.text.lower() in ("@", ")", ",", "{", *PRECEDENCE)

    def keyword(self, token: Token) -> PromqlError:
        """Why a keyword is no operand."""
        text, lowered = token.text, token.text.lower()
        before = self.tokens[self.at - 2] if self.at > 1 else None
        if before is None:
            return error_at(token, f"`{text}` is a keyword and cannot start an expression")
        if lowered in _GROUPS:
            return error_at(token, f"`{text}` needs `on (...)` or `ignoring (...)` before it")
        return error_at(token, f"expected an expression after `{before.text}`, found `{text}`")

    def close(self, level: _Level) -> None:
        """The parenthesis of a level ends, and with it an operand of the level around it."""
        closing = self.next()
        level.reduce(0)
        if level.operands:
            level.arguments.append(level.operands.pop())
        if level.kind == "" or level.key is None:
            raise error_at(closing, "`)` closes nothing")
        self.levels.pop()
        end = _end(closing)
        if level.kind == "aggregation" and self.text() in ("by", "without") and not level.grouped:
            self.next()
            end = self.labels()
            level.grouped = True
        if level.kind == "aggregation" and self.text() in ("by", "without"):
            raise error_at(self.next(), f"`{level.key.text}` has one `by` or `without`, this is the second")
        self.levels[-1].operands.append(Part(level.kind, level.key, level.start, end, tuple(level.arguments)))

    def suffixes(self, level: _Level) -> None:
        """Ranges, `offset` and `@` behind an operand."""
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token.kind == "range":
                self.next()
                kind, end = "range", _end(token)
            elif token.kind == "word" and token.text.lower() == "offset":
                self.next()
                kind, end = "offset", self.length()
            elif token.text == "@":
                self.next()
                kind, end = "@", self.time()
            else:
                return
            inner = level.operands.pop()
            level.operands.append(Part(kind, token, inner.start, end, (inner,)))

    def length(self) -> int:
        """What follows `offset`."""
        if self.text() in ("-", "+"):
            self.next()
        if self.at == len(self.tokens) or self.tokens[self.at].kind not in ("duration", "number"):
            raise self.unexpected("a duration like 5m after `offset`")
        return _end(self.next())

    def time(self) -> int:
        """What follows `@`."""
        if self.text() in ("start", "end"):
            word = self.next()
            for sign in "()":
                if self.text() != sign:
                    raise error_at(word, f"after `@` write `{word.text}()`")
                closing = self.next()
            return _end(closing)
        if self.text() in ("-", "+"):
            self.next()
        if self.at < len(self.tokens) and self.tokens[self.at].kind not in ("duration", "number"):
            raise error_at(self.tokens[self.at], "expected seconds since 1970, start() or end() after `@`")
        if self.at == len(self.tokens):
            raise self.unexpected("a time")
        return _end(self.next())

    def operator(self, level: _Level) -> None:
        """A binary operator with `bool`, and how its sides are matched."""
        token = self.tokens[self.at]
        text, lowered = token.text, token.text.lower()
        if lowered not in PRECEDENCE:
            raise self.no_operator(token, level)
        self.next()
        binding = PRECEDENCE[lowered]
        level.reduce(binding + 1 if binding == _POWER else binding)
        level.operators.append((binding, token, False))
        if self.text() == "bool":
            word = self.next()
            if lowered not in COMPARISONS:
                raise error_at(word, f"`bool` belongs to a comparison, it cannot follow `{text}`")
        if self.text() in ("on", "ignoring"):
            word = self.next()
            self.labels()
            if self.text() in _GROUPS:
                word = self.next()
                if self.text() == "(":
                    self.labels()
            if self.at == len(self.tokens):
                raise error_at(word, f"nothing follows `{word.text} (...)`")
            if self.text() in ("on", "ignoring"):
                raise error_at(self.next(), "an operator has one `on` or `ignoring`, this is the second")
            if self.text() in _GROUPS:
                raise error_at(self.next(), "an operator has one `group_left` or `group_right`, this is the second")
            if self.text() == "bool":
                raise error_at(self.next(), f"`bool` stands right after the operator, before `{word.text}`")
        elif self.text() == "bool":
            raise error_at(self.next(), "`bool` is given twice")

    def no_operator(self, token: Token, level: _Level) -> PromqlError:
        """Why a token cannot follow an operand."""
        text, lowered = token.text, token.text.lower()
        before = self.before
        assert before is not None
        if text in ("=", "=~", "!~"):
            follows = self.text(1)
            meant = f"{follows}=" if follows in ("<", ">") else "=="  # `=>` is a slip, too
            return error_at(token, f"`{text}` stands only between a label and its value; to compare write `{meant}`")
        if lowered in ("by", "without"):
            if level.kind == "aggregation" and level.key is not None:
                return error_at(
                    token, f"`{text}` stands before or behind the parentheses of `{level.key.text}`, not in them"
                )
            return error_at(token, f"`{text}` belongs to an aggregation such as sum()")
        if lowered in GROUPING_WORDS | {"bool"}:
            return error_at(token, f"`{text}` can only follow an operator")
        if text == "{":
            return error_at(token, "matchers can only follow a metric name")
        if text == ",":
            return error_at(token, "a comma stands only between arguments, labels or matchers")
        return error_at(token, f"expected an operator between `{before.text}` and `{text}`")

    def labels(self) -> int:
        """A list of labels in parentheses."""
        word = self.tokens[self.at - 1].text
        if self.text() != "(":
            raise self.unexpected(f"`(` after `{word}`")
        self.next()
        while self.text() != ")":
            if self.text() in ("without", *_NUMBERS):  # Prometheus takes every other keyword here
                raise self.unexpected("a label name")
            label = self.label()
            _no_colon(label)
            if self.text() == ",":
                self.next()
            elif self.text() != ")":
                raise self.unexpected(f"`,` or `)` after the label `{label.text}`")
        return _end(self.next())

    def label(self) -> Token:
        if self.at == len(self.tokens) or self.tokens[self.at].kind not in ("word", "string"):
            raise self.unexpected("a label name")
        return self.next()

    def braces(self) -> int:
        """Matchers in braces."""
        self.next()
        while self.text() != "}":
            label = self.label()
            if label.text == "or":
                raise error_at(label, "a matcher of the label `or` is not supported")
            if label.kind == "word" or self.text() not in (",", "}"):
                if self.text() not in _MATCH_OPS:
                    if label.text.endswith(":"):
                        raise error_at(label, f"`:` is no operator between matchers, write `{label.text[:-1]}=`")
                    raise self.unexpected(f"one of = != =~ !~ after the label `{label.text}`")
                _no_colon(label)
                sign = self.next()
                value = self.tokens[self.at] if self.at < len(self.tokens) else None
                if value is not None and value.kind in ("word", "number", "duration"):
                    raise error_at(value, f'the value of a matcher is a string, write "{value.text}" in quotes')
                if value is None or value.kind != "string":
                    raise self.unexpected(f"a value in quotes after `{label.text}{sign.text}`")
                self.next()
            if self.text() == ",":
                self.next()
            elif self.text() != "}":
                raise self.unexpected("`,` or `}` between matchers")
        return _end(self.next())


def _no_colon(label: Token) -> None:
    if ":" in label.text and label.kind == "word":
        raise error_at(label, f"`{label.text}` is not a label name, it has a `:`")


def _unknown(token: Token) -> PromqlError:
    from alertkit.spec.validate import nearest

    close = nearest(token.text, FUNCTIONS | AGGREGATIONS)
    hint = f", did you mean `{close}`?" if close else ""
    return error_at(token, f"there is no function `{token.text}`{hint}")
