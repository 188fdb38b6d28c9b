"""The PromQL syntax tree: frozen values that compare, hash and copy, with durations in whole milliseconds.

Nodes do no checking of types; `alertkit.promql.parse` only builds trees that Prometheus accepts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

At: TypeAlias = int | Literal["start", "end"]
"""The time of an `@` modifier: milliseconds since the epoch, or the start or end of the query."""

MatchOp: TypeAlias = Literal["=", "!=", "=~", "!~"]

COMPARISONS = frozenset({"==", "!=", ">", "<", ">=", "<="})
ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "^", "atan2"})
SETS = frozenset({"and", "or", "unless"})


@dataclass(frozen=True, slots=True, eq=False)
class NumberLiteral:
    """A float; NaN equals NaN here, and 0 does not equal -0, because they print differently."""

    value: float

    def _key(self) -> tuple[float | str, float]:
        return ("NaN", 1.0) if math.isnan(self.value) else (self.value, math.copysign(1.0, self.value))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NumberLiteral) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())


@dataclass(frozen=True, slots=True)
class StringLiteral:
    """A string without its quotes and escapes."""

    value: str


@dataclass(frozen=True, slots=True)
class Matcher:
    """One `label op "value"` of a selector."""

    label: str
    op: MatchOp
    value: str


@dataclass(frozen=True, slots=True)
class Selector:
    """`name{matchers} offset o @ at`: an instant vector. `offset` in ms, negative looks forward."""

    name: str | None = None
    matchers: tuple[Matcher, ...] = ()
    offset: int = 0
    at: At | None = None


@dataclass(frozen=True, slots=True)
class MatrixSelector:
    """`selector[range]`: `range` in ms; offset and `@` stand in the selector."""

    selector: Selector
    range: int


@dataclass(frozen=True, slots=True)
class Subquery:
    """`expr[range:step]`: milliseconds; `step` None is the evaluation interval of the server."""

    expr: Expr
    range: int
    step: int | None = None
    offset: int = 0
    at: At | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments."""

    name: str
    args: tuple[Expr, ...] = ()


@dataclass(frozen=True, slots=True)
class Grouping:
    """`by (labels)`, or `without (labels)`."""

    labels: tuple[str, ...]
    without: bool = False


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`op grouping (param, expr)`; `param` only for topk, bottomk, quantile, count_values and the limits."""

    op: str
    expr: Expr
    param: Expr | None = None
    grouping: Grouping | None = None


@dataclass(frozen=True, slots=True)
class Matching:
    """How two vectors are joined.

    `on (labels)` or `ignoring (labels)`; `group` says which side has many elements for one of the other;
    `include` are labels that the result takes from the "one" side.
    """

    labels: tuple[str, ...]
    on: bool = False
    group: Literal["left", "right"] | None = None
    include: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Binary:
    """`left op right`. `bool` only with comparisons, `matching` only between two vectors."""

    op: str
    left: Expr
    right: Expr
    bool: bool = False
    matching: Matching | None = None


@dataclass(frozen=True, slots=True)
class Unary:
    """`-expr`; a unary plus means nothing and is not kept, a minus before a number is part of it."""

    expr: Expr


@dataclass(frozen=True, slots=True)
class Paren:
    """`(expr)` as the user wrote it."""

    expr: Expr


Expr: TypeAlias = (
    NumberLiteral
    | StringLiteral
    | Selector
    | MatrixSelector
    | Subquery
    | Call
    | Aggregate
    | Binary
    | Unary
    | Paren
)  # fmt: skip
