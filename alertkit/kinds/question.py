"""The question of a kind: the PromQL whose value is compared, and what identifies one result."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from alertkit.spec.quantity import NUMBER, Unit, format_number
from alertkit.spec.selector import Selector

if TYPE_CHECKING:
    from alertkit.promql.labels import Labels


_HOLDS = {
    ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip


class Comparison(NamedTuple):
    """`op` is a PromQL comparison; `value` is in the signal's unit."""

    op: str
    value: float

    def holds(self, signal: float) -> bool:
        """Whether a signal of this value satisfies the comparison."""
        return bool(_HOLDS[self.op](signal, self.value))

    def __str__(self) -> str:
        return f"{self.op} {format_number(self.value)}"


# The lowest value of a signal that never comes to zero.
LEAST = math.ulp(0.0)


class Form(NamedTuple):
    """A level that a kind words itself: `expr` is the whole condition, `boundary` what it amounts to."""

    severity: str | None
    expr: str
    boundary: Comparison


class Question(NamedTuple):
    """What an alert asks.

    signal      PromQL whose value is compared. With `worst`, it is the value of each single series, and the
                compiler takes the worst of each identity (max or min, as the condition points).
    identity    labels that identify one result; the only labels that the result has (None: not known)
    unit        of the signal's value
    metric      the metric that names the signal, for records and messages
    operations  what was done to it, for the record's name: `p95_5m`
    inputs      selectors without which the question has no answer
    together    it has an answer while any one of the inputs is there
    fixed       the comparison, where the kind itself knows it
    forms       whole conditions, where one comparison cannot say it (burn rates)
    guards      vectors on the identity; the alert is silent unless each of them has an element
    records     further recording rules that `forms` read: (name, expression)
    range       the lowest and highest value that the signal can have
    exactly     the values that it can have to the last bit, where others are hit by accident only (None: any)
    nan         the signal is NaN where there is nothing to measure, as 0/0 is
    bare        the signal is a plain selector
    fixed_labels  labels beside the identity that every result surely has
    labels      what is known of the result's labels, where that is more or less than the identity
    notes       what the author should know though it may be right: a sentence, offset and length in `expr`
    """

    signal: str
    identity: tuple[str, ...] | None
    metric: str
    operations: str
    inputs: tuple[Selector, ...]
    unit: Unit = NUMBER
    worst: bool = False
    bare: bool = False
    fixed: Comparison | None = None
    forms: tuple[Form, ...] = ()
    guards: tuple[str, ...] = ()
    records: tuple[tuple[str, str], ...] = ()
    range: tuple[float, float] = (float("-inf"), float("inf"))
    exactly: tuple[float, ...] | None = None
    fixed_labels: tuple[tuple[str, str], ...] = ()
    labels: Labels | None = None
    notes: tuple[tuple[str, int, int], ...] = ()
    together: bool = False
    nan: bool = False

    @property
    def known_identity(self) -> tuple[str, ...]:
        """The identity; none of the labels where it is not known."""
        return self.identity or ()


def by(aggregation: str, labels: Sequence[str], expr: str) -> str:
    """An aggregation: `sum by (a, b) (expr)`, or `sum(expr)` over everything."""
    return f"{aggregation} by ({', '.join(labels)}) ({expr})" if labels else f"{aggregation}({expr})"


def on(labels: Sequence[str]) -> str:
    """The matching clause for vectors that share an identity."""
    return f"on ({', '.join(labels)})"
