"""Which labels the result of an expression can have, must have, and with which values.

The idea is that of pint's `parser/source`. The rules follow Prometheus' engine (`promql/engine.go` and
`functions.go`); the metric's name is the label `__name__` like any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from alertkit.promql.checks import value_type
from alertkit.promql.tree import (
    COMPARISONS,
    Aggregate,
    Binary,
    Call,
    Expr,
    Matching,
    MatrixSelector,
    Paren,
    Selector,
    StringLiteral,
    Subquery,
    Unary,
)
from alertkit.promql.walk import unwrap

NAME = "__name__"
_KEEP_ALL = frozenset({"sort", "sort_desc", "sort_by_label", "sort_by_label_desc", "last_over_time", "first_over_time"})
_SELECTING = frozenset({"topk", "bottomk", "limitk", "limit_ratio"})


class Labels(NamedTuple):
    """The labels of every element of a result.

    `open`: any label can be there except those in `names`; not open: only those in `names` can. `required` are on
    every element with a value that is not empty; `known` are pairs of a required label and its one possible value,
    sorted.
    An inference never says `must_have` or leaves out `may_have` without being sure.
    """

    open: bool = False
    names: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    known: tuple[tuple[str, str], ...] = ()

    def may_have(self, name: str) -> bool:
        """Whether an element can have the label `name`."""
        return (name not in self.names) if self.open else (name in self.names)

    def must_have(self, name: str) -> bool:
        """Whether every element has the label `name`."""
        return name in self.required

    def value(self, name: str) -> str | None:
        """The one value of the label on every element; the empty string when no element can have it."""
        return dict(self.known).get(name) if self.may_have(name) else ""


NO_LABELS = Labels()


def result_labels(expr: Expr) -> Labels:
    """The labels of the result of `expr`; of a matrix those of its series, of a scalar or string none."""
    match expr:
        case Selector():
            return _selector(expr)
        case MatrixSelector(inner) | Subquery(inner) | Paren(inner):
            return result_labels(inner)
        case Unary(inner):
            return _without(result_labels(inner), {NAME})
        case Call():
            return _call(expr)
        case Aggregate():
            return _aggregate(expr)
        case Binary():
            return _binary(expr)
    return NO_LABELS


def _build(is_open: bool, names: Iterable[str], required: Iterable[str], known: Mapping[str, str | None]) -> Labels:
    """Drops what contradicts: no label is required or known where it cannot be."""
    shape = Labels(is_open, frozenset(names))
    pairs = [(name, value) for name, value in known.items() if value and shape.may_have(name)]
    needed = frozenset(name for name in required if shape.may_have(name))
    return Labels(is_open, shape.names, needed, tuple(sorted(pairs)))


def _selector(expr: Selector) -> Labels:
    excluded, required, known = set(), {NAME}, {}
    if expr.name is not None:
        known[NAME] = expr.name
    for label, op, value in ((m.label, m.op, m.value) for m in expr.matchers):
        if op == "=" and value == "":
            excluded.add(label)
        elif op == "=":
            required.add(label)
            known[label] = value
        elif _refuses_empty(op, value):
            required.add(label)
    return _build(True, excluded, required, known)


def _refuses_empty(op: str, value: str) -> bool:
    """Whether a matcher lets no series without the label pass; False where Python cannot read the RE2 pattern."""
    if op == "!=":
        return value == ""
    matches = _fullmatch(value, "")
    return matches is not None and bool(matches) == (op == "!~")


def _fullmatch(pattern: str, text: str) -> re.Match[str] | Literal[False] | None:
    """The match, False when there is none, None when Python cannot read the RE2 pattern."""
    try:
        return re.fullmatch(pattern, text, re.DOTALL | re.ASCII) or False
    except (re.error, RecursionError, OverflowError):
        return None


def _without(labels: Labels, dropped: Iterable[str]) -> Labels:
    gone = frozenset(dropped)
    names = labels.names | gone if labels.open else labels.names - gone
    return _build(labels.open, names, labels.required - gone, dict(labels.known))


def _only(labels: Labels, kept: Iterable[str]) -> Labels:
    names = [name for name in kept if labels.may_have(name)]
    return _build(False, names, labels.required, dict(labels.known))


def _set(labels: Labels, name: str, value: str | None, required: bool) -> Labels:
    """`name` is overwritten: by `value` when that is known (the empty string removes it), else by anything."""
    if value == "":
        return _without(labels, {name})
    names = labels.names - {name} if labels.open else labels.names | {name}
    needed = labels.required | {name} if required or value else labels.required - {name}
    return _build(labels.open, names, needed, {**dict(labels.known), name: value})


def _call(expr: Call) -> Labels:
    name, args = expr.name, expr.args
    if name in ("absent", "absent_over_time"):
        return _absent(unwrap(args[0]))
    if name in ("vector", "scalar", "time", "pi") or not args:
        return NO_LABELS
    operand = next((arg for arg in args if value_type(arg) in ("vector", "matrix")), None)
    labels = NO_LABELS if operand is None else result_labels(operand)
    if name == "label_replace":
        return _label_replace(labels, *_texts(args[1:]))
    if name == "label_join":
        return _label_join(labels, _texts(args[1:]))
    if name == "info":
        return Labels(open=True)
    if name in _KEEP_ALL:
        return labels
    if name in ("histogram_quantile", "histogram_fraction"):
        return _without(labels, {NAME, "le"})
    return _without(labels, {NAME})


def _texts(args: Iterable[Expr]) -> list[str]:
    return [text.value for text in map(unwrap, args) if isinstance(text, StringLiteral)]


def _absent(operand: Expr) -> Labels:
    """Only a bare selector gives labels, those with equality matchers.

    What a second matcher for the same label does differs between 2.42 and later, so nothing is certain then.
    """
    selector = operand.selector if isinstance(operand, MatrixSelector) else operand
    if not isinstance(selector, Selector):
        return NO_LABELS
    labels = [m.label for m in selector.matchers]
    equal = {m.label: m.value for m in selector.matchers if m.op == "=" and m.value and m.label != NAME}
    once = {label: value for label, value in equal.items() if labels.count(label) == 1}
    return _build(False, equal, once, once)


def _label_replace(labels: Labels, target: str, template: str, source: str, pattern: str) -> Labels:
    """Where the pattern does not match, the element stays as it is."""
    before = labels.value(source) if source else ""
    if before is not None:
        match = _fullmatch(pattern, before)
        if match is False:
            return labels
        if match is not None:
            return _set(labels, target, _expand(template, match), required=False)
    literal = re.sub(r"\$(?:\w+|\{\w+\})", "", template) != ""
    if pattern in (".*", "(.*)"):
        copied = template in ("$1", "${1}") and pattern == "(.*)" and labels.must_have(source)
        return _set(labels, target, None if "$" in template else template, required=literal or copied)
    if template in ("", labels.value(target)):
        known = {name: value for name, value in labels.known if name != target or value == template}
        return _build(labels.open, labels.names, labels.required - ({target} - known.keys()), known)
    return _set(labels, target, None, required=literal and labels.must_have(target))


def _expand(template: str, match: re.Match[str]) -> str | None:
    """The replacement's text; None when it uses what cannot be told from here, such as named groups."""
    if "$" not in template:
        return template
    if re.search(r"\$(?!\d+(?![0-9A-Za-z_])|\{\d+\})", template):
        return None

    def group(reference: re.Match[str]) -> str:
        number = int(reference[1] or reference[2])
        return (match[number] or "") if number <= match.re.groups else ""

    return re.sub(r"\$(?:(\d+)|\{(\d+)\})", group, template)


def _label_join(labels: Labels, texts: list[str]) -> Labels:
    target, separator, *sources = texts
    values = [labels.value(source) for source in sources]
    if None not in values:
        return _set(labels, target, separator.join([value or "" for value in values]), required=False)
    filled = (separator != "" and len(sources) > 1) or any(labels.must_have(source) for source in sources)
    return _set(labels, target, None, required=filled)


def _aggregate(expr: Aggregate) -> Labels:
    inner = result_labels(expr.expr)
    if expr.op in _SELECTING:
        return inner
    counted = None
    if expr.op == "count_values" and expr.param is not None:
        counted = next(iter(_texts([expr.param])), None)
    grouping = expr.grouping
    if grouping is not None and grouping.without:
        if counted is not None:
            inner = _set(inner, counted, None, required=True)
        return _without(inner, {NAME, *grouping.labels})
    grouped = _only(inner, grouping.labels if grouping else ())
    return grouped if counted is None else _set(grouped, counted, None, required=True)


def _binary(expr: Binary) -> Labels:
    left, right = result_labels(expr.left), result_labels(expr.right)
    vectors = value_type(expr.left) == "vector", value_type(expr.right) == "vector"
    keeps_name = expr.op in COMPARISONS and not expr.bool
    if not all(vectors):
        if not any(vectors):
            return NO_LABELS
        one = left if vectors[0] else right
        return one if keeps_name else _without(one, {NAME})
    if expr.op == "or":
        return _either(left, right)
    if expr.op == "unless":
        return left
    matching = expr.matching or Matching(())
    if expr.op == "and":
        return _matched(left, right, matching)
    many, one = (right, left) if matching.group == "right" else (left, right)
    result = _matched(many, one, matching)
    if not keeps_name:
        result = _without(result, {NAME})
    if matching.group is None:
        return _only(result, matching.labels) if matching.on else _without(result, matching.labels)
    for name in matching.include:
        taken = one.value(name)
        result = (
            _set(result, name, taken, required=one.must_have(name)) if one.may_have(name) else _without(result, {name})
        )
    return result


def _matched(kept: Labels, other: Labels, matching: Matching) -> Labels:
    """What is known of `kept` once each element has a partner in `other` with equal matching labels."""
    if matching.on:
        lost = [name for name in matching.labels if not (kept.may_have(name) and other.may_have(name))]
        known = {**{name: other.value(name) for name in matching.labels}, **dict(kept.known)}
        required = kept.required | {name for name in matching.labels if other.must_have(name)}
        base = _without(kept, lost)
        return _build(base.open, base.names, required, known)
    free = {NAME, *matching.labels}
    own = {name for name in free if kept.may_have(name)}
    required = kept.required | (other.required - free)
    known = {**{name: value for name, value in other.known if name not in free}, **dict(kept.known)}
    if kept.open and other.open:
        return _build(True, (kept.names | other.names) - own, required, known)
    names = {name for name in kept.names | other.names if kept.may_have(name) and other.may_have(name)} | own
    return _build(False, names, required, known)


def _either(left: Labels, right: Labels) -> Labels:
    """An element of either side."""
    known = {name: value for name, value in left.known if right.value(name) == value}
    required = left.required & right.required
    if left.open and right.open:
        return _build(True, left.names & right.names, required, known)
    if left.open or right.open:
        wide, narrow = (left, right) if left.open else (right, left)
        return _build(True, wide.names - narrow.names, required, known)
    return _build(False, left.names | right.names, required, known)
