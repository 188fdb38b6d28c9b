"""Valid expressions that surely do not do what they should: they can never fire, fire for good, or lose what they find.

Only what is certain from the expression alone is said here, because every finding stops a compile.
Sources: Prometheus documentation, "Query functions"; the trackers of kubernetes-mixin, pint and Prometheus.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from alertkit.promql.checks import value_type
from alertkit.promql.labels import NAME, Labels, result_labels
from alertkit.promql.tree import (
    COMPARISONS,
    Aggregate,
    Binary,
    Call,
    Expr,
    Matching,
    MatrixSelector,
    NumberLiteral,
    Paren,
    Selector,
    StringLiteral,
    Subquery,
)
from alertkit.promql.walk import metric_names, selectors, unwrap, walk, without_parens
from alertkit.spec.quantity import format_number
from alertkit.spec.selector import LABEL_HELP

# Functions that need two samples in their range.
_TWO_SAMPLES = frozenset({"rate", "increase", "irate", "delta", "idelta", "deriv", "predict_linear", "changes"})
_OF_COUNTERS = frozenset({"rate", "increase", "irate"})
_OF_GAUGES = frozenset({"delta", "idelta", "deriv", "predict_linear", "holt_winters", "double_exponential_smoothing"})
_COUNTER = ("_total", "_bucket")
# A `_timestamp_seconds` is none of them, as it only rises; `_info` may count messages of that level.
_GAUGE = ("_ratio", "_celsius")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


class Finding(NamedTuple):
    """One mistake; `node` is the part of the tree that has it, `word` a word of its own; empty: the whole part."""

    code: str
    message: str
    help: str
    node: Expr
    word: str = ""


def findings(expr: Expr, scrape_interval: int) -> Iterator[Finding]:
    """All that is certain to be wrong, each once; the scrape interval is in milliseconds."""
    told = set()
    for found in _found(expr, scrape_interval):
        key = found.code, id(found.node), found.word
        if key not in told:
            yield found
        told.add(key)


def _found(expr: Expr, scrape_interval: int) -> Iterator[Finding]:
    for node in _deciding(expr):
        yield from _bare_counter(node)
    for node in walk(expr):
        if isinstance(node, Binary):
            for of_binary in _OF_BINARY:
                yield from of_binary(node)
        elif isinstance(node, Call):
            for of_call in _OF_CALL:
                yield from of_call(node)
            if node.name in _TWO_SAMPLES:
                yield from _short_range(node, scrape_interval)


def _deciding(expr: Expr) -> Iterator[Expr]:
    """The parts each of which decides alone whether there is a result: beside `and` stand guards, too."""
    node = unwrap(expr)
    if isinstance(node, Binary) and node.op == "or":
        yield from _deciding(node.left)
        yield from _deciding(node.right)
    elif isinstance(node, Binary) and node.op == "unless":
        yield from _deciding(node.left)
    else:
        yield node


def _short_range(call: Call, scrape_interval: int) -> Iterator[Finding]:
    for argument in call.args:
        if isinstance(argument, MatrixSelector) and argument.range < 2 * scrape_interval:
            yield Finding(
                "AK312", f"the range of `{call.name}` is shorter than two scrapes: it would never hold data",
                f"use at least four scrapes, here {4 * scrape_interval // 1000}s", call, call.name,
            )  # fmt: skip


def _counted_to_nothing(node: Binary) -> Iterator[Finding]:
    """`count(...) == 0`: with nothing to count there is no result at all."""
    if node.op not in COMPARISONS:
        return
    for side, other, op in ((node.left, node.right, node.op), (node.right, node.left, _turned(node.op))):
        counted, limit = unwrap(side), unwrap(other)
        if not (isinstance(counted, Aggregate) and counted.op == "count" and isinstance(limit, NumberLiteral)):
            continue
        value = limit.value
        if {"==": value < 1, "<": value <= 1, "<=": value < 1}.get(op, False):
            yield Finding(
                "AK415", "this can never fire: of nothing there is no count, not even 0",
                "use `absent(...)`, or an alert of kind `absent` or `down`", counted, "count",
            )  # fmt: skip


def _turned(op: str) -> str:
    return {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(op, op)


def _quantile(node: Call) -> Iterator[Finding]:
    if node.name != "histogram_quantile":
        return
    of = node.args[1]
    classic = any(name.endswith("_bucket") for name in metric_names(of))
    if classic and not result_labels(of).may_have("le"):
        yield Finding(
            "AK415", "this can never fire: the aggregation drops `le`, without which there is no quantile",
            "keep it: `sum by (le, ...) (rate(..._bucket[5m]))`, or use kind `latency`", node, node.name,
        )  # fmt: skip
    while isinstance(of, Aggregate | Paren):
        of = of.expr
    if isinstance(of, Selector) and (of.name or "").endswith("_bucket"):
        yield Finding(
            "AK310", f"`{of.name}` is a counter: this is the quantile of all that ever was, not of late",
            "take the rate of the buckets first, `rate(..._bucket[5m])`, or use kind `latency`", of, of.name or "",
        )  # fmt: skip


def _strangers(node: Binary) -> Iterator[Finding]:
    """Two vectors of which no element can match one of the other, unless one of them is empty for that reason."""
    found = _mismatch(node)
    if found is not None:
        inner = (part for part in walk(node) if isinstance(part, Binary) and part is not node)
        if all(_mismatch(part) is None for part in inner):
            yield found


def _mismatch(node: Binary) -> Finding | None:
    if node.op in ("or", "unless"):
        return None
    if value_type(node.left) != "vector" or value_type(node.right) != "vector":
        return None
    left, right = result_labels(node.left), result_labels(node.right)
    matching = node.matching or Matching(())
    free = {NAME, *(() if matching.on else matching.labels)}
    for label in sorted({*(dict(left.known)), *(dict(right.known))} - free):
        one, two = left.value(label), right.value(label)
        if one and two and one != two and (not matching.on or label in matching.labels):
            return Finding(
                "AK415", f'this can never fire: `{label}` is "{one}" on the left and "{two}" on the right',
                f"say `ignoring ({label})`, or `on (...)` with the labels that are equal", node, node.op,
            )  # fmt: skip
    mine, theirs = (_alone(*sides, matching, free) for sides in ((left, right), (right, left)))
    if mine and theirs:
        message = f"`{_names(mine)}` on the left never matches `{_names(theirs)}` on the right"
    elif mine or theirs:
        message = f"only the {'left' if mine else 'right'} side has `{_names(mine or theirs)}`, so nothing matches"
    else:
        return None
    return Finding(
        "AK415", f"this can never fire: {message}", "aggregate both sides by the same labels, or say `on (...)`",
        node, node.op,
    )  # fmt: skip


def _alone(one: Labels, two: Labels, matching: Matching, free: set[str]) -> frozenset[str]:
    """Labels that are compared, and that one side has and the other cannot have.

    Who aggregates by a label has it: of two sides whose labels are all known, those of one alone count as there.
    """
    there = one.required if one.open or two.open or matching.on else one.names
    compared = there & frozenset(matching.labels) if matching.on else there - free
    return frozenset(label for label in compared if not two.may_have(label))


def _names(labels: frozenset[str]) -> str:
    return ", ".join(sorted(labels))


class _Limit(NamedTuple):
    """A signal that is compared with a number."""

    node: Binary
    signal: Expr
    op: str
    value: float

    def implies(self, other: _Limit) -> bool:
        """Whether what satisfies this one surely satisfies the other."""
        if self.op == "==":
            return other.holds(self.value)
        if self.op[0] != other.op[0] or self.op == "!=":
            return self.op == other.op and self.value == other.value
        if self.value == other.value:
            return self.op == other.op or len(other.op) == 2
        return self.value > other.value if self.op[0] == ">" else self.value < other.value

    def excludes(self, other: _Limit) -> bool:
        """Whether no value satisfies both."""
        if self.op == "==":
            return not other.holds(self.value)
        if self.op[0] != ">" or other.op[0] != "<":
            return False
        share_one = self.op == ">=" and other.op == "<="
        return self.value > other.value or (self.value == other.value and not share_one)

    def holds(self, value: float) -> bool:
        """Whether `value` satisfies it."""
        return {
            ">": value > self.value, "<": value < self.value, ">=": value >= self.value, "<=": value <= self.value,
            "==": value == self.value, "!=": value != self.value,
        }[self.op]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.op} {format_number(self.value)}"


def _same_signal(node: Binary) -> Iterator[Finding]:
    """Conditions on one signal, joined so that they exclude one another or that one of them says nothing."""
    if node.op not in ("or", "and") or node.matching is not None:
        return
    right = _limit(node.right)
    if right is None:
        return
    for left in _limits(node.left, node.op):
        if left.signal != right.signal:
            continue
        if node.op == "and" and (left.excludes(right) or right.excludes(left)):
            yield Finding(
                "AK415", f"this can never fire: nothing is both `{left}` and `{right}`",
                "write `or` if either is meant", node, node.op,
            )  # fmt: skip
            return
        narrow, wide = (left, right) if left.implies(right) else (right, left)
        if narrow.implies(wide):
            useless = narrow if node.op == "or" else wide
            yield Finding(
                "AK417", f"`{useless}` adds nothing: what is `{narrow}` is `{wide}`, too",
                "remove it, or mend what was meant", useless.node, useless.node.op,
            )  # fmt: skip


def _limits(expr: Expr, op: str) -> Iterator[_Limit]:
    """The conditions of a chain of one operator."""
    node = unwrap(expr)
    if isinstance(node, Binary) and node.op == op and node.matching is None:
        yield from _limits(node.left, op)
        yield from _limits(node.right, op)
    elif (limit := _limit(node)) is not None:
        yield limit


def _limit(expr: Expr) -> _Limit | None:
    node = unwrap(expr)
    if not isinstance(node, Binary) or node.op not in COMPARISONS or node.bool:
        return None
    for side, other, op in ((node.left, node.right, node.op), (node.right, node.left, _turned(node.op))):
        limit = unwrap(other)
        if isinstance(limit, NumberLiteral) and value_type(side) == "vector":
            return _Limit(node, without_parens(side), op, limit.value)
    return None


def _bare_counter(node: Expr) -> Iterator[Finding]:
    limit = _limit(node)
    if limit is None or limit.op not in (">", ">=", "!=") or not isinstance(limit.signal, Selector):
        return
    name = limit.signal.name or ""
    if name.endswith(_COUNTER):
        selector = next(part for part in walk(limit.node) if isinstance(part, Selector))
        yield Finding(
            "AK310", f"`{name}` is a counter by its name: comparing it with a number would fire for good",
            f"use kind `rate` or `increase`, or if it is a gauge after all `last_over_time({name}[5m])`",
            selector, name,
        )  # fmt: skip


def _of_the_other_type(node: Call) -> Iterator[Finding]:
    """What is for gauges, of a counter, and the reverse."""
    if node.name in _OF_GAUGES:
        for argument in node.args:
            name = argument.selector.name if isinstance(argument, MatrixSelector) else None
            if name and name.endswith(_COUNTER):
                yield Finding(
                    "AK310", f"`{node.name}` is for gauges, and `{name}` is a counter: each restart would be a fall",
                    f"use `rate` or `increase`, or if it is a gauge after all a subquery, `{name}[5m:]`",
                    node, node.name,
                )  # fmt: skip
    if node.name in _OF_COUNTERS:
        for argument in node.args:
            name = argument.selector.name if isinstance(argument, MatrixSelector) else None
            if name and (name == "up" or name.endswith(_GAUGE)):
                yield Finding(
                    "AK310", f"`{node.name}` is for counters, and `{name}` is a gauge: each fall would be a restart",
                    "use `delta` or `deriv`, or compare the gauge itself", node, node.name,
                )  # fmt: skip


def _rate_of_a_sum(node: Call) -> Iterator[Finding]:
    if node.name in _OF_COUNTERS:
        for argument in node.args:
            inner = unwrap(argument.expr) if isinstance(argument, Subquery) else None
            if isinstance(inner, Aggregate):
                yield Finding(
                    "AK416", f"`{node.name}` of a `{inner.op}` takes the restart of one series for a leap of all",
                    f"turn it round: `{inner.op}({node.name}(...[5m]))`", node, node.name,
                )  # fmt: skip


def _absent_of_an_aggregation(node: Call) -> Iterator[Finding]:
    if node.name not in ("absent", "absent_over_time"):
        return
    of = unwrap(node.args[0])
    if isinstance(unwrap(of.expr) if isinstance(of, Subquery) else of, Aggregate):
        yield Finding(
            "AK416", f"`{node.name}` of an aggregation has no labels: nobody could tell what is gone",
            "ask for the series themselves, `absent(metric{job=\"api\"})`, or use kind `absent`", node, node.name,
        )  # fmt: skip


def _labels_and_patterns(node: Call) -> Iterator[Finding]:
    """Labels that no series can have, and what is refused only when it is evaluated, and then with the whole rule."""
    if node.name not in ("label_replace", "label_join"):
        return
    replace = node.name == "label_replace"
    for place in (1, 3) if replace else (1, *range(3, len(node.args))):
        text = unwrap(node.args[place])
        if replace and place == 3 and text == StringLiteral(""):
            continue  # who replaces nothing sets the label for good
        if isinstance(text, StringLiteral) and not _LABEL.fullmatch(text.value):
            yield Finding("AK411", f"`{text.value}` is not a label name", LABEL_HELP, node.args[place])
    if replace and isinstance(pattern := unwrap(node.args[4]), StringLiteral):
        from alertkit.spec import regex

        why = regex.mistake(pattern.value)
        if why:
            yield Finding(
                "AK411", f"`{pattern.value}` is not a regular expression of RE2: {why}",
                "`label_replace` would fail, and the whole rule with it", node.args[4],
            )  # fmt: skip


_OF_BINARY: tuple[Callable[[Binary], Iterator[Finding]], ...] = (_counted_to_nothing, _strangers, _same_signal)
_OF_CALL: tuple[Callable[[Call], Iterator[Finding]], ...] = (
    _quantile, _of_the_other_type, _rate_of_a_sum, _absent_of_an_aggregation, _labels_and_patterns,
)  # fmt: skip


def unseen_births(expr: Expr) -> Iterator[Binary]:
    """Conditions `increase(...) > 0`: of a series that begins with its first event they do not see that event.

    No mistake where a counter begins at 0. Whoever reads the metric a second time looks for new series already.
    """
    for node in _deciding(expr):
        limit = _limit(node)
        if limit is None or limit.value != 0 or limit.op not in (">", "!="):
            continue
        of = limit.signal
        while isinstance(of, Aggregate):
            of = of.expr
        if isinstance(of, Call) and of.name == "increase":
            read = [use.selector.name for use in selectors(expr)]
            if all(read.count(name) == 1 for name in metric_names(of)):
                yield limit.node


def fires_when_absent(expr: Expr) -> bool:
    """Whether the whole condition, or one branch of its `or`, is that something is absent at this moment."""
    node = unwrap(expr)
    if isinstance(node, Binary) and (node.op == "or" or node.op in COMPARISONS):
        return fires_when_absent(node.left) or fires_when_absent(node.right)
    return isinstance(node, Call) and node.name == "absent"
